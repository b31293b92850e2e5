"""Passwords on their way in: checked against the policy, hashed in a thread, never shown.

Tests: ``tests/unit/services/administration/operations/test_account_passwords.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic import SecretStr

from posthouse.services.administration.desk import Desk
from posthouse.services.administration.faults import Refused
from posthouse.services.identity import schemes
from posthouse.services.identity.password_policy import PasswordPolicy


async def encode_password(
    desk: Desk, secret: SecretStr, *, address: str, names: Sequence[str] = (), field: str = "password"
) -> str:
    """Return the encoded hash of a new password. Raises Refused: naming every rule of the policy that it breaks."""
    bare = secret.get_secret_value().removesuffix("\n").removesuffix("\r")
    policy = PasswordPolicy(desk.settings)
    failures = await asyncio.to_thread(policy.failures, bare, address=address, names=names)
    if failures:
        raise Refused(f"the password cannot be used: {'; '.join(failures)}", "Choose another one.", field=field)
    try:
        octets = bare.encode()
    except UnicodeEncodeError:
        raise Refused("the password is not UTF-8", "Choose another one.", field=field) from None
    return await desk.hash_password(octets)


async def is_password(encoded: str, secret: SecretStr) -> bool:
    """Whether a secret is the password behind an encoded hash."""
    octets = secret.get_secret_value().encode("utf-8", "surrogatepass")
    return bool(encoded) and await asyncio.to_thread(schemes.verify, encoded, octets)
