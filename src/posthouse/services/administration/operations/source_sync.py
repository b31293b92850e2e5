"""Synchronising with a sign-in source: our accounts and groups follow its people and groups.

``identity.sources.sync`` says what must change; here it is written, some dozens of changes at once, each with its
trace, through the limits that hold for administrators. Where one of a batch is refused, the others are written without
it. It may be done again at any time: what is done already is found done. Groups that a source made carry a note that
says so; without the note a group is an administrator's own and is left alone.
Tests: ``tests/unit/services/administration/operations/test_source_sync_operation.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import Field

from posthouse.services.administration import limits, words
from posthouse.services.administration.call import Call, Traced
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import DomainText
from posthouse.services.administration.newcomers import ID_LONGEST, shown_name
from posthouse.services.administration.operation import Effect, Input, Output, Rule, on_server, operation
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.source_opening import opened_source, row_of
from posthouse.services.administration.writing import subject_of
from posthouse.services.identity.defaults import quota_of
from posthouse.services.identity.sources import sync as plan
from posthouse.services.identity.sources.contract import Source, SourceDown, SourceGroup, SourcePerson
from posthouse.store.directory_rows import DomainRow
from posthouse.store.directory_values import (
    AccountState,
    ChangeMembers,
    PutAccount,
    PutGroup,
    RemoveGroup,
)

BATCH: Final = 50
PAGE: Final = 1_000
LISTED: Final = 100  # of what was left alone
_NOTE: Final = "from the sign-in source "


class SyncSource(Input):
    """What to synchronise."""

    name: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="The source.")
    domains: Annotated[list[DomainText], Field(min_length=1, max_length=1_000)] = Field(
        description="The domains whose accounts and groups follow it."
    )


class LeftOut(Output):
    """Something that did not follow the source."""

    what: str = Field(description="An address.")
    why: str = Field(description="Why.")


class Synced(Output):
    """What synchronising did; a dry run says what it would do."""

    source: str = Field(description="The source.")
    complete: bool = Field(description="False where it was stopped before its end.")
    counts: dict[str, int] = Field(description="How many: made, changed, disabled, groups_made, groups_changed, ...")
    left_out_count: int = Field(description="How many did not follow.")
    left_out: list[LeftOut] = Field(description="The first of them.")


@dataclass(slots=True)
class _Work:
    """One synchronising under way."""

    call: Call
    source: str
    homes: dict[str, DomainRow]
    counts: Counter[str] = field(default_factory=Counter)
    left: list[LeftOut] = field(default_factory=list)
    left_count: int = 0
    waiting: list[tuple[str, str, Traced]] = field(default_factory=list)  # what is counted, the address, the change

    def leave(self, what: str, why: str) -> None:
        """Note that something did not follow."""
        self.left_count += 1
        if len(self.left) < LISTED:
            self.left.append(LeftOut(what=what[:320], why=why[:500]))


@operation(
    "source", "sync", rule=Rule(Role.SERVER, on_server()), http="POST /sources/{name}/sync", effect=Effect.CHANGE,
    is_long=True, is_resumable=True, arguments=("name", "domains"),
)  # fmt: skip
async def sync(call: Call, given: SyncSource) -> Synced:
    """Let accounts and groups of some domains follow a source.

    New people get accounts, names are brought up to date, those who are shut out are disabled. A dry run tells what
    would be done, as if each change stood alone.
    """
    row = await row_of(call, given.name)
    homes = {
        home.name: home
        for home in [await reading.home_of(call, f"x@{_bare(name)}", "domains") for name in given.domains]
    }
    work = _Work(call, row.name, homes)
    source = opened_source(call.desk, row)
    try:
        people, groups = await _listed(source, work)
    except SourceDown as down:
        raise Refused(f"{row.name} cannot be read: {down}", "posthouse source test.", kind=Kind.UNAVAILABLE) from None
    finally:
        await source.close()
    rules = plan.rules_of(call.desk.settings, row.name, homes)
    complete = await _apply(work, list(plan.people_changes(rules, people, await _our_people(work))), "accounts")
    complete = complete and await _apply(
        work, list(plan.group_changes(rules, groups, await _our_groups(work))), "groups"
    )
    return Synced(
        source=row.name,
        complete=complete,
        counts=dict(sorted(work.counts.items())),
        left_out_count=work.left_count,
        left_out=work.left,
    )


def _bare(text: str) -> str:
    return words.domain_name(text, "domains")


async def _listed(source: Source, work: _Work) -> tuple[list[SourcePerson], list[SourceGroup]]:
    """Read everybody before anything is changed. Raises SourceDown."""
    people: list[SourcePerson] = []
    async for person in source.people():
        people.append(person)
        if len(people) % PAGE == 0:
            work.call.progress(0, 0, f"{len(people)} people read")
    groups = [group async for group in source.groups()]
    return people, groups


# ---- what is here ---------------------------------------------------------------------------------------------


async def _our_people(work: _Work) -> list[plan.KnownPerson]:
    found: list[plan.KnownPerson] = []
    for domain in work.homes:
        found += [person async for person in _accounts_of(work.call, domain)]
    return found


async def _accounts_of(call: Call, domain: str) -> AsyncIterator[plan.KnownPerson]:
    after = ""
    while rows := await call.desk.store.accounts(domain=domain, after=after, limit=PAGE):
        for row in rows:
            yield plan.KnownPerson(
                address=row.address,
                display_name=row.display_name,
                source=row.source,
                external_id=row.external_id,
                is_disabled=row.state is not AccountState.ACTIVE,
            )
        after = rows[-1].address


async def _our_groups(work: _Work) -> list[plan.KnownGroup]:
    found, store = [], work.call.desk.store
    for domain in work.homes:
        after = ""
        while rows := await store.groups(domain=domain, after=after, limit=PAGE):
            for row in rows:
                source = row.note.removeprefix(_NOTE) if row.note.startswith(_NOTE) else ""
                members = await _members_of(work.call, row.address) if source == work.source else ()
                found.append(
                    plan.KnownGroup(address=row.address, name=row.display_name, members=members, source=source)
                )
            after = rows[-1].address
    return found


async def _members_of(call: Call, group: str) -> tuple[str, ...]:
    found: list[str] = []
    while page := await call.desk.store.members(group, after=found[-1] if found else "", limit=PAGE):
        found += page
    return tuple(found)


# ---- what is done ---------------------------------------------------------------------------------------------


async def _apply(work: _Work, changes: Sequence[plan.Change], what: str) -> bool:
    """Write changes in batches; return whether it came to the end."""
    for number, change in enumerate(changes):
        if number % BATCH == 0:
            if work.call.cancelled():
                return False
            work.call.progress(number, len(changes), what)
        try:
            found = _written(work, change)
        except Refused as fault:
            work.leave(_name_of(change), fault.detail)
            continue
        if found is not None:
            work.waiting.append(found)
        if len(work.waiting) >= BATCH:
            await _flush(work)
    await _flush(work)
    work.call.progress(len(changes), len(changes), what)
    return True


async def _flush(work: _Work) -> None:
    """Write what waits, all at once; where something of it is refused, one by one."""
    waiting, work.waiting = work.waiting, []
    if not waiting:
        return
    try:
        await work.call.commit_all([step for _, _, step in waiting])
    except Refused:
        for word, address, step in waiting:
            try:
                await work.call.commit_all([step])
            except Refused as fault:
                work.leave(address, fault.detail)
            else:
                work.counts[word] += 1
    else:
        work.counts.update(word for word, _, _ in waiting)


def _written(work: _Work, change: plan.Change) -> tuple[str, str, Traced] | None:
    """Return what to write for a change; None for what is only reported. Raises Refused."""
    match change:
        case plan.MakePerson(person):
            return "made", person.address, _made(work, person)
        case plan.UpdatePerson(address, person, fields):
            return "changed", address, _updated(work, address, person, fields)
        case plan.DisablePerson(address, reason):
            value = PutAccount(address=address, state=AccountState.SIGN_IN_DISABLED, must_be_new=False)
            told = {"state": AccountState.SIGN_IN_DISABLED.value, "why": reason}
            return "disabled", address, _traced(work, "account", address, value, after=told)
        case plan.MakeGroup(group):
            return "groups_made", group.address, _made_group(work, group)
        case plan.UpdateGroup(group, added, removed):
            return "groups_changed", group.address, _updated_group(work, group, added, removed)
        case plan.RemoveGroup(address):
            return "groups_removed", address, _traced(work, "group", address, RemoveGroup(address=address))
        case plan.LeftAlone(what, reason):
            work.leave(what, reason)
        case plan.TooManyGone(missing, of):
            work.leave(
                work.source, f"{missing} of {of} are missing, more than auth.source_gone_limit: none was disabled"
            )
    return None


def _made(work: _Work, person: SourcePerson) -> Traced:
    address = _own_address(person.address)
    home, settings = work.homes[address.rpartition("@")[2]], work.call.desk.settings
    given = person.attributes.get("quota", "")
    is_size = given.isascii() and given.isdigit() and len(given) < len(str(words.LARGEST))
    quota = int(given) if is_size else quota_of(settings, home.name)
    limits.check_quota(settings, home, quota)
    value = PutAccount(
        address=address,
        display_name=shown_name(person.display_name),
        given_name=shown_name(person.given_name),
        family_name=shown_name(person.family_name),
        quota_bytes=quota,
        source=work.source,
        external_id=person.external_id[:ID_LONGEST],
        created=work.call.desk.clock.now(),
        ceilings=limits.ceilings(settings, home),
    )
    told = {"address": address, "source": work.source, "external_id": value.external_id, "quota_bytes": quota}
    return _traced(work, "account", address, value, after=told)


def _updated(work: _Work, address: str, person: SourcePerson, fields: Sequence[str]) -> Traced:
    values: dict[str, Any] = {}
    if "display_name" in fields:
        values["display_name"] = shown_name(person.display_name)
    if "external_id" in fields:
        values["external_id"] = person.external_id[:ID_LONGEST]
    return _traced(work, "account", address, PutAccount(address=address, must_be_new=False, **values), after=values)


def _made_group(work: _Work, group: SourceGroup) -> Traced:
    address = _own_address(group.address)
    home = work.homes[address.rpartition("@")[2]]
    value = PutGroup(
        address=address,
        display_name=shown_name(group.name),
        note=f"{_NOTE}{work.source}",
        ceilings=limits.ceilings(work.call.desk.settings, home),
    )
    members = tuple(_addresses(group.members))
    told = {"name": value.display_name, "source": work.source, "members": len(members)}
    return _traced(work, "group", address, value, ChangeMembers(group=address, add=members), after=told)


def _updated_group(work: _Work, group: SourceGroup, added: Sequence[str], removed: Sequence[str]) -> Traced:
    value = PutGroup(address=group.address, display_name=shown_name(group.name) or None, must_be_new=False)
    change = ChangeMembers(group=group.address, add=tuple(_addresses(added)), remove=tuple(removed))
    told = {"added": list(change.add)[:LISTED], "removed": list(change.remove)[:LISTED]}
    return _traced(work, "group", group.address, value, change, after=told)


def _traced(work: _Work, kind: str, address: str, *changes: Any, after: dict[str, Any] | None = None) -> Traced:
    home = work.homes[address.rpartition("@")[2]]
    return Traced(changes=changes, subject=subject_of(kind, address), after=after, place=(home.office, home.name))


def _own_address(text: str) -> str:
    return words.own_address(text, "address")


def _addresses(texts: Sequence[str]) -> Iterator[str]:
    """Yield addresses in our form; what is none is left out."""
    for text in dict.fromkeys(texts):
        try:
            yield _own_address(text)
        except Refused:
            continue


def _name_of(change: plan.Change) -> str:
    match change:
        case plan.MakePerson(person):
            return person.address
        case plan.MakeGroup(group) | plan.UpdateGroup(group, _, _):
            return group.address
    return getattr(change, "address", "")
