"""Domains, accounts, aliases and routes: add, change, remove, show.

Invariants: what a person wrote is checked before anything is written; each method is one commit. Policy about who may
administer what comes with roles. Tests: ``tests/unit/services/administration/test_directory_administration.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused
from posthouse.services.identity.passwords import hash_password
from posthouse.store.contract import AlreadyExists, NotAllowed, Store, Vanished
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, RouteRow
from posthouse.store.directory_values import (
    AccountState,
    Level,
    PutAccount,
    PutAlias,
    PutDomain,
    PutRoute,
    RemoveAccount,
    RemoveAlias,
    RemoveDomain,
    RemoveRoute,
)
from posthouse.store.rows import Usage
from posthouse.store.values import Change

TLS_POLICIES = ("none", "may", "must")
WILDCARD = "*"


class DirectoryAdministration:
    """The directory, as an administrator changes it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- domains ------------------------------------------------------------------------------------------------

    async def add_domain(self, name: str, *, alias_of: str = "", catch_all: str = "") -> DomainRow:
        """Add a domain, or an alias domain of another. Raises Refused."""
        domain = words.domain_name(name)
        canonical = words.domain_name(alias_of) if alias_of else ""
        if canonical and await self._domain(canonical) is not None and canonical == domain:
            raise Refused(f"{domain} cannot be an alias of itself")
        await self._write(
            PutDomain(name=domain, alias_of=canonical, catch_all=_catch_all(catch_all)),
            exists=f"the domain {domain} exists already",
            missing=f"the domain {canonical} does not exist, so {domain} cannot be an alias of it",
        )
        return await self.show_domain(domain)

    async def set_domain(
        self, name: str, *, alias_of: str | None = None, catch_all: str | None = None, disabled: bool | None = None
    ) -> DomainRow:
        """Change a domain; None leaves a property as it is. Raises Refused."""
        old = await self.show_domain(name)
        await self._write(
            PutDomain(
                name=old.name,
                alias_of=old.alias_of if alias_of is None else (words.domain_name(alias_of) if alias_of else ""),
                catch_all=old.catch_all if catch_all is None else _catch_all(catch_all),
                disabled=old.disabled if disabled is None else disabled,
                must_be_new=False,
            ),
            missing=f"the domain {alias_of} does not exist",
        )
        return await self.show_domain(old.name)

    async def show_domain(self, name: str) -> DomainRow:
        """Return a domain. Raises Refused: where there is none of that name."""
        row = await self._domain(words.domain_name(name))
        if row is None:
            raise Refused(f"there is no domain {name}", "`posthouse domain list` shows those there are.")
        return row

    async def remove_domain(self, name: str) -> None:
        """Remove a domain that has nothing in it. Raises Refused."""
        await self._write(RemoveDomain(name=words.domain_name(name)), missing=f"there is no domain {name}")

    async def domains(self) -> list[DomainRow]:
        """Return all domains in order of name."""
        return await self._store.domains()

    # -- accounts -----------------------------------------------------------------------------------------------

    async def add_account(
        self, address: str, *, password: bytes | None, name: str = "", quota: str = "0", is_admin: bool = False
    ) -> AccountRow:
        """Add an account with its mailboxes; no password means that nobody can sign in yet. Raises Refused."""
        own = words.own_address(address)
        encoded = await self._hash(password) if password is not None else ""
        await self._write(
            PutAccount(
                address=own,
                password_hash=encoded,
                display_name=name,
                quota_bytes=words.size(quota),
                level=Level.SERVER if is_admin else Level.USER,
            ),
            exists=f"{own} exists already, as an account or an alias",
            missing=f"the domain of {own} does not exist; add it first: posthouse domain add {own.rpartition('@')[2]}",
        )
        return await self.show_account(own)

    async def set_account(
        self,
        address: str,
        *,
        password: bytes | None = None,
        name: str | None = None,
        quota: str | None = None,
        is_admin: bool | None = None,
        disabled: bool | None = None,
    ) -> AccountRow:
        """Change an account; None leaves a property as it is. Raises Refused."""
        old = await self.show_account(address)
        await self._write(
            PutAccount(
                address=old.address,
                password_hash=await self._hash(password) if password is not None else None,
                display_name=name,
                quota_bytes=words.size(quota) if quota is not None else None,
                level=None if is_admin is None else (Level.SERVER if is_admin else Level.USER),
                state=None if disabled is None else (AccountState.DISABLED if disabled else AccountState.ACTIVE),
                must_be_new=False,
            )
        )
        return await self.show_account(old.address)

    async def show_account(self, address: str) -> AccountRow:
        """Return an account. Raises Refused: where there is none at that address."""
        own = words.own_address(address)
        row = await self._store.account(own)
        if row is None:
            raise Refused(f"there is no account {own}", "`posthouse account list` shows those there are.")
        return row

    async def usage(self, account: AccountRow) -> Usage:
        """Return what an account uses."""
        return await self._store.usage(account.id) or Usage(0, 0, account.quota_bytes)

    async def remove_account(self, address: str) -> None:
        """Remove an account with all its mail. Raises Refused."""
        old = await self.show_account(address)
        await self._write(RemoveAccount(address=old.address), missing=f"there is no account {old.address}")

    async def accounts(self, domain: str = "") -> list[AccountRow]:
        """Return all accounts, of one domain or all, in order of address."""
        name = words.domain_name(domain) if domain else ""
        return await _all(lambda after: self._store.accounts(domain=name, after=after))

    # -- aliases ------------------------------------------------------------------------------------------------

    async def add_alias(self, address: str, targets: tuple[str, ...]) -> AliasRow:
        """Add an alias that leads to one or many addresses, local or remote. Raises Refused."""
        return await self._put_alias(address, targets, must_be_new=True)

    async def set_alias(self, address: str, targets: tuple[str, ...]) -> AliasRow:
        """Replace the targets of an alias. Raises Refused."""
        await self.show_alias(address)
        return await self._put_alias(address, targets, must_be_new=False)

    async def _put_alias(self, address: str, targets: tuple[str, ...], *, must_be_new: bool) -> AliasRow:
        own = words.own_address(address)
        if not targets:
            raise Refused(f"the alias {own} needs at least one target")
        checked = tuple(dict.fromkeys(str(words.mail_address(target)) for target in targets))
        if checked == (own,):
            raise Refused(f"the alias {own} would lead to itself")
        await self._write(
            PutAlias(address=own, targets=checked, must_be_new=must_be_new),
            exists=f"{own} exists already, as an account or an alias",
            missing=f"the domain of {own} does not exist; add it first: posthouse domain add {own.rpartition('@')[2]}",
        )
        return AliasRow(own, checked)

    async def show_alias(self, address: str) -> AliasRow:
        """Return an alias. Raises Refused."""
        own = words.own_address(address)
        row = await self._store.alias(own)
        if row is None:
            raise Refused(f"there is no alias {own}", "`posthouse alias list` shows those there are.")
        return row

    async def remove_alias(self, address: str) -> None:
        """Remove an alias. Raises Refused."""
        row = await self.show_alias(address)
        await self._write(RemoveAlias(address=row.address), missing=f"there is no alias {row.address}")

    async def aliases(self, domain: str = "") -> list[AliasRow]:
        """Return all aliases, of one domain or all, in order of address."""
        name = words.domain_name(domain) if domain else ""
        return await _all(lambda after: self._store.aliases(domain=name, after=after))

    # -- routes -------------------------------------------------------------------------------------------------

    async def put_route(
        self,
        domain: str,
        *,
        host: str,
        port: int = 25,
        tls: str = "may",
        recipients_local: bool = False,
        mx_lookup: bool = False,
        must_be_new: bool = True,
    ) -> RouteRow:
        """Add or change the next hop of a domain, of ``.domain`` (what is below it) or of ``*`` (smart host)."""
        key = _route_key(domain)
        if recipients_local and key == WILDCARD:
            raise Refused(
                "--recipients-local on the smart host would make this an open relay",
                "Add a route with it for each domain that strangers may send to.",
            )
        if tls not in TLS_POLICIES:
            raise Refused(f"{tls!r} is not a TLS policy", f"Choose one of {', '.join(TLS_POLICIES)}.")
        if not 1 <= port <= 65535:
            raise Refused(f"{port} is not a port", "Ports are 1 to 65535; SMTP is 25.")
        row = RouteRow(key, words.host_name(host), port, tls, recipients_local, mx_lookup)
        await self._write(
            PutRoute(
                domain=row.domain,
                host=row.host,
                port=port,
                tls=tls,
                recipients_local=recipients_local,
                mx_lookup=mx_lookup,
                must_be_new=must_be_new,
            ),
            exists=f"there is a route for {key} already; change it with `posthouse route set {key}`",
        )
        return row

    async def show_route(self, domain: str) -> RouteRow:
        """Return a route. Raises Refused."""
        key = _route_key(domain)
        for row in await self._store.routes():
            if row.domain == key:
                return row
        raise Refused(f"there is no route for {key}", "`posthouse route list` shows those there are.")

    async def remove_route(self, domain: str) -> None:
        """Remove a route. Raises Refused."""
        row = await self.show_route(domain)
        await self._write(RemoveRoute(domain=row.domain), missing=f"there is no route for {row.domain}")

    async def routes(self) -> list[RouteRow]:
        """Return all routes in order of domain."""
        return await self._store.routes()

    # -- common -------------------------------------------------------------------------------------------------

    async def _domain(self, name: str) -> DomainRow | None:
        return await self._store.domain(name)

    async def _hash(self, secret: bytes) -> str:
        bare = words.password(secret)
        return await asyncio.get_running_loop().run_in_executor(None, hash_password, bare)

    async def _write(self, change: Change, *, exists: str = "", missing: str = "") -> Any:
        try:
            return await self._store.commit(change)
        except AlreadyExists as fault:
            raise Refused(exists or fault.detail) from None
        except Vanished as fault:
            raise Refused(missing or fault.detail) from None
        except NotAllowed as fault:
            raise Refused(fault.detail) from None


def _catch_all(text: str) -> str:
    return str(words.mail_address(text)) if text else ""


def _route_key(text: str) -> str:
    bare = text.strip()
    if bare == WILDCARD:
        return WILDCARD
    if bare.startswith("."):
        return "." + words.domain_name(bare[1:])
    return words.domain_name(bare)


async def _all(page: Callable[[str], Coroutine[Any, Any, list[Any]]]) -> list[Any]:
    rows: list[Any] = []
    while True:
        batch = await page(rows[-1].address if rows else "")
        if not batch:
            return rows
        rows.extend(batch)
