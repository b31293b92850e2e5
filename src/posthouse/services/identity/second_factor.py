"""Second factors: one-time codes of an authenticator (RFC 6238), and recovery codes for when it is lost.

A code counts once, whatever worker sees it: the step it is of is raised in the store, and that step and earlier ones
are refused from then on (RFC 6238 §5.2). One step of thirty seconds to either side is accepted for clocks that differ.
Of wrong codes an account has ``TRIES`` an hour, over all workers, counted in the store before they are compared
(RFC 4226 §7.3); recovery codes are too long to be guessed, so they work even then. The secret is sealed in the store;
of recovery codes there are digests only, and each goes when it is used. An authenticator counts only once its first
code was shown (``details.confirmed``), so that nobody locks himself out half-way.

Tests: ``tests/unit/services/identity/test_second_factor.py``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

import pyotp

from posthouse.core.clock import Clock
from posthouse.core.ids import AccountId
from posthouse.services.identity.sealing import Sealing
from posthouse.store.contract import NotAllowed, Store, Vanished
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import AdvanceCredential, CredentialKind, RemoveCredential

STEP: Final = 30  # seconds
DRIFT: Final = 1  # steps
RECOVERY_CODES: Final = 10
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LENGTH: Final = 12
TRIES: Final = 10  # wrong codes of one account in an hour: three codes of a million are right at any time
TRY_WINDOW: Final = 3_600  # seconds
_LONGEST: Final = 40
_DIGITS: Final = re.compile(r"[0-9]{6}", re.ASCII)


def new_totp_secret() -> str:
    """Return a new secret of 160 bits in base 32 (RFC 4226 §4)."""
    return pyotp.random_base32()


def totp_address(secret: str, account: str, issuer: str) -> str:
    """Return the ``otpauth:`` address that authenticators read as a picture."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=account, issuer_name=issuer)


def totp_step(secret: str, code: str, now: float, after: int = 0) -> int:
    """Return the step a code is of, 0 where it is of none near ``now`` that comes after the step ``after``."""
    if not _DIGITS.fullmatch(code):
        return 0
    current, found = int(now // STEP), 0
    for step in range(current - DRIFT, current + DRIFT + 1):
        expected = pyotp.TOTP(secret, interval=STEP).at(step * STEP)
        if hmac.compare_digest(expected, code) and step > after:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Return new recovery codes of 59 bits each, as people see them: ``abcdef-ghjkmn``."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    return [f"{code[:6]}-{code[6:]}" for code in codes]


def recovery_verifier(account: AccountId, code: str) -> str:
    """Return what a recovery code is kept by."""
    bare = code.replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(b"posthouse recovery code\0%d\0" % account + bare.encode("utf-8", "replace")).hexdigest()


def is_second_factor(row: CredentialRow) -> bool:
    """Whether a credential is a second factor that counts."""
    return row.kind is CredentialKind.PASSKEY or (
        row.kind is CredentialKind.TOTP and bool(row.details.get("confirmed"))
    )


class SecondFactor:
    """Checks the codes of accounts."""

    def __init__(self, store: Store, sealing: Sealing, clock: Clock) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock

    async def is_on(self, account: AccountRow) -> bool:
        """Whether an account has a second factor. Raises Unavailable."""
        for kind in (CredentialKind.TOTP, CredentialKind.PASSKEY):
            if any(map(is_second_factor, await self._store.credentials(account.address, kind))):
                return True
        return False

    async def accept(self, account: AccountRow, code: str) -> bool:
        """Whether a code is right for an account; if so it is used up. Raises Unavailable."""
        use = await self.use_of(account, code)
        if use is None:
            return False
        try:
            await self._store.commit(use)
        except (NotAllowed, Vanished):  # somebody else used it a moment ago
            return False
        return True

    async def use_of(self, account: AccountRow, code: str) -> AdvanceCredential | RemoveCredential | None:
        """Return the change that uses up a right code, None where it is wrong; a try is counted. Raises Unavailable.

        The change fails with ``NotAllowed`` or ``Vanished`` where another used the code first.
        """
        code = code.strip()
        if not code or len(code) > _LONGEST:
            return None
        if not _DIGITS.fullmatch(code):
            return await self._use_of_recovery(account, code)
        for row in await self._store.credentials(account.address, CredentialKind.TOTP):
            if row.details.get("confirmed"):
                use = await self.use_of_totp(row, code)
                if use is not None:
                    return use
        return None

    async def use_of_totp(self, row: CredentialRow, code: str) -> AdvanceCredential | None:
        """Return the change that uses up a code of this authenticator and confirms it. Raises Unavailable."""
        tries = await self._spend_try(row) if _DIGITS.fullmatch(code) else 0
        if not tries:
            return None
        secret = self._sealing.open(row.verifier, f"totp:{row.id}")
        step = totp_step(secret, code, self._clock.now(), int(row.details.get("step", 0)))
        if not step:
            return None
        details = {"confirmed": True, "tries": tries - 1}  # a right code is no try
        return AdvanceCredential(id=row.id, account=row.account, kind=row.kind, field="step", to=step, details=details)

    async def _spend_try(self, row: CredentialRow) -> int:
        """Count a code before it is compared; return the counter, 0 where there were too many.

        The counter is the hour times a thousand and how many tries there were in it, so that it only ever grows.
        """
        hour = int(self._clock.now() // TRY_WINDOW) * 1_000
        tries = max(int(row.details.get("tries", 0)), hour)
        for _ in range(TRIES):
            if tries - hour >= TRIES:
                return 0
            tries += 1
            try:
                await self._store.commit(
                    AdvanceCredential(id=row.id, account=row.account, kind=row.kind, field="tries", to=tries)
                )
            except NotAllowed:  # another code was tried meanwhile
                continue
            except Vanished:
                return 0
            return tries
        return 0

    async def _use_of_recovery(self, account: AccountRow, code: str) -> RemoveCredential | None:
        row = await self._store.credential_by_verifier(CredentialKind.RECOVERY, recovery_verifier(account.id, code))
        if row is None or row.account != account.address:
            return None
        return RemoveCredential(id=row.id, account=row.account, kind=CredentialKind.RECOVERY)
