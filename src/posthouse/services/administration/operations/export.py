"""Taking out the directory and mailboxes, as operations (DI-11).

Each answers with octets. A mailbox is exported by its owner too; password hashes are for the server's administrators.
Tests: ``tests/unit/services/administration/operations/test_export_operations.py``.
"""

from __future__ import annotations

import enum
from typing import Any

from pydantic import Field

from posthouse.services.administration.access import require_above
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.exporting.directory import SECRET_FIELDS, Narrowed, chosen_fields, rows_of
from posthouse.services.administration.exporting.mailboxes import MailboxExport
from posthouse.services.administration.exporting.tables import as_csv, as_json_lines
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import (
    Download,
    Input,
    Operation,
    Rule,
    on_address,
    on_own,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.writing import subject_of


class TableForm(enum.Enum):
    """How a table is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class MailForm(enum.Enum):
    """How mail is written."""

    MBOX = "mbox"
    MAILDIR = "maildir"


class ExportTable(Input):
    """What to take out, and how."""

    format: TableForm = Field(TableForm.CSV, description="`csv`, or `jsonl`: a JSON object on each line.")
    fields: str = Field("", max_length=1_000, description="The fields, separated by commas; the usual ones if empty.")
    domain: str | None = Field(None, max_length=255, description="Only what is in this domain.")
    office: str | None = Field(None, max_length=64, description="Only what is in this post office; empty for none.")
    for_spreadsheet: bool = Field(
        False, description="Put an apostrophe before cells that a spreadsheet would take for formulas."
    )


class ExportMailbox(Input):
    """Whose mail, and how."""

    address: str = Field(min_length=1, max_length=1_000, description="The account's address.")
    format: MailForm = Field(MailForm.MBOX, description="`mbox` (mboxrd), or `maildir`: Maildir++ in a tar archive.")
    mailbox: str = Field("", max_length=1_000, description="Only this mailbox, such as `INBOX` or `Work/2026`.")


@operation("export", "accounts", rule=Rule(Role.DOMAIN, on_own()), http="GET /export/accounts")
async def accounts(call: Call, given: ExportTable) -> Download:
    """Export accounts as CSV or JSON Lines, with chosen fields."""
    return await _table(call, given, "accounts")


@operation("export", "domains", rule=Rule(Role.DOMAIN, on_own()), http="GET /export/domains")
async def domains(call: Call, given: ExportTable) -> Download:
    """Export domains as CSV or JSON Lines, with chosen fields."""
    return await _table(call, given, "domains")


@operation("export", "aliases", rule=Rule(Role.DOMAIN, on_own()), http="GET /export/aliases")
async def aliases(call: Call, given: ExportTable) -> Download:
    """Export aliases as CSV or JSON Lines, with chosen fields."""
    return await _table(call, given, "aliases")


@operation("export", "groups", rule=Rule(Role.DOMAIN, on_own()), http="GET /export/groups")
async def groups(call: Call, given: ExportTable) -> Download:
    """Export groups as CSV or JSON Lines, with chosen fields."""
    return await _table(call, given, "groups")


@operation(
    "export",
    "mailbox",
    rule=Rule(Role.ACCOUNT, on_address()),
    http="GET /export/mailbox/{address}",
    arguments=("address",),
)
async def mailbox(call: Call, given: ExportMailbox) -> Download:
    """Export all mail of an account, with flags, as mboxrd or Maildir++.

    Its owner may, and an administrator above the account; that it was done is in the audit log.
    """
    row = await reading.account_row(call, given.address)
    if row.address != call.caller.account:
        require_above(call.caller, row, "the mail")
    if given.mailbox and await call.desk.store.mailbox_named(row.id, given.mailbox) is None:
        raise Refused(f"{row.address} has no mailbox {given.mailbox!r}", kind=Kind.MISSING, field="mailbox")
    await call.commit(
        subject=subject_of("account", row.address),
        after={"exported": given.mailbox or "every mailbox", "format": given.format.value},
        place=await reading.place_of(call, row.address),
    )
    export = MailboxExport(call.desk.store, call.desk.hostname)
    if given.format is MailForm.MBOX:
        return Download("application/mbox", f"{row.address}.mbox", export.mbox(row, given.mailbox, call.progress))
    return Download("application/x-tar", f"{row.address}.tar", export.maildir(row, given.mailbox, call.progress))


async def _table(call: Call, given: ExportTable, kind: str) -> Download:
    names = [name.strip() for name in given.fields.split(",") if name.strip()]
    fields = chosen_fields(kind, names)
    if SECRET_FIELDS & set(fields):
        call.require(Role.SERVER, "the export of password hashes")
    domain, office = await reading.narrowed(call, given.domain, given.office)
    rows = rows_of(call.desk.store, kind, fields, Narrowed(office=office, domain=domain))
    if given.format is TableForm.CSV:
        return Download("text/csv", f"{kind}.csv", as_csv(rows, fields, is_safe=given.for_spreadsheet))
    return Download("application/jsonl", f"{kind}.jsonl", as_json_lines(rows, fields))


OPERATIONS: tuple[Operation[Any, Any], ...] = (accounts, aliases, domains, groups, mailbox)
