"""What an address means: an account, alias or group of a domain of ours, its postmaster, its catch-all, or a route.

Answers are cached by address in each worker. The cache is dropped whole when the store says that the directory
changed, and once a second the store's version is compared, so that a lost notice costs a second. Where changes come
faster than ``DROPS_IN_A_SECOND``, as in an import, further ones wait for that comparison: every change is seen within a
second, and mail does not pay for each. Addresses nobody has are remembered for a few seconds only, so that a guesser
does not push the real ones out for long.

RFC 5321 §4.5.1 (postmaster always exists), §2.3.11 (local parts belong to their domain: ours fold case), RFC 2142 §4
(abuse), RFC 3464 §2 (an answer to a report reaches a person).
Invariant: ``resolve`` never suspends on an embedded store. Not here: following an alias to its end
(``routing.router``), policy (``reception``). Tests: ``tests/unit/services/identity/test_directory.py``.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from typing import Final

from posthouse.config.definitions.address import DEFAULT_DOMAIN, DEFAULT_OFFICE, EXTENSION_DELIMITER
from posthouse.config.settings import Settings
from posthouse.core.address import Address, format_local_part
from posthouse.core.clock import Clock
from posthouse.services.identity.resolution import (
    NOT_OURS,
    UNKNOWN_USER,
    AliasTargets,
    CatchAll,
    Disabled,
    GroupMembers,
    LocalAccount,
    RelayDomain,
    Relocated,
    Resolution,
)
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, RouteRow
from posthouse.store.directory_values import AliasKind, Level

CACHE_SIZE: Final = 20_000  # addresses; about 500 octets each
UNKNOWN_SECONDS: Final = 5.0
VERSION_SECONDS: Final = 1.0
DROPS_IN_A_SECOND: Final = 10
MEMBERS_SIZE: Final = 200_000  # members of groups that are remembered, all groups together
ALIAS_DOMAIN_HOPS: Final = 4
ADMINISTRATORS: Final = 20  # read to find one who takes mail
POSTMASTER: Final = "postmaster"
ABUSE: Final = "abuse"
HOST_NAMES: Final = frozenset({POSTMASTER, "mailer-daemon"})  # who is always there at the name of the host
_FOREVER: Final = float("inf")


class Directory:
    """The directory as one worker sees it. ``close`` ends its interest in the store's notices."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, *, hostname: str = "") -> None:
        """``hostname`` is this server's name, which need not be a domain that has accounts."""
        self._hostname = hostname.lower()
        self._store = store
        self._clock = clock
        self._settings = settings
        self._addresses: OrderedDict[Address, tuple[Resolution, float]] = OrderedDict()
        self._domains: dict[str, DomainRow | None] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._members_held = 0
        self._routes: dict[str, RouteRow] | None = None
        self._default: tuple[str, str] | None = None
        self._version = -1
        self._check_at = 0.0
        self._drops = 0
        self._drops_from = 0.0
        self._generation = 0
        self._unsubscribe = store.notices.on_directory(self._on_change)

    def close(self) -> None:
        """Stop listening to the store."""
        self._unsubscribe()

    def forget(self) -> None:
        """Drop everything remembered; the next question reads the store."""
        self._addresses.clear()
        self._domains.clear()
        self._members.clear()
        self._members_held = 0
        self._routes = None
        self._default = None
        self._check_at = 0.0
        self._generation += 1

    async def resolve(self, address: Address) -> Resolution:
        """Return what an address means now. Raises Unavailable where the store cannot be read."""
        now = self._clock.monotonic()
        if now >= self._check_at:
            await self._check_version(now)
        known = self._addresses.get(address)
        if known is not None and known[1] > now:
            return known[0]
        generation = self._generation
        resolution = await self._look_up(address)
        if generation == self._generation:
            self._remember(address, resolution, now)
        return resolution

    async def members(self, group: str, most: int) -> tuple[str, ...]:
        """Return the members of a group, of a very large one the first ``most``. Raises Unavailable."""
        known = self._members.get(group)
        if known is not None and len(known) <= most:
            return known
        found = tuple(await self._store.members(group, limit=most))
        if self._members_held + len(found) > MEMBERS_SIZE:
            self._members.clear()
            self._members_held = 0
        if len(found) < most:
            self._members[group] = found
            self._members_held += len(found)
        return found

    async def groups_of(self, address: str) -> frozenset[str]:
        """Return the groups that an address is in, also through others. Raises Unavailable."""
        return frozenset(await self._store.groups_of(address, nested=True))

    async def domain(self, name: str) -> DomainRow | None:
        """Return the domain a name stands for, alias domains followed; None where it is not ours."""
        for _ in range(ALIAS_DOMAIN_HOPS):
            row = await self._domain_row(name)
            if row is None or row.disabled or not row.alias_of:
                return row
            name = row.alias_of
        return None

    async def route_for(self, domain: str) -> RouteRow | None:
        """Return the route of a domain: its own, its nearest ``.parent``, the smart host ``*``, or None."""
        routes = await self._all_routes()
        if not routes:
            return None
        return _nearest_route(routes, domain) or routes.get("*")

    async def default_domain(self) -> str:
        """Return the domain of addresses without one, "" for none.

        It is the one of the setting, else the first that was made: in the default post office (unset: among the
        server's own domains), or where that has none, of all.
        """
        name = self._settings.get(DEFAULT_DOMAIN)
        if name:
            return name
        office = self._settings.get(DEFAULT_OFFICE)
        if self._default is None or self._default[0] != office:
            self._default = (office, await self._first_domain(office))
        return self._default[1]

    async def _first_domain(self, office: str) -> str:
        rows = await self._store.domains(office=office) or await self._store.domains()
        serving = [row for row in rows if not row.alias_of and not row.disabled]
        return min(serving, key=lambda row: row.id).name if serving else ""

    # -- cache --------------------------------------------------------------------------------------------------

    def _on_change(self) -> None:
        """Take a notice: drop what is remembered, unless changes come so fast that the next comparison will do."""
        now = self._clock.monotonic()
        if now - self._drops_from >= VERSION_SECONDS:
            self._drops_from, self._drops = now, 0
        self._drops += 1
        if self._drops <= DROPS_IN_A_SECOND:
            self.forget()

    async def _check_version(self, now: float) -> None:
        version = await self._store.directory_version()
        if version != self._version:
            self.forget()
            self._version = version
        self._check_at = now + VERSION_SECONDS

    def _remember(self, address: Address, resolution: Resolution, now: float) -> None:
        is_lasting = not isinstance(resolution, type(UNKNOWN_USER) | type(NOT_OURS))
        self._addresses[address] = (resolution, _FOREVER if is_lasting else now + UNKNOWN_SECONDS)
        if len(self._addresses) > CACHE_SIZE:
            self._addresses.popitem(last=False)

    async def _domain_row(self, name: str) -> DomainRow | None:
        try:
            return self._domains[name]
        except KeyError:
            if len(self._domains) >= CACHE_SIZE:
                self._domains.clear()
            row = self._domains[name] = await self._store.domain(name)
            return row

    async def _all_routes(self) -> dict[str, RouteRow]:
        if self._routes is None:
            self._routes = {row.domain: row for row in await self._store.routes()}
        return self._routes

    # -- meaning ------------------------------------------------------------------------------------------------

    async def _look_up(self, address: Address) -> Resolution:
        domain = address.domain or await self.default_domain()  # bare <postmaster>, RFC 5321 §4.1.1.3
        row = await self.domain(domain)
        if row is None:
            return await self._of_the_host(address.local_part, domain) or await self._foreign(domain)
        if row.disabled:
            return Disabled("domain")
        return await self._local(address.local_part, row)

    async def _of_the_host(self, local_part: str, domain: str) -> Resolution | None:
        """The postmaster, as addressed at the name of this server: that is where our reports are from."""
        if domain != self._hostname or local_part.lower() not in HOST_NAMES:
            return None
        row = await self.domain(await self.default_domain())
        return None if row is None or row.disabled else await self._local(POSTMASTER, row)

    async def _foreign(self, domain: str) -> Resolution:
        route = _nearest_route(await self._all_routes(), domain)
        return RelayDomain(route) if route is not None and route.recipients_local else NOT_OURS

    async def _local(self, local_part: str, domain: DomainRow) -> Resolution:
        name = _folded(local_part)
        exact = await self._at(name, domain, "")
        if exact is not None:
            return exact
        delimiter = self._settings.get(EXTENSION_DELIMITER, domain=domain.name)
        cut = name.find(delimiter, 1) if delimiter else -1
        if cut > 0:
            base = await self._at(name[:cut], domain, local_part[cut:])
            if base is not None:
                return base
        if name in {POSTMASTER, ABUSE}:
            return await self._officer(name, domain)
        if name in HOST_NAMES and domain.name == self._hostname:
            return await self._local(POSTMASTER, domain)
        return CatchAll(domain.catch_all) if domain.catch_all else UNKNOWN_USER

    async def _at(self, local_part: str, domain: DomainRow, detail: str) -> Resolution | None:
        """What is at a folded local part of a domain; ``detail`` is what plus-addressing cut off."""
        key = f"{format_local_part(local_part)}@{domain.name}"
        account = await self._store.account(key)
        if account is not None:
            return Disabled("account") if account.disabled else LocalAccount(account, _with_detail(account, detail))
        alias = await self._store.alias(key)
        if alias is not None:
            return _alias(alias)
        group = await self._store.group(key)
        if group is not None:
            return Disabled("group") if group.disabled else GroupMembers(group)
        return None

    async def _officer(self, name: str, domain: DomainRow) -> Resolution:
        """Who answers for a domain where nobody has the address: whom it named, else its nearest administrator."""
        own = f"{name}@{domain.name}"
        for named in (domain.abuse, domain.postmaster) if name == ABUSE else (domain.postmaster,):
            if named and named.lower() != own:
                return AliasTargets((named,))
        account = await self._nearest_administrator(domain)
        if account is not None:
            return LocalAccount(account, account.address)
        return CatchAll(domain.catch_all) if domain.catch_all else UNKNOWN_USER

    async def _nearest_administrator(self, domain: DomainRow) -> AccountRow | None:
        """The first administrator in the domain, else of its post office, else of the server."""
        accounts = self._store.accounts
        for level in (Level.DOMAIN, Level.OFFICE, Level.SERVER):
            found = _taking_mail(await accounts(domain=domain.name, level=level, limit=ADMINISTRATORS))
            if found is not None:
                return found
        if domain.office:
            rows = await accounts(office=domain.office, level=Level.OFFICE, limit=ADMINISTRATORS)
            if (found := _taking_mail(rows)) is not None:
                return found
        return _taking_mail(await accounts(level=Level.SERVER, limit=ADMINISTRATORS))


def _folded(local_part: str) -> str:
    """Return a local part as our directory knows it: composed and in lower case (RFC 6532 §3.1)."""
    return local_part.lower() if local_part.isascii() else unicodedata.normalize("NFC", local_part).lower()


def _alias(row: AliasRow) -> Resolution:
    if row.disabled:
        return Disabled("alias")
    return Relocated(row.targets[0]) if row.kind is AliasKind.RELOCATED else AliasTargets(row.targets)


def _taking_mail(rows: list[AccountRow]) -> AccountRow | None:
    return next((row for row in rows if not row.disabled), None)


def _with_detail(account: AccountRow, detail: str) -> str:
    if not detail:
        return account.address
    local_part, _, domain = account.address.rpartition("@")
    return f"{local_part}{detail}@{domain}"


def _nearest_route(routes: dict[str, RouteRow], domain: str) -> RouteRow | None:
    """The route of a domain itself, else of its nearest parent written ``.parent``; not the smart host."""
    route = routes.get(domain)
    rest = domain
    while route is None and "." in rest:
        rest = rest[rest.index(".") + 1 :]
        route = routes.get("." + rest)
    return route
