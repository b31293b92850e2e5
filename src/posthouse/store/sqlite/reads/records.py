"""Reads of the audit log, of jobs, and of kept replies."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from posthouse.store.directory_rows import AuditRow, JobRow, KeptReply

JOB = (
    "SELECT id, operation, office, domain, caller, input, state, done, total, text, result, owner, until, created,"
    " changed FROM job"
)
_AUDIT = (
    "SELECT number, at, actor, door, address, operation, subject, office, domain, before, after, previous, digest"
    " FROM audit"
)


def _audit(row: tuple[Any, ...]) -> AuditRow:
    fields = list(row)
    for at in (9, 10):
        fields[at] = None if row[at] is None else orjson.loads(row[at])
    return AuditRow(*fields)


def audit(
    connection: sqlite3.Connection,
    narrowed: dict[str, str | None],
    span: tuple[int, int],
    limit: int,
) -> list[AuditRow]:
    """Return entries; ``narrowed`` by column, None for all; ``span`` is below what and above what, as the contract."""
    before, after = span
    conditions = [f"{column} = ?" for column, value in narrowed.items() if value is not None]
    binds: list[Any] = [value for value in narrowed.values() if value is not None]
    if before > 0:
        conditions.append("number < ?")
        binds.append(before)
    if after >= 0:
        conditions.append("number > ?")
        binds.append(after)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = "ASC" if after >= 0 else "DESC"
    rows = connection.execute(f"{_AUDIT}{where} ORDER BY number {order} LIMIT ?", (*binds, limit))
    return [_audit(row) for row in rows]


def job_row(row: tuple[Any, ...]) -> JobRow:
    """Return a job from the columns of ``JOB``."""
    number, operation, office, domain, caller, given, state, done, total, text, result, *rest = row
    return JobRow(
        number, operation, office, domain, orjson.loads(caller), orjson.loads(given), state, done, total, text,
        None if result is None else orjson.loads(result), *rest,
    )  # fmt: skip


def job(connection: sqlite3.Connection, number: str) -> JobRow | None:
    """Return a job by id."""
    row = connection.execute(f"{JOB} WHERE id = ?", (number,)).fetchone()
    return job_row(row) if row else None


def jobs(connection: sqlite3.Connection, within: tuple[str | None, str | None], after: str, limit: int) -> list[JobRow]:
    """Return jobs, newest first; ``within`` is a post office and a domain."""
    conditions, binds = [], []
    for column, value in zip(("office", "domain"), within, strict=True):
        if value is not None:
            conditions.append(f"{column} = ?")
            binds.append(value)
    if after:
        conditions.append("(created, id) < (SELECT created, id FROM job WHERE id = ?)")
        binds.append(after)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = connection.execute(f"{JOB}{where} ORDER BY created DESC, id DESC LIMIT ?", (*binds, limit))
    return [job_row(row) for row in rows]


def kept_reply(connection: sqlite3.Connection, caller: str, key: str) -> KeptReply | None:
    """Return what is known of a request."""
    row = connection.execute(
        "SELECT fingerprint, at, status, body FROM kept_reply WHERE caller = ? AND request = ?", (caller, key)
    ).fetchone()
    return KeptReply(*row) if row else None
