"""Passkeys: keys of a device or a browser that prove who somebody is (W3C Web Authentication, level 2).

Registering takes two steps: ``options`` for ``navigator.credentials.create``, then what the browser made. Signing in
takes two as well. Nothing is kept between the steps: the challenge, whose it is and its end travel with the browser,
sealed. A challenge counts once for a key: the moment it was made is raised in the store when it is used, and challenges
from before are refused from then on; so is a signature counter that goes back (§6.1.1). Attestation is not asked for.

Invariants: a sealed state serves the account and the purpose it was made for; public keys are kept, never secrets.
Tests: ``tests/unit/services/identity/test_passkeys.py``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from posthouse.config.definitions.auth import PASSKEY_DOMAIN, PASSKEY_ORIGINS
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.core.errors import Unavailable
from posthouse.services.identity.passkey_limits import RESPONSE_LENGTH, STATE_LENGTH
from posthouse.services.identity.sealing import Sealing
from posthouse.store.contract import NotAllowed, Store, Vanished
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import AdvanceCredential, CredentialKind

CHALLENGE_SECONDS: Final = 300.0
_REGISTER: Final = "passkey registration"
_SIGN_IN: Final = "passkey sign-in"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new passkey is kept by: the id of the key, and details for ``PutCredential``."""

    key: str
    details: Mapping[str, Any]


class Passkeys:
    """Registers passkeys and checks what they sign."""

    def __init__(self, store: Store, sealing: Sealing, clock: Clock, settings: Settings, hostname: str) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock
        self._settings = settings
        self._hostname = hostname

    @property
    def domain(self) -> str:
        """The name that passkeys are made for."""
        return self._settings.get(PASSKEY_DOMAIN) or self._hostname

    @property
    def origins(self) -> list[str]:
        """The web addresses they may be used from."""
        origins: tuple[str, ...] = self._settings.get(PASSKEY_ORIGINS)
        return list(origins) or [f"https://{self.domain}"]

    def begin_registration(self, account: AccountRow, existing: Sequence[CredentialRow]) -> tuple[dict[str, Any], str]:
        """Return the options for the browser, and the sealed state that comes back with its answer."""
        challenge = secrets.token_bytes(32)
        options = generate_registration_options(
            rp_id=self.domain,
            rp_name=self._hostname,
            user_id=b"posthouse:%d" % account.id,
            user_name=account.address,
            user_display_name=account.display_name or account.address,
            challenge=challenge,
            timeout=int(CHALLENGE_SECONDS * 1000),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.verifier)) for row in existing
            ],
        )
        return json.loads(options_to_json(options)), self._seal(_REGISTER, account.address, challenge)

    def finish_registration(self, account: AccountRow, state: str, response: str) -> Registration | None:
        """Return what to keep of a new passkey; None where the answer does not fit the state, or that has ended."""
        kept = self._open(_REGISTER, state)
        if kept is None or kept["account"] != account.address or len(response) > RESPONSE_LENGTH:
            return None
        try:
            found = verify_registration_response(
                credential=response,
                expected_challenge=base64url_to_bytes(kept["challenge"]),
                expected_rp_id=self.domain,
                expected_origin=self.origins,
            )
        except _FAULTS:
            return None
        details = {
            "public_key": bytes_to_base64url(found.credential_public_key),
            "sign_count": found.sign_count,
            "domain": self.domain,
            "backed_up": found.credential_backed_up,
            "used": kept["made"],
        }
        return Registration(bytes_to_base64url(found.credential_id), details)

    async def begin_sign_in(self, account: AccountRow | None) -> tuple[dict[str, Any], str]:
        """Return the options for the browser, and the sealed state; None lets the device choose whose passkey."""
        challenge = secrets.token_bytes(32)
        rows = await self._store.credentials(account.address, CredentialKind.PASSKEY) if account is not None else []
        options = generate_authentication_options(
            rp_id=self.domain,
            challenge=challenge,
            timeout=int(CHALLENGE_SECONDS * 1000),
            allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.verifier)) for row in rows],
        )
        address = account.address if account is not None else ""
        return json.loads(options_to_json(options)), self._seal(_SIGN_IN, address, challenge)

    async def finish_sign_in(self, state: str, response: str) -> CredentialRow | None:
        """Return the passkey that signed, used up for this challenge; None where it is wrong, late or replayed.

        The caller decides whether its account may sign in. Raises Unavailable.
        """
        kept = self._open(_SIGN_IN, state)
        row = await self._row_of(response) if kept is not None else None
        if kept is None or row is None or kept["account"] not in {"", row.account}:
            return None
        try:
            found = verify_authentication_response(
                credential=response,
                expected_challenge=base64url_to_bytes(kept["challenge"]),
                expected_rp_id=self.domain,
                expected_origin=self.origins,
                credential_public_key=base64url_to_bytes(str(row.details["public_key"])),
                credential_current_sign_count=int(row.details["sign_count"]),
            )
        except _FAULTS:
            return None
        use = AdvanceCredential(
            id=row.id, account=row.account, kind=row.kind, field="used", to=kept["made"],
            details={"sign_count": found.new_sign_count},
        )  # fmt: skip
        try:
            await self._store.commit(use)
        except (NotAllowed, Vanished):
            return None
        return row

    async def _row_of(self, response: str) -> CredentialRow | None:
        if len(response) > RESPONSE_LENGTH:
            return None
        try:
            key = orjson.loads(response)["id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None
        if not isinstance(key, str) or not key:
            return None
        return await self._store.credential_by_verifier(CredentialKind.PASSKEY, key)

    def _seal(self, purpose: str, account: str, challenge: bytes) -> str:
        made = int(self._clock.now() * 1_000_000)
        kept = {"account": account, "challenge": bytes_to_base64url(challenge), "made": made}
        return self._sealing.seal(orjson.dumps(kept).decode(), purpose)

    def _open(self, purpose: str, state: str) -> dict[str, Any] | None:
        if not state or len(state) > STATE_LENGTH:
            return None
        try:
            kept: dict[str, Any] = orjson.loads(self._sealing.open(state, purpose))
        except (Unavailable, orjson.JSONDecodeError):
            return None
        age = self._clock.now() - kept["made"] / 1_000_000
        return kept if -1 <= age <= CHALLENGE_SECONDS else None


# What the library raises for an answer that is wrong in any way; its parsers let those of the language through.
_FAULTS: Final = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError)
