"""Guessing of passwords: counted by what was tried, not by how often, and stopped by bans that say why.

A mail program with an old password tries the same one for weeks; a guesser tries different ones. So what is counted is
*different* wrong secrets, by network (IPv4 address, IPv6 /64) and, within it, by account. Two thresholds: an account
from one network, and a network over all accounts. Passing one makes a ban: a row in the store with its reason and its
end, which every worker and every administrator sees.

Never banned: the networks of ``auth.trusted_networks`` (proxies, offices behind one address), and an account from a
network where its owner was signed in before, unless that very account is guessed at from there. Ways back in: the end
of the ban, another network, ``posthouse ban remove``.

Invariants: bounded memory (the oldest network is forgotten first); no secret is kept, only keyed digests of eight
octets under a key of the process. Counting is each worker's own; bans are everybody's.
RFC 4954 §6 and RFC 3207 say nothing of limits; RFC 5321 §7.8 leaves resistance to attacks to the server.
Tests: ``tests/unit/services/identity/test_guard.py``.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
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
from posthouse.store.contract import Store
from posthouse.store.directory_rows import BanRow
from posthouse.store.directory_values import PutBan

NETWORKS: Final = 10_000
SECRETS: Final = 200  # remembered for one network; more are not told apart
FREE_FAILURES: Final = 3
LONGEST_DELAY: Final = 8.0  # seconds
BANS_SECONDS: Final = 1.0  # how old what a worker knows of the bans may be


@dataclass(slots=True)
class _Record:
    """What one network tried: ``(account, digest of the secret)``, in order, until when it is kept."""

    until: float
    tried: OrderedDict[tuple[str, bytes], None] = field(default_factory=OrderedDict)

    def of_account(self, account: str) -> int:
        return sum(1 for name, _ in self.tried if name == account)


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
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._bans: dict[tuple[str, str], BanRow] = {}
        self._read_at = float("-inf")

    async def ban_of(self, address: str, account: str) -> BanRow | None:
        """Return the ban that keeps a client from signing in as an account (folded, "" where unknown), or None.

        Raises Unavailable where the store cannot be read.
        """
        await self._read_bans()
        if not self._bans or self._is_trusted(address):
            return None
        network, now = network_of(address), self._clock.now()
        for key in {(network, account), (network, "")}:
            ban = self._bans.get(key) or self._wider(address, key[1])
            if ban is not None and ban.until > now and not await self._is_home(network, account, ban):
                return ban
        return None

    async def failed(self, address: str, account: str, secret: bytes) -> Penalty:
        """Count a wrong secret for a name (folded, whether or not there is such an account); return what it costs.

        The first few cost nothing. Raises Unavailable where a ban cannot be stored; it is counted all the same.
        """
        if self._is_trusted(address):
            return Penalty()
        network = network_of(address)
        record = self._record(network)
        record.tried[account, self._digest(account, secret)] = None
        while len(record.tried) > max(SECRETS, self._settings.get(FAILURE_LIMIT)):
            record.tried.popitem(last=False)
        different = len(record.tried)
        delay = min(LONGEST_DELAY, 0.5 * 2 ** (different - FREE_FAILURES - 1)) if different > FREE_FAILURES else 0.0
        return Penalty(delay, await self._ban_where_due(network, account, record))

    def succeeded(self, address: str, account: str) -> None:
        """Forget what was tried for an account from a network: its owner was there."""
        record = self._records.get(network_of(address))
        if record is not None:
            for key in [key for key in record.tried if key[0] == account]:
                del record.tried[key]

    def forget_bans(self) -> None:
        """Read the bans anew at the next question."""
        self._read_at = float("-inf")

    # -- counting -----------------------------------------------------------------------------------------------

    def _record(self, network: str) -> _Record:
        now = self._clock.monotonic()
        record = self._records.get(network)
        if record is None or record.until <= now:
            record = self._records[network] = _Record(0.0)
        record.until = now + self._settings.get(FAILURE_WINDOW)
        self._records.move_to_end(network)
        if len(self._records) > NETWORKS:
            self._records.popitem(last=False)
        return record

    def _digest(self, account: str, secret: bytes) -> bytes:
        return hashlib.blake2b(account.encode() + b"\0" + secret, key=self._key, digest_size=8).digest()

    async def _ban_where_due(self, network: str, account: str, record: _Record) -> BanRow | None:
        of_account, in_all = record.of_account(account), len(record.tried)
        minutes = round(self._settings.get(FAILURE_WINDOW) / 60)
        if in_all >= self._settings.get(FAILURE_LIMIT):
            accounts = len({name for name, _ in record.tried})
            reason = f"{in_all} different wrong passwords for {accounts} accounts within {minutes} minutes"
            return await self._ban(network, "", reason)
        if of_account >= self._settings.get(ACCOUNT_FAILURE_LIMIT):
            return await self._ban(network, account, f"{of_account} different wrong passwords within {minutes} minutes")
        return None

    async def _ban(self, network: str, account: str, reason: str) -> BanRow:
        now = self._clock.now()
        ban = BanRow(network, account, reason, now, now + self._settings.get(BAN_TIME), "posthouse")
        self._bans[network, account] = ban
        await self._store.commit(
            PutBan(network=network, account=account, reason=reason, since=ban.since, until=ban.until, by=ban.by)
        )
        return ban

    # -- bans ---------------------------------------------------------------------------------------------------

    async def _read_bans(self) -> None:
        now = self._clock.monotonic()
        if now - self._read_at < BANS_SECONDS:
            return
        self._bans = {(row.network, row.account): row for row in await self._store.bans()}
        self._read_at = now

    def _wider(self, address: str, account: str) -> BanRow | None:
        """Return the ban of a network, set by a person, that the address is in."""
        try:
            client = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return None
        for (network, whose), ban in self._bans.items():
            if whose == account and "/" in network and client in ipaddress.ip_network(network, strict=False):
                return ban
        return None

    def _is_trusted(self, address: str) -> bool:
        trusted = self._settings.get(TRUSTED_NETWORKS)
        if not trusted or not address:
            return not address
        try:
            client = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(client in ipaddress.ip_network(network, strict=False) for network in trusted)

    async def _is_home(self, network: str, account: str, ban: BanRow) -> bool:
        """Whether the account's owner was last signed in from the network that is banned for what others did."""
        if not account or ban.account or ban.by != "posthouse":
            return False
        row = await self._store.account(account)
        last = await self._store.last_sign_in(row.id) if row is not None else None
        return last is not None and network_of(last.address) == network


def network_of(address: str) -> str:
    """Return the network under which a client is counted: its address, for IPv6 the /64 it is in."""
    if ":" not in address:
        return address
    try:
        client = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(client, "ipv4_mapped", None)
    return str(mapped) if mapped is not None else str(ipaddress.ip_network((client, 64), strict=False))
