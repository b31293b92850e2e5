"""What an address means: domains, alias domains, accounts, aliases, plus-addressing, postmaster, catch-all, routes.

Answers are cached by address in each worker. The cache is dropped whole when the store says that the directory
changed, and once a second the store's version is compared, so that a lost notice costs a second. Addresses nobody
has are remembered for a few seconds only, so that a guesser does not push the real ones out for long.

RFC 5321 §4.5.1 (postmaster always exists), §2.3.11 (local parts belong to their domain: ours fold case), RFC 3464 §2
(an answer to a report reaches a person).
Invariant: ``resolve`` never suspends on an embedded store. Not here: following an alias to its end
(``routing.router``), policy (``reception``). Tests: ``tests/unit/services/identity/test_directory.py``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from posthouse.config.definitions.address import DEFAULT_DOMAIN, EXTENSION_DELIMITER
from posthouse.config.settings import Settings
from posthouse.core.address import Address
from posthouse.core.clock import Clock
from posthouse.services.identity.resolution import (
    NOT_OURS,
    UNKNOWN_USER,
    AliasTargets,
    CatchAll,
    Disabled,
    LocalAccount,
    RelayDomain,
    Resolution,
)
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, DomainRow, RouteRow

CACHE_SIZE: Final = 20_000  # addresses; about 500 octets each
UNKNOWN_SECONDS: Final = 5.0
VERSION_SECONDS: Final = 1.0
ALIAS_DOMAIN_HOPS: Final = 4
POSTMASTER: Final = "postmaster"
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
        self._routes: dict[str, RouteRow] | None = None
        self._version = -1
        self._check_at = 0.0
        self._unsubscribe = store.notices.on_directory(self.forget)

    def close(self) -> None:
        """Stop listening to the store."""
        self._unsubscribe()

    def forget(self) -> None:
        """Drop everything remembered; the next question reads the store."""
        self._addresses.clear()
        self._domains.clear()
        self._routes = None
        self._check_at = 0.0

    async def resolve(self, address: Address) -> Resolution:
        """Return what an address means now. Raises Unavailable where the store cannot be read."""
        now = self._clock.monotonic()
        if now >= self._check_at:
            await self._check_version(now)
        known = self._addresses.get(address)
        if known is not None and known[1] > now:
            return known[0]
        resolution = await self._look_up(address)
        self._remember(address, resolution, now)
        return resolution

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
        """Return the domain of addresses without one: the setting, else the first domain that was made, else ""."""
        name = self._settings.get(DEFAULT_DOMAIN)
        if name:
            return name
        rows = [row for row in await self._store.domains() if not row.alias_of and not row.disabled]
        return min(rows, key=lambda row: row.id).name if rows else ""

    # -- cache --------------------------------------------------------------------------------------------------

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
        name = local_part.lower()
        exact = await self._at(f"{name}@{domain.name}", "")
        if exact is not None:
            return exact
        delimiter = self._settings.get(EXTENSION_DELIMITER, domain=domain.name)
        cut = name.find(delimiter, 1) if delimiter else -1
        if cut > 0:
            base = await self._at(f"{name[:cut]}@{domain.name}", local_part[cut:])
            if base is not None:
                return base
        if name == POSTMASTER:
            return await self._postmaster(domain)
        if name in HOST_NAMES and domain.name == self._hostname:
            return await self._local(POSTMASTER, domain)
        return CatchAll(domain.catch_all) if domain.catch_all else UNKNOWN_USER

    async def _at(self, key: str, detail: str) -> Resolution | None:
        """What is at a folded address: an account or an alias; ``detail`` is what plus-addressing cut off."""
        account = await self._store.account(key)
        if account is not None:
            return Disabled("account") if account.disabled else LocalAccount(account, _with_detail(account, detail))
        alias = await self._store.alias(key)
        return AliasTargets(alias.targets) if alias is not None else None

    async def _postmaster(self, domain: DomainRow) -> Resolution:
        """Whoever answers for a domain that named nobody: its first administrator, else the house's."""
        for scope in (domain.name, ""):
            account = await self._first_admin(scope)
            if account is not None:
                return LocalAccount(account, account.address)
        return CatchAll(domain.catch_all) if domain.catch_all else UNKNOWN_USER

    async def _first_admin(self, domain: str) -> AccountRow | None:
        after = ""
        while rows := await self._store.accounts(domain=domain, after=after):
            for row in rows:
                if row.is_admin and not row.disabled:
                    return row
            after = rows[-1].address
        return None


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
