"""The state as the store holds it: every object, page by page, in the order in which objects can be made.

Rows are described by the fields of ``kinds``; a secret by its reference. ``secret_of`` gives what a reference in the
state stands for. Tests: ``tests/unit/services/administration/operations/test_snapshot_operations.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from posthouse.services.administration.state import kinds, secrets
from posthouse.services.administration.state.kinds import Fields, Key, KindOf, Shape, without_defaults
from posthouse.services.identity.sealing import Sealing
from posthouse.store.contract import Store
from posthouse.store.directory_values import AccountKind

_PAGE = 1_000
Object = tuple[Key, Fields]


def describe(kind: KindOf, row: Any, **more: Any) -> Fields:
    """Return the fields of a row that are not at their default; ``more`` are those that have values of their own."""
    fields = dict(more)
    for name, of in kind.fields.items():
        if of.name:
            value = getattr(row, of.name)
            fields[name] = secrets.reference(value) if of.shape is Shape.SECRET else of.of_row(value)
    return without_defaults(kind, fields)


async def objects(store: Store) -> AsyncIterator[Object]:
    """Yield every object. What changes meanwhile may be seen or not. Raises Unavailable."""
    async for each in _places(store):
        yield each
    async for each in _addresses(store):
        yield each
    async for each in _beside(store):
        yield each


async def few(store: Store) -> AsyncIterator[Object]:
    """Yield the objects of which there are few: all but accounts, aliases, groups and shares. Raises Unavailable."""
    async for each in _places(store):
        yield each
    async for each in _beside(store):
        yield each


async def _places(store: Store) -> AsyncIterator[Object]:
    async for office in _pages(lambda after: store.offices(after=after, limit=_PAGE), "name"):
        yield ("office", office.name), describe(kinds.OFFICE, office)
    # A domain comes before those that are aliases of it.
    for row in sorted(await store.domains(), key=lambda row: (row.alias_of != "", row.name)):
        yield ("domain", row.name), _domain(row)


async def _beside(store: Store) -> AsyncIterator[Object]:
    for route in await store.routes():
        yield ("route", route.domain), describe(kinds.ROUTE, route)
    for source in await store.sources():
        yield ("source", source.name), describe(kinds.SOURCE, source)
    for setting in await store.settings():
        yield ("setting", f"{setting.scope} {setting.name}"), {"value": setting.value}
    for wording in await store.wordings():
        key = f"{wording.scope} {wording.name} {wording.language}"
        yield ("wording", key), describe(kinds.WORDING, wording)


async def _addresses(store: Store) -> AsyncIterator[Object]:
    shared = []
    async for account in _pages(lambda after: store.accounts(after=after, limit=_PAGE), "address"):
        yield ("account", account.address), await _account(store, account)
        if account.kind is AccountKind.SHARED:
            shared.append(account.address)
    async for alias in _pages(lambda after: store.aliases(after=after, limit=_PAGE), "address"):
        yield ("alias", alias.address), describe(kinds.ALIAS, alias)
    async for group in _pages(lambda after: store.groups(after=after, limit=_PAGE), "address"):
        yield ("group", group.address), await _group(store, group)
    for address in shared:
        for share in await store.shares(account=address):
            yield ("share", f"{share.account} {share.member}"), describe(kinds.SHARE, share)


async def find(store: Store, key: Key) -> Fields | None:
    """Return one object, or None where there is none. Raises Unavailable."""
    kind, name = key
    return await _FINDERS[kind](store, name)


async def known_secrets(store: Store, sealing: Sealing) -> AsyncIterator[tuple[str, str]]:
    """Yield the references of all secrets with what they stand for. Raises Unavailable."""
    async for account in _pages(lambda after: store.accounts(after=after, limit=_PAGE), "address"):
        if account.password_hash:
            yield secrets.reference(account.password_hash), account.password_hash
    for route in await store.routes():
        if route.sealed_password:
            opened = sealing.open(route.sealed_password, f"route:{route.domain}")
            yield secrets.reference(route.sealed_password), secrets.OPEN + opened
    for source in await store.sources():
        if source.sealed:
            yield secrets.reference(source.sealed), secrets.OPEN + sealing.open(source.sealed, f"source:{source.name}")


async def secret_of(store: Store, key: Key) -> str:
    """Return the secret of an account, a route or a source as the store keeps it; "" where there is none."""
    kind, name = key
    if kind == "account":
        account = await store.account(name)
        return account.password_hash if account is not None else ""
    if kind == "route":
        return next((row.sealed_password for row in await store.routes() if row.domain == name), "")
    return next((row.sealed for row in await store.sources() if row.name == name), "")


def _domain(row: Any) -> Fields:
    fields = describe(kinds.DOMAIN, row)
    fields.pop("disabled", None)
    return without_defaults(kinds.DOMAIN, fields | {"disabled": row.own_disabled})


async def _account(store: Store, row: Any) -> Fields:
    return describe(kinds.ACCOUNT, row, addresses=await store.addresses(row.id))


async def _group(store: Store, row: Any) -> Fields:
    members: list[str] = []
    while batch := await store.members(row.address, after=members[-1] if members else "", limit=_PAGE):
        members.extend(batch)
    return describe(kinds.GROUP, row, members=members)


async def _find_office(store: Store, name: str) -> Fields | None:
    row = await store.office(name)
    return describe(kinds.OFFICE, row) if row is not None else None


async def _find_domain(store: Store, name: str) -> Fields | None:
    row = await store.domain(name)
    return _domain(row) if row is not None else None


async def _find_account(store: Store, name: str) -> Fields | None:
    row = await store.account(name)
    return await _account(store, row) if row is not None and row.address == name else None


async def _find_alias(store: Store, name: str) -> Fields | None:
    row = await store.alias(name)
    return describe(kinds.ALIAS, row) if row is not None else None


async def _find_group(store: Store, name: str) -> Fields | None:
    row = await store.group(name)
    return await _group(store, row) if row is not None else None


async def _find_share(store: Store, name: str) -> Fields | None:
    account, _, member = name.partition(" ")
    rows = await store.shares(account=account)
    return next((describe(kinds.SHARE, row) for row in rows if row.member == member), None)


async def _find_route(store: Store, name: str) -> Fields | None:
    return next((describe(kinds.ROUTE, row) for row in await store.routes() if row.domain == name), None)


async def _find_source(store: Store, name: str) -> Fields | None:
    return next((describe(kinds.SOURCE, row) for row in await store.sources() if row.name == name), None)


async def _find_setting(store: Store, key: str) -> Fields | None:
    scope, _, name = key.partition(" ")
    rows = await store.settings()
    return next(({"value": row.value} for row in rows if row.scope == scope and row.name == name), None)


async def _find_wording(store: Store, key: str) -> Fields | None:
    scope, name, language = key.split(" ")
    for row in await store.wordings():
        if (row.scope, row.name, row.language) == (scope, name, language):
            return describe(kinds.WORDING, row)
    return None


_FINDERS: dict[str, Callable[[Store, str], Awaitable[Fields | None]]] = {
    "office": _find_office,
    "domain": _find_domain,
    "account": _find_account,
    "alias": _find_alias,
    "group": _find_group,
    "share": _find_share,
    "route": _find_route,
    "source": _find_source,
    "setting": _find_setting,
    "wording": _find_wording,
}


async def _pages(page: Callable[[str], Awaitable[list[Any]]], key: str) -> AsyncIterator[Any]:
    after = ""
    while rows := await page(after):
        for row in rows:
            yield row
        after = getattr(rows[-1], key)
