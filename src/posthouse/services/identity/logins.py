"""Whose account a name at sign-in means, in any state: what it may do is decided after its secret was right.

    anna@example.org     an account's first or a further address; with ``auth.alias_sign_in`` an alias that leads to one
                         account and to nothing else
    anna@acme            where ``acme`` is no domain but a post office: the one account of that name in its domains
    anna                 in the domain bound to the address that the client connected to
                         (``address.domain_of_listener``), else in the default domain, else the one account of that
                         name in all our domains

A detail of plus-addressing, a catch-all or the postmaster by default is nobody's name. Where a name could be several
people's it is nobody's. Invariant: nothing here tells a stranger which of these it was.
Tests: ``tests/unit/services/identity/test_logins.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.config.definitions.address import DOMAIN_OF_LISTENER
from posthouse.config.definitions.auth import ALIAS_SIGN_IN
from posthouse.config.settings import Settings
from posthouse.core.address import Address, format_local_part, parse_address
from posthouse.core.errors import SyntaxFault
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.resolution import AliasTargets, LocalAccount
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, DomainRow

DOMAINS_FOR_SHORT_NAME: Final = 200  # where there are more, a name without a domain is not looked for in all
ALIAS_DEPTH: Final = 5
_OFFICE: Final = "office:"


class Logins:
    """Finds accounts by the names that people sign in with."""

    def __init__(self, directory: Directory, store: Store, settings: Settings) -> None:
        self._directory = directory
        self._store = store
        self._settings = settings

    async def account(self, login: str, local_address: str = "") -> AccountRow | None:
        """Return the account a name means, None where it is nobody's. Raises Unavailable.

        ``local_address`` is the address of ours that the client connected to, "" where it is not known.
        """
        if "@" in login:
            return await self._at(login)
        domain = await self.domain_of(login, local_address)
        if domain:
            account = await self._at(f"{login}@{domain}")
            if account is not None or self._bound(local_address):
                return account
        office = self._bound(local_address).removeprefix(_OFFICE)
        if office:
            return await self._only_one(
                login, await self._store.domains(office=office, limit=DOMAINS_FOR_SHORT_NAME + 1)
            )
        return await self._only_one(login, await self._store.domains(limit=DOMAINS_FOR_SHORT_NAME + 1))

    async def domain_of(self, login: str, local_address: str = "") -> str:
        """Return the domain a name is of: its own, else that of the listener, else the default one; "" for none."""
        if "@" in login:
            return login.rpartition("@")[2].lower()
        bound = self._bound(local_address)
        if bound:
            return "" if bound.startswith(_OFFICE) else bound
        return await self._directory.default_domain()

    def _bound(self, local_address: str) -> str:
        """Return the domain, or ``office:NAME``, that an address of ours is bound to; "" for none."""
        if not local_address:
            return ""
        for pair in self._settings.get(DOMAIN_OF_LISTENER):
            address, _, place = pair.rpartition("=")
            if address == local_address:
                return place.lower()
        return ""

    async def _at(self, text: str) -> AccountRow | None:
        try:
            address = parse_address(text)
        except SyntaxFault:
            return None
        domain = await self._directory.domain(address.domain)
        if domain is None:
            return await self._in_office(address)
        if domain.disabled:
            return None
        account = await self._store.account(f"{format_local_part(address.local_part.lower())}@{domain.name}")
        if account is None and self._settings.get(ALIAS_SIGN_IN, domain=domain.name):
            return await self._behind_alias(address)
        return account

    async def _in_office(self, address: Address) -> AccountRow | None:
        """The account that ``mailbox@postoffice`` means."""
        office = await self._store.office(address.domain)
        if office is None or office.disabled:
            return None
        rows = await self._store.domains(office=office.name, limit=DOMAINS_FOR_SHORT_NAME + 1)
        return await self._only_one(format_local_part(address.local_part), rows)

    async def _only_one(self, name: str, domains: list[DomainRow]) -> AccountRow | None:
        """The one account of that local part in some domains; None where there are several or none."""
        if len(domains) > DOMAINS_FOR_SHORT_NAME:
            return None
        found: dict[int, AccountRow] = {}
        for domain in domains:
            account = None if domain.disabled else await self._store.account(f"{name.lower()}@{domain.name}")
            if account is not None:
                found[account.id] = account
        return next(iter(found.values())) if len(found) == 1 else None

    async def _behind_alias(self, address: Address) -> AccountRow | None:
        """The account that an alias leads to, where it leads to nothing else."""
        for _ in range(ALIAS_DEPTH):
            meaning = await self._directory.resolve(address)
            if isinstance(meaning, LocalAccount):
                is_own = meaning.address == meaning.account.address
                return meaning.account if is_own else None
            if not isinstance(meaning, AliasTargets) or len(meaning.targets) != 1:
                return None
            try:
                address = parse_address(meaning.targets[0])
            except SyntaxFault:
                return None
        return None
