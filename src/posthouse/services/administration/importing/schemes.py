"""Spellings of password hashes: how other systems write them, and the one form in which accounts keep them.

The one form is that of ``services.identity.schemes``: ``{SCHEME}rest`` as Dovecot writes it, or what crypt(3) gives.
hMailServer's Blowfish is no hash: its key is public (it stands in hMailServer's source), so what it hides is read and
hashed anew. Not here: checking a password against a hash.
Tests: ``tests/unit/services/administration/importing/test_import_schemes.py``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from posthouse.services.administration.faults import Refused
from posthouse.services.identity import schemes

_CLEAR: Final = re.compile(r"\{(?:PLAIN|CLEAR|CLEARTEXT)\}(.+)", re.IGNORECASE | re.DOTALL)
_BLOWFISH_KEY: Final = b"THIS_KEY_IS_NOT_SECRET"


def recognised(text: str) -> str:
    """Return the one form of a text that is surely a hash, "" where it may as well be a password."""
    if text[:1] not in {"{", "$"} or _CLEAR.fullmatch(text) or schemes.why_unusable(text):
        return ""
    return text


def spelled(text: str) -> str:
    """Return the one form of a text that is said to be a hash. Raises Refused: saying why, never the hash."""
    clear = _CLEAR.fullmatch(text)
    why = "it is a clear password" if clear else schemes.why_unusable(text)
    if why or not text.isascii() or not text.isprintable():
        raise Refused(f"the password hash cannot be used: {why or 'it is not plain ASCII'}", "Set a new password.")
    return text


def clear_or_hash(text: str) -> tuple[bytes | None, str]:
    """Return what Dovecot's password field means: a clear password or an encoded hash. Raises Refused."""
    if match := _CLEAR.fullmatch(text):
        return match[1].encode(), ""
    return None, spelled(text)


def hmailserver(text: str, encryption: int) -> tuple[bytes | None, str]:
    """Return what ``accountpassword`` means under an ``accountpwencryption``. Raises Refused."""
    if not text:
        return None, ""
    if encryption == 0:
        return text.encode(), ""
    if encryption == 1:
        return blowfish_clear(text), ""
    if encryption == 2 and re.fullmatch(r"[0-9a-fA-F]{32}", text):
        return None, f"{{HMAILSERVER-MD5}}{text.lower()}"
    if encryption == 3 and re.fullmatch(r"[0-9a-fA-F]{6}[0-9a-fA-F]{64}", text):
        return None, f"{{HMAILSERVER-SHA256}}{text.lower()}"
    raise Refused(f"the password is no hash of hMailServer's kind {encryption}", "Set a new password.")


def blowfish_clear(text: str) -> bytes:
    """Return what hMailServer hid with Blowfish. Raises Refused.

    It is Blowfish in ECB, but each half of a block is a little-endian word (the code ran on Intel alone).
    """
    try:
        hidden = binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        hidden = b""
    if not hidden or len(hidden) % 8 or len(hidden) > 1024:
        raise Refused("the password is not hidden in hMailServer's way", "Set a new password.")
    decryptor = Cipher(Blowfish(_BLOWFISH_KEY), modes.ECB()).decryptor()  # noqa: S305  (what is read was so written)
    shown = _swapped(decryptor.update(_swapped(hidden)) + decryptor.finalize())
    clear = shown.split(b"\0", 1)[0]
    if not clear or any(octet < 32 for octet in clear):
        raise Refused("the password is not hidden in hMailServer's way", "Set a new password.")
    return clear


def blowfish_hidden(clear: bytes) -> str:
    """Hide a password as hMailServer does: the inverse of ``blowfish_clear``, for tests and comparison."""
    padded = clear + bytes(-len(clear) % 8)
    encryptor = Cipher(Blowfish(_BLOWFISH_KEY), modes.ECB()).encryptor()  # noqa: S305  (the form is given)
    return _swapped(encryptor.update(_swapped(padded)) + encryptor.finalize()).hex()


def _swapped(octets: bytes) -> bytes:
    return b"".join(octets[at : at + 4][::-1] for at in range(0, len(octets), 4))


def quick_hash(password: bytes) -> str:
    """Return ``{SSHA512}`` of a password: made in microseconds, and as quickly tried by whoever steals it."""
    salt = secrets.token_bytes(16)
    return "{SSHA512}" + base64.b64encode(hashlib.sha512(password + salt).digest() + salt).decode()
