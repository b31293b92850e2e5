"""The machine's crypt(3), called without holding up other threads; libpass for what it lacks.

crypt(3) of Debian knows DES, MD5, SHA-256, SHA-512, bcrypt and yescrypt. Where the library is missing, DES, MD5 and
the SHA kinds are reckoned by libpass, more slowly. Invariant: a password with a NUL octet fits nothing, since crypt(3)
would read it only up to there. Tests: ``tests/unit/services/identity/test_schemes.py``.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Final

LIBRARIES: Final = ("libcrypt.so.1", "libcrypt.so.2", None)  # None: the C library itself, as on musl
# glibc's struct crypt_data is 131 232 octets, libxcrypt's 32 768; twice the larger is room for either
ROOM: Final = 262_144

Crypt = Callable[[bytes, bytes], bytes]


@functools.cache
def system_crypt() -> Crypt | None:
    """Return crypt(3) of this machine, or None where there is none."""
    for name in LIBRARIES:
        try:
            function = ctypes.CDLL(name).crypt_r
        except (OSError, AttributeError):
            continue
        function.restype = ctypes.c_char_p
        function.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
        return functools.partial(_crypt_r, function)
    return None


def _crypt_r(function: Callable[..., bytes | None], password: bytes, setting: bytes) -> bytes:
    return function(password, setting, ctypes.create_string_buffer(ROOM)) or b""


def crypt_hash(password: bytes, encoded: str) -> str:
    """Return the hash of a password with the salt and cost of an encoded one; "" where it cannot be made."""
    if b"\x00" in password or not encoded.isascii():
        return ""
    crypt = system_crypt()
    if crypt is not None:
        made = crypt(password, encoded.encode()).decode("ascii", "replace")
        if made and not made.startswith("*"):
            return made
    return _by_libpass(password, encoded)


def _by_libpass(password: bytes, encoded: str) -> str:
    from passlib.hash import apr_md5_crypt, des_crypt, md5_crypt, sha256_crypt, sha512_crypt

    kinds = {"$1$": md5_crypt, "$5$": sha256_crypt, "$6$": sha512_crypt, "$ap": apr_md5_crypt}
    handler = kinds.get(encoded[:3]) or (None if encoded.startswith("$") else des_crypt)
    if handler is None:
        return ""
    try:
        fits = handler.verify(password, encoded)
    except (ValueError, TypeError):
        return ""
    return encoded if fits else ""
