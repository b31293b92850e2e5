"""What operations on the directory share: to find what a person named, to page, to keep within the caller's reach.

What is found by a further address is checked again by its first: nobody administers an account through an address that
it has in his domain. Tests: ``tests/unit/services/administration/operations/test_reading.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from posthouse.services.administration import access, limits, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import Output, Page, cursor_of
from posthouse.services.administration.reach import Reach, Target
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, GroupRow, OfficeRow
from posthouse.store.directory_values import AccountKind

Row = TypeVar("Row")
Item = TypeVar("Item", bound=Output)


def missing(what: str, remedy: str = "", field: str = "") -> Refused:
    """Return the refusal of what is not there."""
    return Refused(f"there is no {what}", remedy, kind=Kind.MISSING, field=field)


async def office_row(call: Call, text: str, field: str = "name") -> OfficeRow:
    """Return a post office. Raises Refused: where there is none of that name."""
    name = words.short_name(text, field)
    row = await call.desk.store.office(name)
    if row is None:
        raise missing(f"post office {name}", "`posthouse office list` shows those there are.", field)
    return row


async def domain_row(call: Call, text: str, field: str = "name") -> DomainRow:
    """Return a domain. Raises Refused: where there is none of that name."""
    name = words.domain_name(text, field)
    row = await call.desk.store.domain(name)
    if row is None:
        raise missing(f"domain {name}", "`posthouse domain list` shows those there are.", field)
    return row


async def home_of(call: Call, address: str, field: str = "address") -> DomainRow:
    """Return the domain in which something is to have an address. Raises Refused: where it cannot be there."""
    name = address.rpartition("@")[2]
    row = await call.desk.store.domain(name)
    if row is None:
        raise missing(
            f"domain {name}, so {address} cannot be made", f"Add it first: posthouse domain add {name}", field
        )
    if row.alias_of:
        same = f"{address.rpartition('@')[0]}@{row.alias_of}"
        raise Refused(f"{name} is another name of {row.alias_of}", f"Write {same}; {address} is the same.", field=field)
    return row


async def account_row(call: Call, text: str, field: str = "address") -> AccountRow:
    """Return the account at an address, within the caller's reach. Raises Refused."""
    address = words.own_address(text, field)
    row = await call.desk.store.account(await _canonical(call, address))
    if row is None:
        raise missing(f"account {address}", "`posthouse account list` shows those there are.", field)
    await within_reach(call, row.address, address)
    return row


async def shared_row(call: Call, text: str, field: str = "address") -> AccountRow:
    """Return the shared mailbox at an address, within the caller's reach. Raises Refused."""
    address = words.own_address(text, field)
    row = await call.desk.store.account(await _canonical(call, address))
    if row is None or row.kind is not AccountKind.SHARED:
        raise missing(f"shared mailbox {address}", "`posthouse shared list` shows those there are.", field)
    await within_reach(call, row.address, address)
    return row


async def alias_row(call: Call, text: str, field: str = "address") -> AliasRow:
    """Return an alias. Raises Refused."""
    address = words.own_address(text, field)
    row = await call.desk.store.alias(await _canonical(call, address))
    if row is None:
        raise missing(f"alias {address}", "`posthouse alias list` shows those there are.", field)
    return row


async def group_row(call: Call, text: str, field: str = "address") -> GroupRow:
    """Return a group. Raises Refused."""
    address = words.own_address(text, field)
    row = await call.desk.store.group(await _canonical(call, address))
    if row is None:
        raise missing(f"group {address}", "`posthouse group list` shows those there are.", field)
    return row


async def within_reach(call: Call, address: str, named: str = "") -> None:
    """Raise Refused: FORBIDDEN, unless an address is within the caller's reach.

    The refusal names what was ``named``: where a further address leads is not for everybody to know.
    """
    target = Target(Reach.ACCOUNT, address)
    if not await access.reaches(call.desk.store, call.caller, target):
        raise access.outside(Target(Reach.ACCOUNT, named or address))
    call.relied |= access.domains_of(target)


async def known_to(call: Call, addresses: Sequence[str]) -> list[str]:
    """Return those addresses that are in domains within the caller's reach; of an owner, in his own domain."""
    if call.caller.role is Role.ACCOUNT:
        return [each for each in addresses if each.rpartition("@")[2] == call.caller.domain]
    store, caller = call.desk.store, call.caller
    names = {each.rpartition("@")[2] for each in addresses}
    known = {name for name in names if await access.reaches(store, caller, Target(Reach.DOMAIN, name))}
    return [each for each in addresses if each.rpartition("@")[2] in known]


async def _refuse_part_of_above(call: Call, address: str, field: str) -> None:
    """Raise Refused: FORBIDDEN, where mail for somebody above, under a detail of his address, would go elsewhere."""
    base = limits.without_detail(call.desk.settings, address)
    row = await call.desk.store.account(base) if base else None
    if row is not None and Role.of(row.level) > call.caller.role:
        raise Refused(
            f"{address} is {base} with a detail, who administers more than you do",
            "Choose another address.",
            kind=Kind.FORBIDDEN,
            field=field,
        )


async def refuse_taken(call: Call, address: str, field: str = "address") -> None:
    """Raise Refused: EXISTS, where anything has an address; FORBIDDEN, where mail of those above would be caught.

    The store makes sure again, when it writes, that an address is free.
    """
    await _refuse_part_of_above(call, address, field)
    store = call.desk.store
    account = await store.account(address)
    if account is not None:
        is_his = await access.reaches(store, call.caller, Target(Reach.ACCOUNT, account.address))
        whose = account.address if is_his else "an account"
        what = "an account" if account.address == address else f"a further address of {whose}"
    elif await store.alias(address) is not None:
        what = "an alias"
    elif await store.group(address) is not None:
        what = "a group"
    else:
        return
    raise Refused(f"{address} exists already, as {what}", "Choose another address.", kind=Kind.EXISTS, field=field)


async def place_of(call: Call, address: str) -> tuple[str, str]:
    """Return the post office and the domain whose administrators may read of a change at an address."""
    name = address.rpartition("@")[2]
    row = await call.desk.store.domain(name)
    return (row.office if row is not None else "", name)


async def narrowed(call: Call, domain: str | None, office: str | None = None) -> tuple[str | None, str | None]:
    """Return the domain and the post office to list, from those asked for and the caller's reach. Raises Refused."""
    caller = call.caller
    wanted = words.domain_name(domain, "domain") if domain else None
    asked = words.short_name(office, "office") if office else office
    if caller.role is Role.SERVER:
        return wanted, asked
    for target in (
        Target(Reach.DOMAIN, wanted) if wanted else None,
        Target(Reach.OFFICE, asked) if asked is not None else None,
    ):
        if target is not None and not await access.reaches(call.desk.store, caller, target):
            raise access.outside(target)
    if caller.role is Role.OFFICE:
        return wanted, caller.office
    return wanted or caller.domain, None


def as_page(rows: Sequence[Row], limit: int, key: Callable[[Row], str], item: Callable[[Row], Item]) -> Page[Item]:
    """Return a page from up to ``limit`` + 1 rows; the one too many says that there is a next page."""
    shown = rows[:limit]
    return Page(
        items=[item(row) for row in shown], next=cursor_of(key(shown[-1])) if len(rows) > limit and shown else ""
    )


async def _canonical(call: Call, address: str) -> str:
    """Return an address with the domain that an alias domain stands for."""
    local_part, _, name = address.rpartition("@")
    row = await call.desk.store.domain(name)
    return f"{local_part}@{row.alias_of}" if row is not None and row.alias_of else address
