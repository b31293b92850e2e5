"""The TLS policy of each destination, from the routes (kept until the directory changes) and the default.

Where several routes lead to one next hop the strictest policy wins.
Tests: ``tests/unit/services/relay/test_connect.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core.address import domain_to_ascii
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
        key = host_destination(domain_to_ascii(route.host), route.port, by_mx=route.mx_lookup)
        policies[key] = max(policies.get(key, TlsPolicy.NONE), parse_policy(route.tls))
    return policies


class TlsPolicies:
    """Answers from a cache; one for each courier."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._kept: dict[str, TlsPolicy] | None = None

    def forget(self) -> None:
        """The directory changed: read the routes again next time."""
        self._kept = None

    async def policy(self, destination: str) -> TlsPolicy:
        """Return the policy of a destination key."""
        if self._kept is None:
            self._kept = policies_by_destination(await self._store.routes())
        found = self._kept.get(destination)
        return parse_policy(self._settings.get(definitions.TLS)) if found is None else found
