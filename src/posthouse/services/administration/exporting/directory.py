"""The directory as rows with chosen fields: accounts, domains, aliases, groups, in order of name.

The names of fields are those that the CSV reader of ``importing`` knows, so that what is taken out can be brought in.
Tests: ``tests/unit/services/administration/exporting/test_export_directory.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from posthouse.services.administration.faults import Refused
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, GroupRow
from posthouse.store.directory_values import AccountState

PAGE: Final = 1_000
ACCOUNTS: Final = (
    *("address", "name", "given_name", "family_name", "quota", "quota_messages", "level", "disabled"),
    *("sign_in_disabled", "office", "aliases", "groups", "kind", "state", "language", "source", "note", "used"),
    *("messages", "password_hash"),
)
ACCOUNTS_USUAL: Final = ACCOUNTS[:9]
DOMAINS: Final = (
    *("name", "office", "alias_of", "catch_all", "postmaster", "abuse", "disabled", "accounts", "aliases", "groups"),
    *("quota", "note"),
)
ALIASES: Final = ("address", "targets", "kind", "disabled", "note")
GROUPS: Final = ("address", "name", "members", "senders", "listed", "disabled", "note")
FIELDS: Final = {"accounts": ACCOUNTS, "domains": DOMAINS, "aliases": ALIASES, "groups": GROUPS}
USUAL: Final = {"accounts": ACCOUNTS_USUAL, "domains": DOMAINS, "aliases": ALIASES, "groups": GROUPS}
SECRET_FIELDS: Final = frozenset({"password_hash"})


class _Addressed(Protocol):
    @property
    def address(self) -> str: ...


R = TypeVar("R", bound=_Addressed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What of the directory is taken out; None for all."""

    office: str | None = None
    domain: str | None = None


def chosen_fields(kind: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of an export, the usual ones where none are named. Raises Refused: for one there is not."""
    known = FIELDS[kind]
    for name in wanted:
        if name not in known:
            raise Refused(f"{kind} have no field {name}", f"There are: {', '.join(known)}.", field="fields")
    return tuple(dict.fromkeys(wanted)) or USUAL[kind]


async def rows_of(
    store: Store, kind: str, fields: Collection[str], narrowed: Narrowed
) -> AsyncIterator[dict[str, Any]]:
    """Yield the rows of a kind with at least the fields asked for."""
    office, domain = narrowed.office, narrowed.domain
    if kind == "accounts":
        offices = {row.name: row.office for row in await store.domains(office=office)} if "office" in fields else {}
        async for row in _paged(lambda after: store.accounts(domain=domain, office=office, after=after, limit=PAGE)):
            yield await _account(store, row, fields) | {"office": offices.get(row.address.rpartition("@")[2], "")}
    elif kind == "domains":
        for domain_row in await store.domains(office=office):
            if domain in {None, domain_row.name, domain_row.alias_of}:
                yield _domain(domain_row)
    elif kind == "aliases":
        async for alias in _paged(lambda after: store.aliases(domain=domain, office=office, after=after, limit=PAGE)):
            yield _alias(alias)
    else:
        async for group in _paged(lambda after: store.groups(domain=domain, office=office, after=after, limit=PAGE)):
            yield await _group(store, group, fields)


async def _paged(page: Callable[[str], Awaitable[list[R]]]) -> AsyncIterator[R]:
    after = ""
    while rows := await page(after):
        for row in rows:
            yield row
        after = rows[-1].address


async def _account(store: Store, row: AccountRow, fields: Collection[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "address": row.address,
        "name": row.display_name,
        "given_name": row.given_name,
        "family_name": row.family_name,
        "quota": row.quota_bytes,
        "quota_messages": row.quota_messages,
        "level": row.level.value,
        "disabled": row.disabled,
        "sign_in_disabled": row.state is AccountState.SIGN_IN_DISABLED,
        "kind": row.kind.value,
        "state": row.state.value,
        "language": row.language,
        "source": row.source,
        "note": row.note,
        "password_hash": row.password_hash,
    }
    if "aliases" in fields:
        values["aliases"] = await store.addresses(row.id)
    if "groups" in fields:
        values["groups"] = await store.groups_of(row.address)
    if "used" in fields or "messages" in fields:
        usage = await store.usage(row.id)
        values["used"], values["messages"] = (usage.octets, usage.messages) if usage else (0, 0)
    return values


def _domain(row: DomainRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "office": row.office,
        "alias_of": row.alias_of,
        "catch_all": row.catch_all,
        "postmaster": row.postmaster,
        "abuse": row.abuse,
        "disabled": row.own_disabled,
        "accounts": row.accounts,
        "aliases": row.aliases,
        "groups": row.groups,
        "quota": row.quota,
        "note": row.note,
    }


def _alias(row: AliasRow) -> dict[str, Any]:
    return {
        "address": row.address,
        "targets": list(row.targets),
        "kind": row.kind.value,
        "disabled": row.disabled,
        "note": row.note,
    }


async def _group(store: Store, row: GroupRow, fields: Collection[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "address": row.address,
        "name": row.display_name,
        "senders": row.senders.value,
        "listed": list(row.listed),
        "disabled": row.disabled,
        "note": row.note,
    }
    if "members" in fields:
        members: list[str] = []
        while page := await store.members(row.address, after=members[-1] if members else "", limit=PAGE):
            members += page
        values["members"] = members
    return values
