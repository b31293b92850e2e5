"""Operations on shared mailboxes: accounts nobody signs in as, which members reach with the rights they were granted.

They receive like accounts, count as accounts and are removed like accounts; a member is an account or a group of ours,
within the caller's reach. Tests: ``tests/unit/services/administration/operations/test_shared_operations.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field

from posthouse.services.administration import limits, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.fields import AddressText, NameText, NoteText, Octets, OfficeText, Size
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
from posthouse.services.administration.operations import account_stages, reading
from posthouse.services.administration.operations.account_models import Account, RemoveInput, account_fields, as_account
from posthouse.services.administration.writing import put_account, subject_of
from posthouse.services.identity.defaults import quota_of
from posthouse.store.directory_rows import AccountRow, ShareRow
from posthouse.store.directory_values import AccountKind, AccountState, PutShare, RemoveShare, ShareRight
from posthouse.store.rows import Usage


class OneShared(Input):
    """A shared mailbox."""

    address: AddressText = Field(description="Its address.")


class AddShared(OneShared):
    """A new shared mailbox."""

    name: NameText = Field("", description="The name that people see.")
    note: NoteText = Field("", description="A note for administrators.")
    quota: Size | None = Field(None, description="How much mail it may keep, such as 2G; 0 means any amount.")


class SetShared(OneShared):
    """Changes of a shared mailbox; what is not given stays."""

    name: NameText | None = Field(None, description="The name that people see.")
    note: NoteText | None = Field(None, description="A note for administrators.")
    quota: Size | None = Field(None, description="How much mail it may keep, such as 2G; 0 means any amount.")
    disabled: bool | None = Field(None, description="Mail for it is refused, and nobody reads it.")


class ListShared(PageInput):
    """Which shared mailboxes."""

    domain: str | None = Field(None, max_length=1_000, description="Only those of this domain.")
    office: OfficeText | None = Field(None, description='Only those of this post office; "" is the server\'s own.')


class OneShare(OneShared):
    """A member of a shared mailbox."""

    member: AddressText = Field(description="The address of an account or a group.")


class GrantShare(OneShare):
    """The rights of a member."""

    right: ShareRight = Field(
        ShareRight.READ, description="read; write: also file, flag and delete; manage: also make and remove folders."
    )
    send_as: bool = Field(False, description="The member sends with the mailbox's address as the author.")
    send_on_behalf: bool = Field(False, description="The member sends for it, named as the sender.")


class Share(Output):
    """The rights of a member in a shared mailbox."""

    address: str = Field(description="The shared mailbox.")
    member: str = Field(description="The account or group.")
    right: ShareRight = Field(description="What the member may do.")
    send_as: bool = Field(description="Whether the member sends with the mailbox's address as the author.")
    send_on_behalf: bool = Field(description="Whether the member sends for it, named as the sender.")


class Shared(Account):
    """A shared mailbox with its members."""

    shares: list[Share] = Field(description="The rights of its members.")
    used: Octets = Field(description="How much mail it keeps, in octets.")
    messages: int = Field(description="How many messages it keeps.")


@operation(
    "shared", "add", rule=Rule(Role.DOMAIN, on_address()), http="POST /shared", effect=Effect.CHANGE,
    arguments=("address",),
)  # fmt: skip
async def add(call: Call, given: AddShared) -> Account:
    """Add a shared mailbox; grant members rights in it with `shared grant`."""
    address = words.own_address(given.address, "address")
    home = await reading.home_of(call, address)
    await reading.refuse_taken(call, address)
    settings = call.desk.settings
    quota = given.quota if given.quota is not None else quota_of(settings, home.name)
    limits.check_quota(settings, home, quota)
    row = AccountRow(
        id=limits.NEW_ACCOUNT,
        address=address,
        kind=AccountKind.SHARED,
        display_name=words.line(given.name, field="name"),
        note=words.line(given.note, field="note"),
        quota_bytes=quota,
        created=call.desk.clock.now(),
        revision=1,
    )
    return as_account(await put_account(call, None, row, limits.ceilings(settings, home)))


@operation(
    "shared", "set", rule=Rule(Role.DOMAIN, on_address()), http="PATCH /shared/{address}", effect=Effect.CHANGE,
    arguments=("address",),
)  # fmt: skip
async def set_(call: Call, given: SetShared) -> Account:
    """Change a shared mailbox."""
    old = await reading.shared_row(call, given.address)
    home = await reading.home_of(call, old.address)
    changes: dict[str, Any] = {}
    if given.name is not None:
        changes["display_name"] = words.line(given.name, field="name")
    if given.note is not None:
        changes["note"] = words.line(given.note, field="note")
    if given.quota is not None and given.quota != old.quota_bytes:
        limits.check_quota(call.desk.settings, home, given.quota)
        changes["quota_bytes"] = given.quota
    if given.disabled is not None:
        account_stages.check_state(call, old, disabling=given.disabled)
        changes["state"] = AccountState.DISABLED if given.disabled else AccountState.ACTIVE
    row = replace(old, **changes)
    return as_account(await put_account(call, old, row, limits.ceilings(call.desk.settings, home)))


@operation("shared", "show", rule=Rule(Role.DOMAIN, on_address()), http="GET /shared/{address}", arguments=("address",))
async def show(call: Call, given: OneShared) -> Shared:
    """Show a shared mailbox with the rights of its members."""
    row = await reading.shared_row(call, given.address)
    usage = await call.desk.store.usage(row.id) or Usage(0, 0, row.quota_bytes)
    shares = [_shown(each) for each in await call.desk.store.shares(account=row.address)]
    return Shared.model_validate(
        account_fields(row) | {"shares": shares, "used": usage.octets, "messages": usage.messages}
    )


@operation(
    "shared", "list", rule=Rule(Role.DOMAIN, on_own()), http="GET /shared",
    columns=("address", "name", "quota", "state"),
)  # fmt: skip
async def list_(call: Call, given: ListShared) -> Page[Account]:
    """List shared mailboxes in order of address."""
    domain, office = await reading.narrowed(call, given.domain, given.office)
    rows = await call.desk.store.accounts(
        domain=domain, office=office, kind=AccountKind.SHARED, after=key_of(given.cursor), limit=given.limit + 1
    )
    return reading.as_page(rows, given.limit, lambda row: row.address, as_account)


@operation(
    "shared", "remove", rule=Rule(Role.DOMAIN, on_address()), http="DELETE /shared/{address}", effect=Effect.DESTROY,
    arguments=("address",),
)  # fmt: skip
async def remove(call: Call, given: RemoveInput) -> Nothing:
    """Remove a shared mailbox; within the hold time `account restore` brings it back."""
    await account_stages.remove_row(call, await reading.shared_row(call, given.address), now=given.now)
    return Nothing()


@operation(
    "shared", "grant", rule=Rule(Role.DOMAIN, on_address()), http="PUT /shared/{address}/shares/{member}",
    effect=Effect.CHANGE, arguments=("address", "member"),
)  # fmt: skip
async def grant(call: Call, given: GrantShare) -> Share:
    """Give a member rights in a shared mailbox, in place of those the member had."""
    row = await reading.shared_row(call, given.address)
    member = await _member(call, given.member)
    share = ShareRow(row.address, member, given.right, given.send_as, given.send_on_behalf)
    old = await _share(call, row, member)
    await call.commit(
        PutShare(
            account=row.address,
            member=member,
            right=given.right,
            send_as=given.send_as,
            send_on_behalf=given.send_on_behalf,
        ),
        subject=subject_of("shared", row.address),
        before=_shown(old).model_dump(mode="json") if old is not None else None,
        after=_shown(share).model_dump(mode="json"),
        place=await reading.place_of(call, row.address),
    )
    return _shown(share)


@operation(
    "shared", "revoke", rule=Rule(Role.DOMAIN, on_address()), http="DELETE /shared/{address}/shares/{member}",
    effect=Effect.CHANGE, arguments=("address", "member"),
)  # fmt: skip
async def revoke(call: Call, given: OneShare) -> Nothing:
    """Take a member's rights in a shared mailbox away."""
    row = await reading.shared_row(call, given.address)
    member = words.own_address(given.member, "member")
    old = await _share(call, row, member)
    if old is None:
        raise reading.missing(f"share of {member} in {row.address}", "`posthouse shared show` names them.", "member")
    await call.commit(
        RemoveShare(account=row.address, member=member),
        subject=subject_of("shared", row.address),
        before=_shown(old).model_dump(mode="json"),
        place=await reading.place_of(call, row.address),
    )
    return Nothing()


async def _member(call: Call, text: str) -> str:
    """Return the first address of an account or the address of a group, within the caller's reach. Raises Refused."""
    address, store = words.own_address(text, "member"), call.desk.store
    await reading.within_reach(call, address)
    account = await store.account(address)
    if account is not None:
        await reading.within_reach(call, account.address, address)
        return account.address
    if await store.group(address) is not None:
        return address
    raise reading.missing(f"account or group {address}", "Members are accounts and groups of ours.", "member")


async def _share(call: Call, row: AccountRow, member: str) -> ShareRow | None:
    return next((each for each in await call.desk.store.shares(account=row.address) if each.member == member), None)


def _shown(row: ShareRow) -> Share:
    return Share(
        address=row.account,
        member=row.member,
        right=row.right,
        send_as=row.send_as,
        send_on_behalf=row.send_on_behalf,
    )


OPERATIONS = (add, set_, show, list_, remove, grant, revoke)
