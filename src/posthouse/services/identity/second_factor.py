"""Second factors: one-time codes of an authenticator (RFC 6238), and recovery codes for when it is lost.

A code counts once: the step it is of is kept, and that step and earlier ones are refused from then on (RFC 6238 §5.2).
One step of thirty seconds to either side is accepted for clocks that differ. The secret is sealed in the store; of
recovery codes there are digests only, and each goes when it is used. An authenticator counts only once its first code
was shown (``details.confirmed``), so that nobody locks himself out half-way.

Tests: ``tests/unit/services/identity/test_second_factor.py``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

import pyotp

from posthouse.core.clock import Clock
from posthouse.core.ids import AccountId
from posthouse.services.identity.sealing import Sealing
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import CredentialKind, PutCredential, RemoveCredential

STEP: Final = 30  # seconds
DRIFT: Final = 1  # steps
RECOVERY_CODES: Final = 10
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LENGTH: Final = 12


def new_totp_secret() -> str:
    """Return a new secret of 160 bits in base 32 (RFC 4226 §4)."""
    return pyotp.random_base32()


def totp_address(secret: str, account: str, issuer: str) -> str:
    """Return the ``otpauth:`` address that authenticators read as a picture."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=account, issuer_name=issuer)


def totp_step(secret: str, code: str, now: float, after: int = 0) -> int:
    """Return the step a code is of, 0 where it is of none near ``now`` that comes after the step ``after``."""
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
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
    return hashlib.sha256(b"posthouse recovery code\0%d\0" % account + bare.encode()).hexdigest()


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
        return any(map(is_second_factor, await self._store.credentials(account.address)))

    async def accept(self, account: AccountRow, code: str) -> bool:
        """Whether a code is right for an account; if so it is used up. Raises Unavailable."""
        if not code or len(code) > 40:
            return False
        rows = await self._store.credentials(account.address)
        return await self._accept_totp(rows, code) or await self._accept_recovery(account, code)

    async def _accept_totp(self, rows: Sequence[CredentialRow], code: str) -> bool:
        for row in rows:
            if row.kind is not CredentialKind.TOTP or not row.details.get("confirmed"):
                continue
            secret = self._sealing.open(row.verifier, f"totp:{row.id}")
            step = totp_step(secret, code, self._clock.now(), int(row.details.get("step", 0)))
            if step:
                await self._store.commit(with_step(row, step))
                return True
        return False

    async def _accept_recovery(self, account: AccountRow, code: str) -> bool:
        row = await self._store.credential_by_verifier(CredentialKind.RECOVERY, recovery_verifier(account.id, code))
        if row is None or row.account != account.address:
            return False
        gone: int = await self._store.commit(
            RemoveCredential(id=row.id, account=row.account, kind=CredentialKind.RECOVERY)
        )
        return gone == 1


def with_step(row: CredentialRow, step: int) -> PutCredential:
    """Return the value that keeps the step an authenticator's last code was of, and that it counts."""
    return PutCredential(
        id=row.id,
        account=row.account,
        kind=row.kind,
        name=row.name,
        verifier=row.verifier,
        scopes=row.scopes,
        created=row.created,
        expires=row.expires,
        details={**row.details, "confirmed": True, "step": step},
        must_be_new=False,
    )
