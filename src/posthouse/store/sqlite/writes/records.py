"""What is kept of administration: the audit log, jobs, and the replies to requests with an idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from posthouse.store.contract import AllowanceSpent, AlreadyExists, Vanished
from posthouse.store.directory_rows import JobRow
from posthouse.store.directory_values import Audit, ClaimJob, KeepReply, PutJob, SpendAllowance
from posthouse.store.sqlite import chain
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.reads.records import JOB, job_row

_WHERE = "store.records"
_HOUR = 3_600.0
_OPEN_JOB = (
    f"{JOB} WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR until <= ?) ORDER BY created LIMIT 1"
)


def add_audit(group: Group, value: Audit) -> int:
    """Add an entry to the chain; return its number."""
    if group.last_digest is None:
        last = group.execute("SELECT digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
        group.last_digest = last[0] if last else ""
    number = group.next_number("audit")
    fields = (
        number, float(value.at), value.actor, value.door, value.address, value.operation, value.subject, value.office,
        value.domain, chain.canonical(value.before), chain.canonical(value.after), group.last_digest,
    )  # fmt: skip
    group.last_digest = chain.digest(fields)
    group.rows["audit"].append((*fields, group.last_digest))
    return number


def spend_allowance(group: Group, value: SpendAllowance) -> None:
    """Count recipients; nothing is counted where one of the allowances does not suffice."""
    hour, rest = divmod(value.at, _HOUR)
    for holder, most in value.limits:
        rows = group.execute(
            "SELECT hour, spent FROM allowance WHERE holder = ? AND hour >= ?", (holder, int(hour) - 1)
        ).fetchall()
        spent = sum(count if at == int(hour) else count * (1 - rest / _HOUR) for at, count in rows)
        if spent + value.recipients > most:
            raise AllowanceSpent(f"{holder} may send to {most} recipients within an hour", where=_WHERE)
    for holder, _ in value.limits:
        group.execute(
            "INSERT INTO allowance (holder, hour, spent) VALUES (?, ?, ?)"
            " ON CONFLICT (holder, hour) DO UPDATE SET spent = spent + excluded.spent",
            (holder, int(hour), value.recipients),
        )


def put_job(group: Group, value: PutJob) -> None:
    """Add a job or say how far it is."""
    known = group.execute("SELECT 1 FROM job WHERE id = ?", (value.id,)).fetchone() is not None
    if known and value.must_be_new:
        raise AlreadyExists(f"there is a job {value.id} already", where=_WHERE)
    now = value.at or group.now
    if not known:
        if value.operation is None:
            raise Vanished(f"the job {value.id} is not there", where=_WHERE)
        group.execute("INSERT INTO job (id, created) VALUES (?, ?)", (value.id, now))
    changed: dict[str, Any] = {
        name: given
        for name in ("operation", "office", "domain", "state", "done", "total", "text", "owner", "until")
        if (given := getattr(value, name)) is not None
    }
    for name in ("caller", "input", "result"):
        given = getattr(value, name)
        if given is not None:
            changed[name] = _json(given)
    changed["changed"] = now
    assignments = ", ".join(f"{name} = ?" for name in changed)
    group.execute(f"UPDATE job SET {assignments} WHERE id = ?", (*changed.values(), value.id))


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(value)).decode()


def claim_job(group: Group, value: ClaimJob) -> JobRow | None:
    """Lease the oldest job that waits or was left."""
    row = group.execute(_OPEN_JOB, (value.now,)).fetchone()
    if row is None:
        return None
    group.execute(
        "UPDATE job SET state = 'running', owner = ?, until = ?, changed = ? WHERE id = ?",
        (value.owner, value.until, value.now, row[0]),
    )
    return job_row(group.execute(f"{JOB} WHERE id = ?", row[:1]).fetchone())


def keep_reply(group: Group, value: KeepReply) -> None:
    """Claim an idempotency key, or keep what its request was answered."""
    if not value.status:
        known = group.execute(
            "SELECT 1 FROM kept_reply WHERE caller = ? AND request = ?", (value.caller, value.key)
        ).fetchone()
        if known is not None:
            raise AlreadyExists("a request with this idempotency key was seen already", where=_WHERE)
    group.execute(
        "INSERT OR REPLACE INTO kept_reply (caller, request, fingerprint, at, status, body) VALUES (?, ?, ?, ?, ?, ?)",
        (value.caller, value.key, value.fingerprint, value.at, value.status, value.body),
    )
