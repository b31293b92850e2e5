"""Reads of the queue."""

from __future__ import annotations

import sqlite3
from typing import Any

from posthouse.core.ids import QueueId
from posthouse.store.rows import QueueRow
from posthouse.store.values import RecipientState

COLUMNS = (
    "r.queue_id, r.number, r.address, r.destination, r.state, r.attempts, r.next_attempt, r.lease_owner,"
    " r.lease_until, r.last_reply, r.notify, r.orcpt, r.delay_notified, m.reverse_path, m.ret, m.envid, m.body_type,"
    " m.smtputf8, m.received, m.expires, m.size, m.body_id"
)
FROM = "queue_recipient r JOIN queue_message m ON m.queue_id = r.queue_id"
_STATES = {state.value: state for state in RecipientState}


def queue_row(row: tuple[Any, ...]) -> QueueRow:
    """Make a row of the contract from ``COLUMNS``."""
    (
        queue_id, number, address, destination, state, attempts, next_attempt, owner, until, reply, notify, orcpt,
        notified, reverse_path, ret, envid, body_type, smtputf8, received, expires, size, body,
    ) = row  # fmt: skip
    return QueueRow(
        queue_id, number, address, destination, _STATES[state], attempts, next_attempt, owner, until, reply, notify,
        orcpt, notified != 0, reverse_path, ret, envid, body_type, smtputf8 != 0, received, expires, size, body,
    )  # fmt: skip


def queue_rows(
    connection: sqlite3.Connection, queue_id: QueueId | None, after: tuple[int, int], limit: int
) -> list[QueueRow]:
    """Return recipients in order of their key."""
    condition = "(r.queue_id, r.number) > (?, ?)"
    binds: tuple[int, ...] = (*after, limit)
    if queue_id is not None:
        condition, binds = f"r.queue_id = ? AND {condition}", (queue_id, *binds)
    if after == (0, 0):  # a message 0 with recipient 0 does not exist, but (0, 0) means from the start
        condition = condition.replace("> (?, ?)", ">= (?, ?)")
    statement = f"SELECT {COLUMNS} FROM {FROM} WHERE {condition} ORDER BY r.queue_id, r.number LIMIT ?"
    return [queue_row(row) for row in connection.execute(statement, binds)]


def queue_summary(connection: sqlite3.Connection) -> list[tuple[str, str, int, float]]:
    """Return destinations with their states, out of the two indexes alone."""
    return connection.execute(
        "SELECT destination, 'held', count(*), min(next_attempt) FROM queue_recipient WHERE due IS NULL"
        " GROUP BY destination UNION ALL SELECT destination, 'waiting', count(*), min(due) FROM queue_recipient"
        " WHERE due IS NOT NULL GROUP BY destination ORDER BY 1, 2"
    ).fetchall()


def next_due(connection: sqlite3.Connection) -> float | None:
    """Return when the next recipient is due."""
    row = connection.execute("SELECT min(due) FROM queue_recipient WHERE due IS NOT NULL").fetchone()
    return None if row[0] is None else float(row[0])
