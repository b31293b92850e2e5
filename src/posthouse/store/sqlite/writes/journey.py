"""Journey entries: one row for each call and queue id, and the hashes it may be found by."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import orjson

from posthouse.store.sqlite.group import Group
from posthouse.store.values import JourneyEntry, Note


def key_hash(key: str) -> bytes:
    """Return the eight octets under which a key is kept."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def tell(group: Group, entries: Sequence[JourneyEntry]) -> None:
    """Gather the rows of a story; entries of one message that come together share a row."""
    if not entries:
        return
    first = entries[0].queue_id
    if len(entries) == 1 or all(entry.queue_id == first for entry in entries):
        _gather(group, first, entries)
        return
    by_message: dict[int, list[JourneyEntry]] = {}
    for entry in entries:
        by_message.setdefault(entry.queue_id, []).append(entry)
    for queue_id, story in by_message.items():
        _gather(group, queue_id, story)


def _gather(group: Group, queue_id: int, entries: Sequence[JourneyEntry]) -> None:
    number = group.next_number("journey")
    story = orjson.dumps([(entry.at, entry.step, entry.record) for entry in entries], default=str)
    group.rows["journey"].append((number, queue_id, story))
    keys = {key for entry in entries for key in entry.keys}
    if keys:
        group.rows["journey_key"].append((number, queue_id, b"".join([key_hash(key) for key in keys])))


def note(group: Group, value: Note) -> None:
    """Write journey entries alone."""
    tell(group, value.journey)
