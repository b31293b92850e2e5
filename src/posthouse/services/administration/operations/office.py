"""Operations on post offices: customers with domains, administrators and limits of their own.

Server administrators make, disable and remove them; a post office's administrator sees his own and changes its title.
Limits, defaults and branding are settings of the scope ``office:NAME``.
Tests: ``tests/unit/services/administration/operations/test_office_operations.py``.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from posthouse.config.definitions.limit import ACCOUNTS, ALIASES, DOMAINS, GROUPS, TOTAL_QUOTA
from posthouse.services.administration import words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import NameText, NoteText, Octets, OfficeText
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Nothing,
    Output,
    Page,
    PageInput,
    Rule,
    key_of,
    on_office,
    on_own,
    on_server,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.writing import subject_of
from posthouse.store.directory_rows import OfficeRow
from posthouse.store.directory_values import PutOffice, RemoveOffice


class OneOffice(Input):
    """A post office."""

    name: OfficeText = Field(min_length=1, description="Its name.")


class AddOffice(OneOffice):
    """A new post office."""

    title: NameText = Field("", description="The name that people see.")
    note: NoteText = Field("", description="A note for administrators of the server.")
    disabled: bool = Field(False, description="Mail for its domains is refused, and nobody in them signs in.")


class SetOffice(OneOffice):
    """Changes of a post office; what is not given stays."""

    title: NameText | None = Field(None, description="The name that people see.")
    note: NoteText | None = Field(None, description="A note for administrators of the server.")
    disabled: bool | None = Field(None, description="Mail for its domains is refused, and nobody in them signs in.")


class Office(Output):
    """A post office with what it holds."""

    name: str = Field(description="Its name.")
    title: str = Field(description="The name that people see.")
    note: str = Field(description="A note for administrators of the server.")
    disabled: bool = Field(description="Whether all its domains are disabled.")
    domains: int = Field(description="How many domains it has.")
    accounts: int = Field(description="How many accounts its domains have.")
    aliases: int = Field(description="How many aliases they have.")
    groups: int = Field(description="How many groups they have.")
    quota: Octets = Field(description="What the quotas of its accounts come to, in octets.")
    limits: dict[str, str] = Field(description="The limits that are set for it, by setting.")
    revision: int = Field(description="Grows with every change.")


@operation(
    "office", "add", rule=Rule(Role.SERVER, on_server()), http="POST /offices", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def add(call: Call, given: AddOffice) -> Office:
    """Add a post office."""
    name = words.short_name(given.name, "name")
    if await call.desk.store.office(name) is not None:
        raise Refused(f"the post office {name} exists already", "Choose another name.", kind=Kind.EXISTS, field="name")
    row = OfficeRow(
        id=0,
        name=name,
        title=words.line(given.title, field="title"),
        note=words.line(given.note, field="note"),
        disabled=given.disabled,
        domains=0,
        accounts=0,
        aliases=0,
        groups=0,
        quota=0,
        revision=1,
    )
    return await _put(call, None, row)


@operation(
    "office", "set", rule=Rule(Role.OFFICE, on_office("name")), http="PATCH /offices/{name}", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def set_(call: Call, given: SetOffice) -> Office:
    """Change a post office. Its administrator changes its title; the rest takes one of the server."""
    old = await reading.office_row(call, given.name)
    for field in ("note", "disabled"):
        if field in given.model_fields_set:
            call.require(Role.SERVER, f"office.set of {field}")
    row = replace(
        old,
        title=old.title if given.title is None else words.line(given.title, field="title"),
        note=old.note if given.note is None else words.line(given.note, field="note"),
        disabled=old.disabled if given.disabled is None else given.disabled,
    )
    return await _put(call, old, row)


@operation("office", "show", rule=Rule(Role.OFFICE, on_office("name")), http="GET /offices/{name}", arguments=("name",))
async def show(call: Call, given: OneOffice) -> Office:
    """Show a post office with what it holds and may hold."""
    return _shown(call, await reading.office_row(call, given.name))


@operation(
    "office", "list", rule=Rule(Role.OFFICE, on_own()), http="GET /offices",
    columns=("name", "title", "domains", "accounts", "quota", "disabled"),
)  # fmt: skip
async def list_(call: Call, given: PageInput) -> Page[Office]:
    """List post offices in order of name; who administers one sees that one."""
    if call.office is not None:
        row = await call.desk.store.office(call.office) if call.office and not given.cursor else None
        return Page(items=[_shown(call, row)] if row is not None else [], next="")
    rows = await call.desk.store.offices(after=key_of(given.cursor), limit=given.limit + 1)
    return reading.as_page(rows, given.limit, lambda each: each.name, lambda each: _shown(call, each))


@operation(
    "office", "remove", rule=Rule(Role.SERVER, on_server()), http="DELETE /offices/{name}", effect=Effect.DESTROY,
    arguments=("name",),
)  # fmt: skip
async def remove(call: Call, given: OneOffice) -> Nothing:
    """Remove a post office that has no domains."""
    old = await reading.office_row(call, given.name)
    if old.domains:
        raise Refused(
            f"the post office {old.name} has {old.domains} domains",
            f"Remove them, or give them to another: posthouse domain list --office {old.name}",
            kind=Kind.NOT_NOW,
        )
    await call.commit(
        RemoveOffice(name=old.name, if_revision=call.if_revision),
        subject=subject_of("office", old.name),
        before=_told(old),
        place=(old.name, ""),
    )
    return Nothing()


async def _put(call: Call, old: OfficeRow | None, new: OfficeRow) -> Office:
    await call.commit(
        PutOffice(
            name=new.name,
            title=new.title,
            note=new.note,
            disabled=new.disabled,
            must_be_new=old is None,
            if_revision=call.if_revision,
        ),
        subject=subject_of("office", new.name),
        before=_told(old) if old is not None else None,
        after=_told(new),
        place=(new.name, ""),
    )
    return _shown(call, (await call.desk.store.office(new.name) if not call.dry_run else None) or new)


def _told(row: OfficeRow) -> dict[str, object]:
    return {"name": row.name, "title": row.title, "note": row.note, "disabled": row.disabled}


def _shown(call: Call, row: OfficeRow) -> Office:
    explain = call.desk.settings.explain
    known = [explain(setting, office=row.name) for setting in (DOMAINS, ACCOUNTS, ALIASES, GROUPS, TOTAL_QUOTA)]
    return Office(
        name=row.name,
        title=row.title,
        note=row.note if call.caller.role is Role.SERVER else "",
        disabled=row.disabled,
        domains=row.domains,
        accounts=row.accounts,
        aliases=row.aliases,
        groups=row.groups,
        quota=row.quota,
        limits={each.name: each.value for each in known if each.source == f"office:{row.name}"},
        revision=row.revision,
    )


OPERATIONS = (add, set_, show, list_, remove)
