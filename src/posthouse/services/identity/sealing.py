"""Secrets that the server must be able to use again (of routes, sign-in sources, one-time codes), sealed in the store.

AES-256-GCM under a key that lies in the home beside the store (``secret.key``, mode 600), so that a copy of the store
alone tells nobody anything. What a secret is for is bound into the seal: one cannot be put in the place of another.
Text form: ``v1:`` and base64 of nonce and sealed octets. Losing the key loses the sealed secrets, not mail or
passwords. NIST SP 800-38D: random nonces of 96 bits, far below 2**32 of them for a key.

Tests: ``tests/unit/services/identity/test_sealing.py``.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from posthouse.core.errors import Unavailable

KEY_FILE: Final = "secret.key"
_PREFIX: Final = "v1:"
_NONCE: Final = 12
_KEY: Final = 32


class SealedSource(Protocol):
    """A sign-in source as the store keeps it, with its secret fields sealed: a JSON object of texts."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def sealed(self) -> str:
        """Its secrets."""
        ...


class Sealing:
    """Seals and opens secrets under one key of 32 octets."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: str, purpose: str) -> str:
        """Return the sealed form of a secret; "" stays "". ``purpose`` must be said again to open it."""
        if not secret:
            return ""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, secret.encode(), purpose.encode())
        return _PREFIX + base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """Return the secret. Raises Unavailable: where this key did not seal it for this purpose."""
        if not sealed:
            return ""
        try:
            octets = base64.b64decode(sealed.removeprefix(_PREFIX), validate=True)
            return self._cipher.decrypt(octets[:_NONCE], octets[_NONCE:], purpose.encode()).decode()
        except (binascii.Error, ValueError, InvalidTag):
            raise Unavailable(
                f"a secret of {purpose} cannot be opened: {KEY_FILE} in the home is not the key that sealed it",
                where="identity.sealing",
            ) from None

    def open_source(self, row: SealedSource) -> Mapping[str, str]:
        """Return the secret fields of a sign-in source. Raises Unavailable: as ``open``."""
        opened = self.open(row.sealed, f"source:{row.name}")
        fields: dict[str, str] = orjson.loads(opened) if opened else {}
        return fields


def sealing_of(home: Path) -> Sealing:
    """Return the sealing of a home; the first call makes its key. Raises Unavailable: where that cannot be."""
    path = home / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read or made: {error.strerror}", where="identity.sealing") from None
    if len(key) != _KEY:
        raise Unavailable(
            f"{path} is damaged: it has {len(key)} octets, not {_KEY}. Bring it back from a backup.",
            where="identity.sealing",
        )
    return Sealing(key)


def _make_key(path: Path) -> None:
    """Write a new key whole or not at all; of two that do so at once one wins, and both use his."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(_KEY))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
