"""Whether a name and a password go together, for every protocol that signs people in.

Failures are counted by client address (an IPv6 client by its /64): after a few the answer is delayed, after many it
is refused unseen until the count has aged. A password that is remembered as right is never delayed, so one guesser
behind a shared address does not lock out his neighbours.

RFC 4954 §6 (codes). Not here: SASL mechanisms (``protocols.sasl``). Tests:
``tests/unit/services/identity/test_authentication.py``.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from posthouse.config.definitions.auth import FAILURE_LIMIT
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.address import Address, parse_address
from posthouse.core.clock import Clock
from posthouse.core.errors import Fault, SyntaxFault
from posthouse.core.outcome import Outcome, defer, done, reject
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.resolution import LocalAccount
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import PutAccount

FREE_FAILURES: Final = 3
LONGEST_DELAY: Final = 8.0  # seconds
FORGET_SECONDS: Final = 600.0
CLIENTS: Final = 10_000
DOMAINS_FOR_SHORT_NAME: Final = 200

SIGNED_IN = done("Authentication successful", code=235, detail_code=status.SECURITY_OTHER, rule="auth.password")
WRONG = reject("Authentication credentials invalid", code=535, detail_code=status.BAD_CREDENTIALS, rule="auth.password")
TOO_MANY = defer(
    "Too many failed sign-ins, try again later",
    code=454,
    detail_code=status.TEMPORARY_AUTHENTICATION_FAILURE,
    rule="auth.failures",
    setting="auth.failure_limit",
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in came to; ``account`` is set exactly where the outcome grants."""

    outcome: Outcome
    account: AccountRow | None = None


class FailureTable:
    """Failures by client, bounded; the oldest client is forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._clients: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def count(self, client: str) -> int:
        """Return the failures of a client that have not aged."""
        failures, until = self._clients.get(client, (0, 0.0))
        return failures if until > self._clock.monotonic() else 0

    def add(self, client: str) -> int:
        """Count one more failure; return how many there are."""
        failures = self.count(client) + 1
        self._clients[client] = (failures, self._clock.monotonic() + FORGET_SECONDS)
        self._clients.move_to_end(client)
        if len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)
        return failures

    def clear(self, client: str) -> None:
        """Forget a client's failures."""
        self._clients.pop(client, None)


class Authenticator:
    """Signs people in by password."""

    def __init__(
        self,
        directory: Directory,
        passwords: Passwords,
        store: Store,
        settings: Settings,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._passwords = passwords
        self._store = store
        self._settings = settings
        self._failures = FailureTable(clock)
        self._sleep = sleep

    async def verify_plain(self, login: str, password: bytes, client: ClientInfo) -> SignIn:
        """Sign in with a full address, or a short name where it is clear whose it is.

        Returns: 235, 535 5.7.8 (the same for every way to be wrong) or 454 4.7.0. Raises Unavailable.
        """
        source = client_key(client.address)
        account = await self._find(login)
        encoded = account.password_hash if account is not None else ""
        if account is not None and self._passwords.is_remembered(encoded, password):
            return SignIn(SIGNED_IN, account)
        if self._failures.count(source) >= self._settings.get(FAILURE_LIMIT):
            return SignIn(TOO_MANY)
        if account is not None and await self._passwords.verify(encoded, password):
            self._failures.clear(source)
            await self._renew(account, password)
            return SignIn(SIGNED_IN, account)
        if account is None:
            await self._passwords.verify("", password)
        await self._penalty(self._failures.add(source))
        return SignIn(WRONG)

    async def _penalty(self, failures: int) -> None:
        if failures > FREE_FAILURES:
            await self._sleep(min(LONGEST_DELAY, 0.5 * 2 ** (failures - FREE_FAILURES - 1)))

    async def _renew(self, account: AccountRow, password: bytes) -> None:
        """Replace a hash of another cost. A failure is no reason to refuse the sign-in; the next one tries again."""
        if not self._passwords.needs_rehash(account.password_hash):
            return
        encoded = await self._passwords.hash(password)
        try:
            await self._store.commit(PutAccount(address=account.address, password_hash=encoded, must_be_new=False))
        except Fault:
            return

    async def _find(self, login: str) -> AccountRow | None:
        if "@" in login:
            return await self._account_at(login)
        domain = await self._directory.default_domain()
        if domain and (account := await self._account_at(f"{login}@{domain}")) is not None:
            return account
        return await self._only_namesake(login)

    async def _account_at(self, text: str) -> AccountRow | None:
        try:
            address = parse_address(text)
        except SyntaxFault:
            return None
        resolution = await self._directory.resolve(address)
        if isinstance(resolution, LocalAccount) and _is_own_name(resolution, address):
            return resolution.account
        return None

    async def _only_namesake(self, name: str) -> AccountRow | None:
        """The one account of that local part in all our domains; None where there are several or none."""
        found: dict[int, AccountRow] = {}
        for domain in (await self._store.domains())[:DOMAINS_FOR_SHORT_NAME]:
            account = await self._account_at(f"{name}@{domain.name}")
            if account is not None:
                found[account.id] = account
        return next(iter(found.values())) if len(found) == 1 else None


def _is_own_name(resolution: LocalAccount, address: Address) -> bool:
    """Whether the account was named by its own local part, not by a detail or as the postmaster by default."""
    return resolution.account.address.rpartition("@")[0] == address.local_part.lower()


def client_key(address: str) -> str:
    """Return the key under which a client's failures are counted: its address, for IPv6 the /64 it is in."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
