"""The TLS policy of each destination, and the name and password to sign in with there, from the routes.

Kept until the directory changes. Where several routes lead to one next hop the strictest policy wins, and the first
route with a login gives it.
Tests: ``tests/unit/services/relay/test_connect.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core.address import domain_to_ascii
from posthouse.services.identity.sealing import Sealing
from posthouse.services.queue.destination import host_destination
from posthouse.store.contract import Store
from posthouse.store.directory_rows import RouteRow


class TlsPolicy(enum.IntEnum):
    """How TLS is used towards a next hop; a greater value is stricter."""

    NONE = 0  # never: for peers whose TLS is broken
    MAY = 1  # opportunistic and unverified (RFC 7435 §3)
    MUST = 2  # never in the clear; mail waits instead


def parse_policy(word: str) -> TlsPolicy:
    """Return the policy a route names; unknown words are ``may``."""
    return TlsPolicy.__members__.get(word.upper(), TlsPolicy.MAY)


def policies_by_destination(routes: Iterable[RouteRow]) -> dict[str, TlsPolicy]:
    """Return the policy of every destination that a route leads to."""
    policies: dict[str, TlsPolicy] = {}
    for route in routes:
        key = _destination(route)
        policies[key] = max(policies.get(key, TlsPolicy.NONE), parse_policy(route.tls))
    return policies


def _destination(route: RouteRow) -> str:
    return host_destination(domain_to_ascii(route.host), route.port, by_mx=route.mx_lookup)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What to sign in with at a next hop. Never shown: ``repr`` leaves the password out."""

    login: str
    password: str = field(repr=False)


class TlsPolicies:
    """Answers from a cache; one for each courier. ``sealing`` opens the passwords; None where nobody signs in."""

    def __init__(self, store: Store, settings: Settings, sealing: Sealing | None = None) -> None:
        self._store = store
        self._settings = settings
        self._sealing = sealing
        self._kept: dict[str, TlsPolicy] | None = None
        self._logins: dict[str, RouteRow] = {}

    def forget(self) -> None:
        """The directory changed: read the routes again next time."""
        self._kept = None

    async def policy(self, destination: str) -> TlsPolicy:
        """Return the policy of a destination key."""
        found = (await self._known()).get(destination)
        return parse_policy(self._settings.get(definitions.TLS)) if found is None else found

    async def credentials(self, destination: str) -> Credentials | None:
        """Return what to sign in with at a destination. Raises Unavailable: where the password cannot be opened."""
        await self._known()
        row = self._logins.get(destination)
        if row is None or self._sealing is None:
            return None
        return Credentials(row.login, self._sealing.open(row.sealed_password, f"route:{row.domain}"))

    async def _known(self) -> dict[str, TlsPolicy]:
        if self._kept is None:
            rows = await self._store.routes()
            self._kept = policies_by_destination(rows)
            self._logins = {_destination(row): row for row in reversed(rows) if row.login}
        return self._kept
