"""Guessing of passwords: counted by what was tried, not by how often, and stopped by bans that say why.

A mail program with an old password tries the same one for weeks; a guesser tries different ones. So what is counted is
*different* wrong secrets, by network (IPv4 address, IPv6 /64, and with higher thresholds /48) and, within it, by
account; each counts for ``auth.failure_window`` after it was tried last. Passing a threshold makes a ban: a row in the
store with its reason and its end, which every worker and every administrator sees.

Never banned: the networks of ``auth.trusted_networks`` (proxies, offices behind one address), and an account from a
network where its owner was signed in before, unless that very account is guessed at from there. Ways back in: the end
of the ban, another network, an app password, ``posthouse ban remove`` (which forgets what was counted too).

While a network guesses, its secrets are checked one after the other (``turn``), so that a guesser with many
connections does not take the time of others.

Invariants: bounded memory (the networks that were silent longest are forgotten first); no secret is kept, only keyed
digests under a key of the process. Counting is each worker's own; bans are everybody's within ``BANS_SECONDS``.
RFC 4954 §6 says nothing of limits; RFC 5321 §7.8 leaves resistance to attacks to the server.
Tests: ``tests/unit/services/identity/test_guard.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from posthouse.config.definitions.auth import (
    ACCOUNT_FAILURE_LIMIT,
    BAN_TIME,
    FAILURE_LIMIT,
    FAILURE_WINDOW,
    TRUSTED_NETWORKS,
)
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.core.errors import Unavailable
from posthouse.services.identity.bans import AUTOMATIC, BANS_SECONDS, Bans
from posthouse.services.identity.networks import is_within, network_of, networks_of
from posthouse.store.contract import Store
from posthouse.store.directory_rows import BanRow
from posthouse.store.directory_values import PutBan

NETWORKS: Final = 10_000
ENTRIES: Final = 200_000  # different secrets over all networks
HOMES: Final = 20_000  # networks from which accounts were signed in to
SITE_FACTOR: Final = 4  # by how much the thresholds of an IPv6 /48 are higher than those of a /64
FREE_FAILURES: Final = 3
LONGEST_DELAY: Final = 8.0  # seconds
TURNS: Final = 100  # secrets from one network that may wait to be checked
_FREE_TURNS: Final = 2

__all__ = ["AUTOMATIC", "BANS_SECONDS", "Guard", "Penalty", "network_of"]

# What one network tried: digests of account and secret, with when they were tried last, the longest ago first.
_Tried = OrderedDict[bytes, float]


@dataclass(frozen=True, slots=True)
class Penalty:
    """What a failure costs: seconds before the answer, and the ban it made, if any."""

    delay: float = 0.0
    ban: BanRow | None = None


class Guard:
    """Counts wrong secrets and bans who guesses.

    Args:
        store: keeps the bans.
        settings: the thresholds.
        clock: for ages and ends.
        key: 32 random octets, made new for each process.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock, key: bytes) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._key = key
        self._bans = Bans(store, clock, on_lifted=self._forget)
        self._networks: OrderedDict[str, _Tried] = OrderedDict()
        self._entries = 0
        self._homes: OrderedDict[bytes, None] = OrderedDict()
        self._turns: dict[str, tuple[asyncio.Lock, list[None]]] = {}

    async def ban_of(self, address: str, account: str) -> BanRow | None:
        """Return the ban that keeps a client from signing in as an account (folded, "" where unknown), or None.

        One that a person set is returned first, since nothing but its end lifts it. Raises Unavailable.
        """
        found = await self._bans.matching(address, account)
        if not found or self._is_trusted(address):
            return None
        for ban in sorted(found, key=lambda ban: ban.by == AUTOMATIC):
            if ban.by != AUTOMATIC or ban.account or not await self.is_home(address, account):
                return ban
        return None

    async def failed(self, address: str, account: str, secret: bytes) -> Penalty:
        """Count a wrong secret for a name (folded, whether or not there is such an account); return what it costs.

        The first few cost nothing. Raises Unavailable where a ban cannot be stored; it is counted all the same.
        """
        if self._is_trusted(address):
            return Penalty()
        whose = self._digest(_octets(account))
        entry = whose + self._digest(_octets(account) + b"\0" + secret)
        different = 0
        ban: BanRow | None = None
        for level, network in enumerate(networks_of(address)):
            tried = self._count(network, entry)
            different = different or len(tried)
            ban = await self._ban_where_due(network, account, whose, SITE_FACTOR if level else 1) or ban
        delay = (
            min(LONGEST_DELAY, 0.5 * 2 ** min(different - FREE_FAILURES - 1, 10)) if different > FREE_FAILURES else 0.0
        )
        return Penalty(delay, ban)

    async def is_home(self, address: str, account: str) -> bool:
        """Whether an account (folded) was signed in to from a client's network before. Raises Unavailable."""
        if not account:
            return False
        network = network_of(address)
        if self._home(network, account) in self._homes:
            return True
        row = await self._store.account(account)
        last = await self._store.last_sign_in(row.id) if row is not None else None
        return last is not None and network_of(last.address) == network

    def succeeded(self, address: str, account: str) -> None:
        """Forget what was tried for an account from a network: its owner was there."""
        whose = self._digest(_octets(account))
        for network in networks_of(address):
            tried = self._networks.get(network)
            if tried:
                for entry in [entry for entry in tried if entry.startswith(whose)]:
                    del tried[entry]
                    self._entries -= 1
        home = self._home(network_of(address), account)
        self._homes[home] = None
        self._homes.move_to_end(home)
        if len(self._homes) > HOMES:
            self._homes.popitem(last=False)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until a secret from this network may be checked. Raises Unavailable: where too many wait already."""
        network = network_of(address)
        if self._is_trusted(address):
            yield
            return
        lock, inside = self._turns.setdefault(network, (asyncio.Lock(), []))
        if len(inside) >= TURNS:
            raise Unavailable(f"{TURNS} sign-ins from {network} wait already", where="identity.guard")
        must_wait = len(inside) >= _FREE_TURNS or len(self._networks.get(network, ())) > FREE_FAILURES
        inside.append(None)
        try:
            if must_wait:
                async with lock:
                    yield
            else:
                yield
        finally:
            inside.pop()
            if not inside:
                self._turns.pop(network, None)

    def forget_bans(self) -> None:
        """Read the bans anew at the next question."""
        self._bans.forget()

    # -- counting -----------------------------------------------------------------------------------------------

    def _count(self, network: str, entry: bytes) -> _Tried:
        """Note what was tried; return all that counts now."""
        now = self._clock.monotonic()
        tried = self._networks.setdefault(network, OrderedDict())
        self._networks.move_to_end(network)
        self._entries += entry not in tried
        tried[entry] = now
        tried.move_to_end(entry)
        ended = now - self._settings.get(FAILURE_WINDOW)
        while next(iter(tried.values())) <= ended:
            tried.popitem(last=False)
            self._entries -= 1
        while len(self._networks) > NETWORKS or (self._entries > ENTRIES and len(self._networks) > 1):
            self._entries -= len(self._networks.popitem(last=False)[1])
        return tried

    def _forget(self, network: str) -> None:
        self._entries -= len(self._networks.pop(network, ()))

    def _digest(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._key, digest_size=8).digest()

    def _home(self, network: str, account: str) -> bytes:
        return self._digest(_octets(network) + b"\0" + _octets(account))

    # -- bans ---------------------------------------------------------------------------------------------------

    async def _ban_where_due(self, network: str, account: str, whose: bytes, factor: int) -> BanRow | None:
        """Ban the network from the account, or as a whole, where a threshold is passed; both where both are."""
        tried = self._networks.get(network, OrderedDict())
        of_account = sum(entry.startswith(whose) for entry in tried)
        minutes = round(self._settings.get(FAILURE_WINDOW) / 60)
        ban: BanRow | None = None
        if account and of_account >= self._settings.get(ACCOUNT_FAILURE_LIMIT) * factor:
            ban = await self._ban(network, account, f"{of_account} different wrong passwords within {minutes} minutes")
        if len(tried) >= self._settings.get(FAILURE_LIMIT) * factor:
            accounts = len({entry[:8] for entry in tried})
            reason = f"{len(tried)} different wrong passwords for {accounts} accounts within {minutes} minutes"
            ban = await self._ban(network, "", reason)
        return ban

    async def _ban(self, network: str, account: str, reason: str) -> BanRow:
        """Store a ban; one that is in force already is left as it is."""
        known = self._bans.get(network, account)
        if known is not None:
            return known
        now = self._clock.now()
        ban = BanRow(network, account, reason, now, now + self._settings.get(BAN_TIME), AUTOMATIC)
        self._bans.add(ban)
        await self._store.commit(
            PutBan(network=network, account=account, reason=reason, since=ban.since, until=ban.until, by=ban.by)
        )
        self._bans.stored(ban)
        return ban

    def _is_trusted(self, address: str) -> bool:
        return not address or is_within(address, self._settings.get(TRUSTED_NETWORKS))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
