"""The bans in force, as one worker knows them: read from the store when the directory changed, at most once a second.

Bans that counting made are found by the client's own networks; those that a person set on wider networks are compared
one by one, parsed once when they are read. Tests: ``tests/unit/services/identity/test_guard.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from posthouse.core.clock import Clock
from posthouse.services.identity.networks import Network, address_of, networks_of, parsed
from posthouse.store.contract import Store
from posthouse.store.directory_rows import BanRow

BANS_SECONDS: Final = 1.0  # how old what a worker knows of the bans may be
AUTOMATIC: Final = "(automatic)"  # who set a ban that counting made; no user and no address is called so
_KNOWN_SECONDS: Final = 5.0  # for which a ban of our own counts though the store does not show it


class Bans:
    """The bans of one worker.

    Args:
        on_lifted: told the network of an automatic ban that somebody lifted before its end.
    """

    def __init__(self, store: Store, clock: Clock, *, on_lifted: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_lifted = on_lifted
        self._rows: dict[tuple[str, str], BanRow] = {}
        self._wide: Sequence[tuple[Network, BanRow]] = ()
        self._own: dict[tuple[str, str], float] = {}  # made here, not seen in the store yet: until when they count
        self._read_at = float("-inf")
        self._version = -1

    async def matching(self, address: str, account: str) -> list[BanRow]:
        """Return the bans in force of a client for an account, and those for all accounts. Raises Unavailable."""
        await self._read()
        if not self._rows:
            return []
        keys = [(network, whose) for network in networks_of(address) for whose in {account, ""}]
        found = [ban for key in keys if (ban := self._rows.get(key)) is not None]
        client = address_of(address)
        if client is not None:
            found += [ban for network, ban in self._wide if ban.account in {account, ""} and client in network]
        now = self._clock.now()
        return [ban for ban in found if ban.until > now]

    def get(self, network: str, account: str) -> BanRow | None:
        """Return the ban in force of exactly this network and account."""
        ban = self._rows.get((network, account))
        return ban if ban is not None and ban.until > self._clock.now() else None

    def add(self, ban: BanRow) -> None:
        """Know a ban at once that is about to be stored."""
        self._rows[ban.network, ban.account] = ban
        self._own[ban.network, ban.account] = self._clock.monotonic() + _KNOWN_SECONDS

    def stored(self, ban: BanRow) -> None:
        """Know that a ban is stored: from the next reading on the store is the truth."""
        self._own[ban.network, ban.account] = self._clock.monotonic() + BANS_SECONDS

    def forget(self) -> None:
        """Read the store at the next question."""
        self._read_at = float("-inf")
        self._version = -1

    async def _read(self) -> None:
        now = self._clock.monotonic()
        if now - self._read_at < BANS_SECONDS:
            return
        self._read_at = now
        try:
            version = await self._store.directory_version()
            if version == self._version and not self._own:
                return
            rows = {(row.network, row.account): row for row in await self._store.bans()}
        except BaseException:
            self._read_at = float("-inf")
            raise
        self._version = version
        self._take(rows, now)

    def _take(self, rows: dict[tuple[str, str], BanRow], now: float) -> None:
        self._own = {key: until for key, until in self._own.items() if key not in rows and until > now}
        for key, ban in self._rows.items():
            if key in self._own:
                rows[key] = ban
            elif key not in rows and ban.by == AUTOMATIC and ban.until > self._clock.now():
                self._on_lifted(ban.network)
        self._rows = rows
        set_by_people = (ban for ban in rows.values() if ban.by != AUTOMATIC)
        self._wide = [(network, ban) for ban in set_by_people for network in parsed((ban.network,))]
