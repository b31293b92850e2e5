"""A software authenticator for passkeys: keys on P-256, answers as a browser would send them (Web Authentication §6).

``create`` answers ``navigator.credentials.create`` and ``sign`` answers ``navigator.credentials.get``; what a test
wants wrong is given by name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _cbor(value: Any) -> bytes:
    """Encode what a passkey needs: integers, octets, text and mappings (RFC 8949 §3)."""

    def head(major: int, number: int) -> bytes:
        if number < 24:
            return bytes([major << 5 | number])
        size = 1 if number < 256 else 2
        return bytes([major << 5 | (23 + size)]) + number.to_bytes(size, "big")

    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(5, len(value)) + b"".join(_cbor(key) + _cbor(each) for key, each in value.items())


class SoftAuthenticator:
    """One device with one key."""

    def __init__(self, origin: str = "https://mx.example.test") -> None:
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.count = 0

    def create(self, options: dict[str, Any], **wrong: Any) -> str:
        """Return the answer to creation options, as JSON text."""
        numbers = self.key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + _cbor(key)
        data = self._data(wrong.get("domain", options["rp"]["id"]), WITH_KEY, wrong) + attested
        response = {
            "clientDataJSON": _text(self._client("webauthn.create", options["challenge"], wrong)),
            "attestationObject": _text(_cbor({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return self._answer(response)

    def sign(self, options: dict[str, Any], **wrong: Any) -> str:
        """Return the answer to request options, as JSON text."""
        self.count += wrong.get("step", 1)
        data = self._data(wrong.get("domain", options["rpId"]), 0, wrong)
        client = self._client("webauthn.get", options["challenge"], wrong)
        key = wrong.get("key", self.key)
        signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(signature),
        }
        return self._answer(response)

    def _data(self, domain: str, flags: int, wrong: dict[str, Any]) -> bytes:
        flags |= wrong.get("flags", PRESENT | VERIFIED)
        return hashlib.sha256(domain.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        told = {
            "type": wrong.get("kind", kind),
            "challenge": wrong.get("challenge", challenge),
            "origin": wrong.get("origin", self.origin),
        }
        return json.dumps(told).encode()

    def _answer(self, response: dict[str, str]) -> str:
        key = _text(self.id)
        return json.dumps({"id": key, "rawId": key, "type": "public-key", "response": response})
