"""Reads of the journey. Keys that housekeeping has not yet sorted into the index are found by a scan."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import orjson

from posthouse.core.ids import QueueId, queue_id_floor
from posthouse.store.rows import JourneyRow

MICROSECONDS_A_DAY = 86_400 * 1_000_000
DAY_SHIFT = 10  # the bits of a queue id below its microseconds


def day_of(queue_id: int) -> int:
    """Return the day since the epoch on which a queue id was made."""
    return (queue_id >> DAY_SHIFT) // MICROSECONDS_A_DAY


def journey(connection: sqlite3.Connection, queue_id: QueueId) -> list[JourneyRow]:
    """Return a message's story in order of telling."""
    rows = connection.execute("SELECT story FROM journey WHERE queue_id = ? ORDER BY id", (queue_id,)).fetchall()
    return [JourneyRow(queue_id, at, step, record) for (story,) in rows for at, step, record in orjson.loads(story)]


def journey_find(connection: sqlite3.Connection, key: bytes, since: float, until: float, limit: int) -> list[QueueId]:
    """Return messages by key hash (b"": any) and time, newest first."""
    low = int(queue_id_floor(since)) if since else 0
    high = int(queue_id_floor(until)) if until else (1 << 63) - 1
    if not key:
        rows = connection.execute(
            "SELECT DISTINCT queue_id FROM journey WHERE queue_id >= ? AND queue_id < ? ORDER BY queue_id DESC LIMIT ?",
            (low, high, limit),
        )
        return [QueueId(queue_id) for (queue_id,) in rows]
    found = _fresh(connection, key, low, high)
    number = int.from_bytes(key, "big", signed=True)
    for day in _days(connection, day_of(low), day_of(high)):
        rows = connection.execute(
            "SELECT queue_id FROM journey_key WHERE day = ? AND hash = ? AND queue_id >= ? AND queue_id < ?"
            " ORDER BY queue_id DESC LIMIT ?",
            (day, number, low, high, limit),
        )
        found.update(queue_id for (queue_id,) in rows)
        if len(found) >= limit and min(sorted(found, reverse=True)[:limit]) >= _first_of(day):
            break
    return [QueueId(queue_id) for queue_id in sorted(found, reverse=True)[:limit]]


def _days(connection: sqlite3.Connection, first: int, last: int) -> Iterator[int]:
    """Yield the days that have keys, newest first; each is one step into the index."""
    day = last + 1
    while True:
        day = connection.execute("SELECT max(day) FROM journey_key WHERE day < ?", (day,)).fetchone()[0]
        if day is None or day < first:
            return
        yield day


def _first_of(day: int) -> int:
    return day * MICROSECONDS_A_DAY << DAY_SHIFT


def _fresh(connection: sqlite3.Connection, key: bytes, low: int, high: int) -> set[int]:
    rows = connection.execute(
        "SELECT queue_id, hashes FROM journey_fresh_key WHERE instr(hashes, ?) AND queue_id >= ? AND queue_id < ?",
        (key, low, high),
    )
    return {queue_id for queue_id, hashes in rows if key in {hashes[at : at + 8] for at in range(0, len(hashes), 8)}}
