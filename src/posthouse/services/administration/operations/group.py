"""Operations on groups: addresses with members, for mail and for rights; groups may hold groups.

The group must be within the caller's reach; its members may be anywhere. The store refuses a group that would contain
itself. Tests: ``tests/unit/services/administration/operations/test_group_operations.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from posthouse.services.administration import limits, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.fields import AddressText, NameText, NoteText, OfficeText
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Nothing,
    Output,
    Page,
    PageInput,
    Rule,
    key_of,
    on_address,
    on_own,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.writing import subject_of
from posthouse.store.directory_rows import GroupRow
from posthouse.store.directory_values import ChangeMembers, PutGroup, RemoveGroup, SenderPolicy
from posthouse.store.values import Change

MEMBERS: Final = 10_000  # in one call
_LISTED: Final = 1_000
_TRACED: Final = 1_000  # members that an entry of the audit log holds; a change of more cannot be undone
_SENDERS = "Who may send to it: anyone, signed-in, domain (signed in, with an account of its domain), members, listed."

Members = Annotated[list[AddressText], Field(max_length=MEMBERS)]
Listed = Annotated[list[AddressText], Field(max_length=_LISTED)]


class OneGroup(Input):
    """A group."""

    address: AddressText = Field(description="Its address.")


class AddGroup(OneGroup):
    """A new group."""

    members: Members = Field(default_factory=list, description="Addresses of its members: accounts, groups, anybody.")
    name: NameText = Field("", description="The name that people see.")
    senders: SenderPolicy = Field(SenderPolicy.ANYONE, description=_SENDERS)
    listed: Listed = Field(default_factory=list, description="The addresses and domains that `listed` allows.")
    note: NoteText = Field("", description="A note for administrators.")
    disabled: bool = Field(False, description="Mail for it is refused.")


class SetGroup(OneGroup):
    """Changes of a group; what is not given stays."""

    name: NameText | None = Field(None, description="The name that people see.")
    senders: SenderPolicy | None = Field(None, description=_SENDERS)
    listed: Listed | None = Field(None, description="The addresses and domains that `listed` allows.")
    note: NoteText | None = Field(None, description="A note for administrators.")
    disabled: bool | None = Field(None, description="Mail for it is refused.")


class ListGroups(PageInput):
    """Which groups."""

    domain: str | None = Field(None, max_length=1_000, description="Only those of this domain.")
    office: OfficeText | None = Field(None, description='Only those of this post office; "" is the server\'s own.')
    member: str | None = Field(None, max_length=1_000, description="Only those that this address is in.")


class MembersOf(OneGroup):
    """A group and some members."""

    members: Annotated[list[AddressText], Field(min_length=1, max_length=MEMBERS)] = Field(
        description="Addresses of members."
    )


class ListMembers(PageInput, OneGroup):
    """Whose members."""


class Group(Output):
    """A group."""

    address: str = Field(description="Its address.")
    name: str = Field(description="The name that people see.")
    senders: SenderPolicy = Field(description="Who may send to it.")
    listed: list[str] = Field(description="The addresses and domains that `listed` allows.")
    members: int = Field(description="How many members it has.")
    note: str = Field(description="A note for administrators.")
    disabled: bool = Field(description="Whether mail for it is refused.")
    revision: int = Field(description="Grows with every change.")


class Member(Output):
    """A member of a group."""

    address: str = Field(description="The member's address.")


@operation(
    "group", "add", rule=Rule(Role.DOMAIN, on_address()), http="POST /groups", effect=Effect.CHANGE,
    arguments=("address", "members"),
)  # fmt: skip
async def add(call: Call, given: AddGroup) -> Group:
    """Add a group."""
    address = words.own_address(given.address, "address")
    await reading.home_of(call, address)
    await reading.refuse_taken(call, address)
    members = _members(address, given.members)
    row = GroupRow(
        address=address,
        display_name=words.line(given.name, field="name"),
        note=words.line(given.note, field="note"),
        senders=given.senders,
        listed=_listed(given.listed),
        disabled=given.disabled,
        members=len(members),
        revision=1,
    )
    return await _put(call, None, row, members)


@operation(
    "group", "set", rule=Rule(Role.DOMAIN, on_address()), http="PATCH /groups/{address}", effect=Effect.CHANGE,
    arguments=("address",),
)  # fmt: skip
async def set_(call: Call, given: SetGroup) -> Group:
    """Change a group."""
    old = await reading.group_row(call, given.address)
    changes: dict[str, Any] = {
        name: value for name in ("senders", "disabled") if (value := getattr(given, name)) is not None
    }
    if given.name is not None:
        changes["display_name"] = words.line(given.name, field="name")
    if given.note is not None:
        changes["note"] = words.line(given.note, field="note")
    if given.listed is not None:
        changes["listed"] = _listed(given.listed)
    return await _put(call, old, replace(old, **changes))


@operation("group", "show", rule=Rule(Role.DOMAIN, on_address()), http="GET /groups/{address}", arguments=("address",))
async def show(call: Call, given: OneGroup) -> Group:
    """Show a group."""
    return _shown(await reading.group_row(call, given.address))


@operation(
    "group", "list", rule=Rule(Role.DOMAIN, on_own()), http="GET /groups",
    columns=("address", "name", "members", "senders", "disabled"),
)  # fmt: skip
async def list_(call: Call, given: ListGroups) -> Page[Group]:
    """List groups in order of address."""
    domain, office = await reading.narrowed(call, given.domain, given.office)
    after, store = key_of(given.cursor), call.desk.store
    if given.member is None:
        rows = await store.groups(domain=domain, office=office, after=after, limit=given.limit + 1)
        return reading.as_page(rows, given.limit, lambda row: row.address, _shown)
    member = words.own_address(given.member, "member")
    names = [each for each in sorted(await store.groups_of(member)) if each > after]
    found: list[GroupRow] = []
    for name in names:
        if len(found) > given.limit:
            break
        row = await store.group(name)
        if row is not None and await _is_within(call, name, domain, office):
            found.append(row)
    return reading.as_page(found, given.limit, lambda row: row.address, _shown)


@operation(
    "group", "remove", rule=Rule(Role.DOMAIN, on_address()), http="DELETE /groups/{address}", effect=Effect.DESTROY,
    arguments=("address",),
)  # fmt: skip
async def remove(call: Call, given: OneGroup) -> Nothing:
    """Remove a group; its members stay what they are."""
    old = await reading.group_row(call, given.address)
    await call.commit(
        RemoveGroup(address=old.address, if_revision=call.if_revision),
        subject=subject_of("group", old.address),
        before=_told(old) | await _listed_members(call, old),
        place=await reading.place_of(call, old.address),
    )
    return Nothing()


@operation(
    "group", "members", rule=Rule(Role.DOMAIN, on_address()), http="GET /groups/{address}/members",
    arguments=("address",),
)  # fmt: skip
async def members(call: Call, given: ListMembers) -> Page[Member]:
    """List the members of a group in order of address."""
    row = await reading.group_row(call, given.address)
    rows = await call.desk.store.members(row.address, after=key_of(given.cursor), limit=given.limit + 1)
    return reading.as_page(rows, given.limit, str, lambda each: Member(address=each))


@operation(
    "group", "add-member", rule=Rule(Role.DOMAIN, on_address()), http="POST /groups/{address}/members",
    effect=Effect.CHANGE, arguments=("address", "members"),
)  # fmt: skip
async def add_member(call: Call, given: MembersOf) -> Group:
    """Add members to a group; who is in it already stays."""
    old = await reading.group_row(call, given.address)
    added = _members(old.address, given.members)
    return await _change_members(call, old, ChangeMembers(group=old.address, add=added), {"added": list(added)})


@operation(
    "group", "remove-member", rule=Rule(Role.DOMAIN, on_address()), http="POST /groups/{address}/members/remove",
    effect=Effect.CHANGE, arguments=("address", "members"),
)  # fmt: skip
async def remove_member(call: Call, given: MembersOf) -> Group:
    """Take members out of a group; who is not in it is passed over."""
    old = await reading.group_row(call, given.address)
    gone = _members(old.address, given.members)
    return await _change_members(call, old, ChangeMembers(group=old.address, remove=gone), {"removed": list(gone)})


async def _change_members(call: Call, old: GroupRow, change: ChangeMembers, told: dict[str, Any]) -> Group:
    before = await _listed_members(call, old)
    count = await call.commit(
        change,
        subject=subject_of("group", old.address),
        before=before,
        after=told if "members" not in before else {"members": _after(before["members"], change)},
        place=await reading.place_of(call, old.address),
    )
    row = await call.desk.store.group(old.address) if not call.dry_run else None
    return _shown(row or replace(old, members=count if isinstance(count, int) else old.members))


async def _listed_members(call: Call, row: GroupRow) -> dict[str, Any]:
    """Return who is in a group, for the audit log; nothing where the list would be too long for it."""
    if row.members > _TRACED:
        return {}
    return {"members": await call.desk.store.members(row.address, limit=_TRACED)}


def _after(members: Sequence[str], change: ChangeMembers) -> list[str]:
    kept = set() if change.replace else set(members) - set(change.remove)
    return sorted(kept | set(change.add))


async def _put(call: Call, old: GroupRow | None, new: GroupRow, added: tuple[str, ...] = ()) -> Group:
    home = await reading.home_of(call, new.address)
    changes: list[Change] = [
        PutGroup(
            address=new.address,
            display_name=new.display_name,
            note=new.note,
            senders=new.senders,
            listed=new.listed,
            disabled=new.disabled,
            must_be_new=old is None,
            if_revision=call.if_revision,
            ceilings=limits.ceilings(call.desk.settings, home),
        )
    ]
    if added:
        changes.append(ChangeMembers(group=new.address, add=added))
    await call.commit(
        *changes,
        subject=subject_of("group", new.address),
        before=_told(old) if old is not None else None,
        after=_told(new) | ({"added": list(added)} if added else {}),
        place=(home.office, home.name),
    )
    return _shown((await call.desk.store.group(new.address) if not call.dry_run else None) or new)


def _members(group: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return members as the directory would know them, each once. Raises Refused."""
    found = dict.fromkeys(_member(each) for each in given)
    if group in found:
        raise Refused(f"the group {group} would contain itself", "Leave it out.", field="members")
    return tuple(found)


def _member(text: str) -> str:
    return words.own_address(text, "members")


def _listed(given: Sequence[str]) -> tuple[str, ...]:
    """Return addresses and domains, folded, each once. Raises Refused."""
    return tuple(
        dict.fromkeys(
            words.own_address(each, "listed") if "@" in each else words.domain_name(each, "listed") for each in given
        )
    )


async def _is_within(call: Call, address: str, domain: str | None, office: str | None) -> bool:
    name = address.rpartition("@")[2]
    if domain is not None and name != domain:
        return False
    if office is None:
        return True
    row = await call.desk.store.domain(name)
    return row is not None and row.office == office


def _shown(row: GroupRow) -> Group:
    return Group(
        address=row.address,
        name=row.display_name,
        senders=row.senders,
        listed=list(row.listed),
        members=row.members,
        note=row.note,
        disabled=row.disabled,
        revision=row.revision,
    )


def _told(row: GroupRow) -> dict[str, Any]:
    return _shown(row).model_dump(mode="json", exclude={"revision"})


OPERATIONS = (add, set_, show, list_, remove, members, add_member, remove_member)
