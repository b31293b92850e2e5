"""Tokens of the API: made, recognised, and who calls with one.

A token is ``ph_``, 256 random bits and a checksum, in base 62. The store keeps its SHA-256, by which it is found with
one point read; a digest without salt is right for a secret that nobody can guess. Every call reads it anew, so that
what was revoked is refused at once. What a token may is the least of three: the level of its account, the role noted
in it, its scopes. One without an account is the server's own: its role and reach are noted in it.

Last uses are noted in memory and written together (``identity.sign_in_notes``). Tests:
``tests/unit/services/administration/test_tokens.py``.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from dataclasses import replace
from typing import Any, Final

from posthouse.core.clock import Clock
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import CredentialKind

PREFIX: Final = "ph_"
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY: Final = 43  # digits that hold 256 bits
_CHECK: Final = 6  # digits that hold 32 bits


def new_token() -> str:
    """Return a fresh token."""
    body = _base62(int.from_bytes(secrets.token_bytes(32), "big"), _BODY)
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(token: str) -> bool:
    """Whether a text can be a token of ours: tells a misspelt one without asking the store."""
    body = token[len(PREFIX) : -_CHECK]
    return token.startswith(PREFIX) and len(body) == _BODY and token.isascii() and token.endswith(_checksum(body))


def verifier_of(token: str) -> str:
    """Return what the store keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


class TokenDesk:
    """Recognises tokens for one worker; ``notes`` takes their last uses."""

    def __init__(self, store: Store, clock: Clock, notes: SignInNotes) -> None:
        self._store = store
        self._clock = clock
        self._notes = notes

    async def caller(self, token: str, *, door: str, address: str) -> Caller | None:
        """Return who calls with a token, or None where it is unknown, has ended, or its account may not sign in."""
        if not is_well_formed(token):
            return None
        row = await self._store.credential_by_verifier(CredentialKind.TOKEN, verifier_of(token))
        if row is None or (row.expires and row.expires <= self._clock.now()):
            return None
        caller = await self._of_account(row) if row.account else await _of_server(self._store, row)
        if caller is None:
            return None
        self._notes.credential(row.id, address)
        return replace(caller, door=door, address=address)

    async def is_valid(self, caller: Caller) -> bool:
        """Whether what a stream was opened with still holds, and has not ended."""
        row = await credential_of(self._store, caller)
        return not (row is not None and 0 < row.expires <= self._clock.now()) and await still_may(self._store, caller)

    async def _of_account(self, row: CredentialRow) -> Caller | None:
        found = await may_sign_in(self._store, row.account)
        if found is None:
            return None
        account, office = found
        caller = Caller.of_account(account, office, scopes=frozenset(row.scopes.split()), credential=row.id)
        return replace(caller, role=min(caller.role, _role(row, caller.role)))


async def may_sign_in(store: Store, address: str) -> tuple[AccountRow, str] | None:
    """Return an account with its post office; None where it, its domain or its post office is disabled or gone."""
    account = await store.account(address)
    if account is None or not account.may_sign_in:
        return None
    domain = await store.domain(account.address.rpartition("@")[2])
    if domain is None or domain.disabled:
        return None
    return account, domain.office


async def credential_of(store: Store, caller: Caller) -> CredentialRow | None:
    """Return the token that a caller showed; None where he showed none, or it was revoked."""
    if not caller.credential:
        return None
    rows = await store.credentials(caller.account, CredentialKind.TOKEN)
    return next((row for row in rows if row.id == caller.credential), None)


async def still_may(store: Store, caller: Caller) -> bool:
    """Whether a caller is still who he was when he was let in: for streams and jobs, which go on after that.

    His token is there, his account may sign in, has no less to administer, and is in the same place. The end of a token
    is not looked at: a job that was started in time goes on.
    """
    row = await credential_of(store, caller)
    if caller.credential and row is None:
        return False
    if not caller.account:
        return row is None or await _of_server(store, row) is not None
    found = await may_sign_in(store, caller.account)
    if found is None:
        return False
    now = Caller.of_account(*found)
    return now.role >= caller.role and (caller.role is Role.SERVER or now.office == caller.office)


async def _of_server(store: Store, row: CredentialRow) -> Caller | None:
    """Return who calls with a token of the server's own; None where its post office or domain is disabled or gone."""
    caller = Caller(
        role=_role(row, Role.ACCOUNT),
        name=f"token {row.name}",
        office=str(row.details.get("office", "")),
        domain=str(row.details.get("domain", "")),
        scopes=frozenset(row.scopes.split()),
        credential=row.id,
    )
    if caller.role is Role.SERVER:
        return caller
    if caller.role is Role.OFFICE:
        office = await store.office(caller.office)
        return caller if office is not None and not office.disabled else None
    domain = await store.domain(caller.domain)
    return replace(caller, office=domain.office) if domain is not None and not domain.disabled else None


def _role(row: CredentialRow, otherwise: Role) -> Role:
    """Return the role noted in a token."""
    noted: Any = row.details.get("role")
    return Role[noted] if noted in Role.__members__ else otherwise
