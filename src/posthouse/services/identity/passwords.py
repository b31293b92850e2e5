"""Passwords: Argon2id hashes, checked in a thread, with a short memory of what was right (RFC 9106).

A check costs tens of milliseconds and some MiB on purpose, so it runs in a thread and few run at once. A right
password is remembered for minutes under a keyed digest (the key is made when the process starts), since mail programs
sign in again and again. The digest covers what the caller names, the stored hash too: a changed password is forgotten
at once.

Invariants: no password is kept or logged; an account that does not exist costs the same work as one that does.
Tests: ``tests/unit/services/identity/test_authentication.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import Final

import argon2

from posthouse.core.clock import Clock
from posthouse.core.errors import Unavailable
from posthouse.services.identity import schemes

REMEMBER_SECONDS: Final = 300.0
REMEMBER_COUNT: Final = 10_000
PASSWORD_OCTETS: Final = 1_024  # what is longer is refused unread
CHECKS_AT_ONCE: Final = 2
CHECKS_WAITING: Final = 500
# RFC 9106 §4 asks 64 MiB where memory is at hand; 19 MiB with two passes is the floor OWASP gives for small machines.
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2


def make_hasher() -> argon2.PasswordHasher:
    """Return the hasher of the house: Argon2id with today's cost."""
    return argon2.PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)


def hash_password(password: bytes) -> str:
    """Return the encoded Argon2id hash of a password; takes tens of milliseconds of processor time."""
    return make_hasher().hash(password)


class Passwords:
    """Checks passwords against encoded hashes.

    Args:
        clock: for the age of what is remembered.
        key: 32 random octets, made new for each process.
        hasher: another cost, for tests.
    """

    def __init__(self, clock: Clock, key: bytes, hasher: argon2.PasswordHasher | None = None) -> None:
        self._clock = clock
        self._key = key
        self._hasher = hasher or make_hasher()
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._gate = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._gate_for_known = asyncio.Semaphore(1)
        self._dummy = ""
        self._waiting = 0

    def is_remembered(self, memory: str, password: bytes) -> bool:
        """Whether this password was noted as right for this text within the last minutes; never waits."""
        until = self._right.get(self._digest(memory, password))
        return until is not None and until > self._clock.monotonic()

    async def verify(self, encoded: str, password: bytes, *, is_known: bool = False) -> bool:
        """Whether the password fits the hash. ``encoded`` "" never fits, and costs the same work.

        ``is_known``: the client is where this account was signed in to before; one check more is kept for such, so
        that strangers in thousands do not keep them waiting. Raises Unavailable: where so many wait already that an
        answer would come too late.
        """
        if len(password) > PASSWORD_OCTETS:
            return False
        if self._waiting >= CHECKS_WAITING and not is_known:
            raise Unavailable(f"{CHECKS_WAITING} passwords wait to be checked", where="identity.passwords")
        self._waiting += 1
        try:
            async with self._gate_for_known if is_known and self._gate.locked() else self._gate:
                return await asyncio.to_thread(self._check, encoded, password)
        finally:
            self._waiting -= 1

    def note_right(self, memory: str, password: bytes) -> None:
        """Remember that a password was right, for a text that changes when the password may be another."""
        self._right[self._digest(memory, password)] = self._clock.monotonic() + REMEMBER_SECONDS
        if len(self._right) > REMEMBER_COUNT:
            self._right.popitem(last=False)

    def needs_rehash(self, encoded: str) -> bool:
        """Whether the hash is of another scheme or cost than today's."""
        return schemes.needs_upgrade(encoded, self._hasher)

    async def hash(self, password: bytes) -> str:
        """Return the encoded hash of a password, made in a thread."""
        async with self._gate:
            return await asyncio.to_thread(self._hasher.hash, password)

    def _check(self, encoded: str, password: bytes) -> bool:
        if not encoded:
            if not self._dummy:
                self._dummy = self._hasher.hash(self._key)
            self._fits(self._dummy, password)
            return False
        if self._fits(encoded, password):
            return True
        if self.needs_rehash(encoded):  # a cheap hash of another system must not tell that the account is there
            self._check("", password)
        return False

    def _fits(self, encoded: str, password: bytes) -> bool:
        return schemes.verify(encoded, password)

    def _digest(self, memory: str, password: bytes) -> bytes:
        hashed = memory.encode()
        return hashlib.blake2b(len(hashed).to_bytes(4) + hashed + password, key=self._key, digest_size=32).digest()
