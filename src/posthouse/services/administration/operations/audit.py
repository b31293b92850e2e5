"""The audit log as operations: who did what, from where; exported and verified (SC-09).

An administrator of a post office or a domain reads what concerns it. The chain can be verified only over the whole
log, so that is the server's. Tests: ``tests/unit/services/administration/operations/test_audit_operations.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
from pydantic import Field

from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import (
    Download,
    Input,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    cursor_of,
    number_of,
    on_own,
    on_server,
    operation,
)
from posthouse.store.directory_rows import AuditRow
from posthouse.store.sqlite import chain

_BATCH = 1_000


class ListAudit(PageInput):
    """Which entries."""

    subject: str = Field(
        "", max_length=1_000, description="Only what is about this, such as `account:anna@example.org`."
    )


class EntryNumber(Input):
    """One entry."""

    number: int = Field(ge=1, le=2**62, description="The entry's number.")


class ExportAudit(Input):
    """Which entries."""

    after: int = Field(0, ge=0, le=2**62, description="Only entries with a higher number.")


class AuditEntry(Output):
    """An entry of the audit log."""

    number: int = Field(description="Its number; there are no gaps.")
    at: float = Field(description="When, in seconds since the epoch.")
    actor: str = Field(description="Who: an address, the name of a token, or a user of the machine.")
    door: str = Field(description="By which way: `rest`, `command line`.")
    address: str = Field(description="Where from; empty for the machine itself.")
    operation: str = Field(description="What was done, such as `account.set`.")
    subject: str = Field(description="To what, such as `account:anna@example.org`.")
    office: str = Field(description="The post office it is about; empty for none.")
    domain: str = Field(description="The domain it is about; empty for none.")
    before: dict[str, Any] | None = Field(description="What it was; null where there was nothing.")
    after: dict[str, Any] | None = Field(description="What it became; null where nothing is left.")
    digest: str = Field(description="The digest of this entry and of the one before it.")


class Verification(Output):
    """Whether the audit log is whole."""

    entries: int = Field(description="How many entries were looked at.")
    is_whole: bool = Field(description="Whether each follows from the one before it.")
    broken_at: int = Field(description="The number of the first entry that does not; 0 for none.")
    last_digest: str = Field(description="The digest of the last entry: keep it elsewhere to notice a shortened log.")


@operation(
    "audit",
    "list",
    rule=Rule(Role.DOMAIN, on_own()),
    http="GET /audit",
    columns=("number", "at", "actor", "operation", "subject"),
)
async def list_entries(call: Call, given: ListAudit) -> Page[AuditEntry]:
    """List entries of the audit log, newest first."""
    rows = await call.desk.store.audit(
        subject=given.subject, before=number_of(given.cursor), limit=given.limit + 1, **call.records
    )
    page = rows[: given.limit]
    following = cursor_of(str(page[-1].number)) if len(rows) > given.limit else ""
    return Page[AuditEntry](items=[_shown(row) for row in page], next=following)


@operation("audit", "show", rule=Rule(Role.DOMAIN, on_own()), http="GET /audit/{number}", arguments=("number",))
async def show(call: Call, given: EntryNumber) -> AuditEntry:
    """Show an entry of the audit log."""
    rows = await call.desk.store.audit(after=given.number - 1, limit=1, **call.records)
    if not rows or rows[0].number != given.number:
        raise Refused(f"there is no entry {given.number}", kind=Kind.MISSING, field="number")
    return _shown(rows[0])


@operation("audit", "export", rule=Rule(Role.DOMAIN, on_own()), http="GET /audit/export")
async def export(call: Call, given: ExportAudit) -> Download:
    """Export the audit log as JSON Lines, oldest first."""
    return Download("application/jsonl", "audit.jsonl", _lines(call, given.after))


@operation("audit", "verify", rule=Rule(Role.SERVER, on_server()), http="GET /audit/verify")
async def verify(call: Call, given: Input) -> Verification:  # noqa: ARG001  (the form of an operation)
    """Check that no entry of the audit log was changed or taken out.

    Every entry holds a digest over itself and the one before; they are all computed anew. That the newest entries
    were cut off shows only in the digest of the last one, where somebody kept it.
    """
    store = call.desk.store
    entries = broken = number = 0
    previous = ""
    while not broken:
        rows = await store.audit(after=number, limit=_BATCH)
        if not rows:
            break
        for row in rows:
            entries += 1
            if (entries > 1 and row.number != number + 1) or row.previous != previous or row.digest != digest_of(row):
                broken = row.number
                break
            number, previous = row.number, row.digest
        call.progress(entries, 0, "entries")
    return Verification(entries=entries, is_whole=not broken, broken_at=broken, last_digest=previous)


async def _lines(call: Call, after: int) -> AsyncIterator[bytes]:
    while rows := await call.desk.store.audit(after=after, limit=_BATCH, **call.records):
        after = rows[-1].number
        yield b"".join(orjson.dumps(_shown(row).model_dump()) + b"\n" for row in rows)


def digest_of(row: AuditRow) -> str:
    """Return the digest that an entry must have."""
    before, after = chain.canonical(row.before), chain.canonical(row.after)
    told = (row.number, row.at, row.actor, row.door, row.address, row.operation, row.subject, row.office, row.domain)
    return chain.digest((*told, before, after, row.previous))


def _shown(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        number=row.number,
        at=row.at,
        actor=row.actor,
        door=row.door,
        address=row.address,
        operation=row.operation,
        subject=row.subject,
        office=row.office,
        domain=row.domain,
        before=dict(row.before) if row.before is not None else None,
        after=dict(row.after) if row.after is not None else None,
        digest=row.digest,
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (list_entries, show, export, verify)
