"""Password schemes: what an encoded password looks like, whether one fits, and whether it should be made anew.

New passwords are hashed with Argon2id (RFC 9106). Everything else here is read so that passwords of other systems go on
working: crypt(3), the ``{SCHEME}`` forms of Dovecot and LDAP, Django, hMailServer. Such a hash is replaced by our own
at the first sign-in. A scheme may be followed by ``.B64`` or ``.HEX`` as in Dovecot.

Invariants: comparison takes the same time wherever two hashes differ; a hash whose cost is beyond the bounds below is
never reckoned (a file to be imported could otherwise stop the server), and ``why_unusable`` says why; nothing raises.
RFC 2307 §5.3, RFC 5803 §2, RFC 8018 §5.2. Not here: threads and the memory of right passwords (``identity.passwords``).
Tests: ``tests/unit/services/identity/test_schemes.py``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from posthouse.services.identity.crypt_library import crypt_hash, system_crypt

ENCODED_LENGTH: Final = 1_024
MEMORY_KIB: Final = 256 * 1024
PASSES: Final = 32
WORK_KIB: Final = 2 * 1024 * 1024  # memory times passes
LANES: Final = 16
SHA_CRYPT_ROUNDS: Final = 500_000  # about half a second
PBKDF2_ROUNDS: Final = 2_000_000  # about a second; Django writes up to 1 200 000
BCRYPT_COST: Final = 14  # about a second

_ARGON2 = re.compile(r"\$argon2(?:id|i)\$v=\d+\$m=(\d{1,12}),t=(\d{1,12}),p=(\d{1,12})\$[^$]+\$[^$]+")
_SHA_CRYPT = re.compile(r"\$[56]\$(?:rounds=(\d{1,12})\$)?[^$]{0,16}\$[./0-9A-Za-z]+")
_MD5_CRYPT = re.compile(r"\$(?:1|apr1)\$[^$]{0,8}\$[./0-9A-Za-z]{22}")
_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$[./0-9A-Za-z]{53}")
_DES = re.compile(r"[./0-9A-Za-z]{13}")
# the third letter is the binary logarithm of the cost, the fourth the block size: together at most 64 MiB
_YESCRYPT = re.compile(r"\$y\$j[./0-9AB][./0-9A-T]\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}")
_DJANGO = re.compile(r"pbkdf2_(sha1|sha256)\$(\d{1,12})\$([^$]+)\$([A-Za-z0-9+/=]+)")
_DOVECOT_PBKDF2 = re.compile(r"\$1\$([^$]+)\$(\d{1,12})\$([0-9A-Fa-f]+)")
_SCRAM = re.compile(r"(\d{1,12}),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+)")
_BRACES = re.compile(r"\{([A-Za-z0-9-]{1,32})(?:\.(B64|BASE64|HEX))?\}(.*)", re.IGNORECASE | re.DOTALL)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class _Unusable(Exception):  # noqa: N818  (a finding about a hash)
    """The hash cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme for people: its word, what it is, and whether it withstands guessing by today's measure."""

    name: str
    summary: str
    is_strong: bool = False


def verify(encoded: str, password: bytes) -> bool:
    """Whether the password fits the encoded one. Takes up to a second of processor time; call it in a thread.

    An empty password, an empty hash and a hash that is unusable never fit.
    """
    if not password or not encoded:
        return False
    try:
        return _check_of(encoded)(password)
    except _Unusable:
        return False


def why_unusable(encoded: str) -> str:
    """Return why no password can ever fit this hash, in words for an administrator; "" where one can."""
    try:
        _check_of(encoded)
    except _Unusable as finding:
        return str(finding)
    return ""


def needs_upgrade(encoded: str, hasher: argon2.PasswordHasher) -> bool:
    """Whether the password should be hashed anew when it is next seen: another scheme or another cost than ours."""
    if not encoded.startswith("$argon2id$"):
        return True
    try:
        return hasher.check_needs_rehash(encoded)
    except InvalidHashError:
        return True


def is_weak(encoded: str) -> bool:
    """Whether the scheme is one that a thief of the store would undo quickly, or no hash at all."""
    name = scheme_of(encoded)
    return not any(scheme.name == name and scheme.is_strong for scheme in known_schemes())


def scheme_of(encoded: str) -> str:
    """Return the word for the scheme of an encoded password, such as ``SSHA256``; "" where it is none we know."""
    braces = _BRACES.fullmatch(encoded)
    name = braces[1].upper() if braces else ""
    rest = braces[3] if braces else encoded
    if braces and braces[2] and name in _DRESSED:
        try:
            rest = _undress(rest, braces[2].upper())
        except _Unusable:
            return ""
    for prefix, word in _PREFIXES.items():
        if rest.startswith(prefix) and (not name or name in _CRYPTS or name.startswith("ARGON2")):
            return word
    if name in _CRYPTS or not name:
        return "DES-CRYPT" if _DES.fullmatch(rest) else ""
    name = {"CLEARTEXT": "PLAIN", "CLEAR": "PLAIN", "SHA1": "SHA"}.get(name, name)
    return name if name in _BY_NAME else ""


def known_schemes() -> tuple[Scheme, ...]:
    """Return every scheme that is understood, ours first."""
    return _SCHEMES


# ---- which check an encoded password asks for -----------------------------------------------------------------------

Check = Callable[[bytes], bool]


def _check_of(encoded: str) -> Check:
    if len(encoded) > ENCODED_LENGTH:
        raise _Unusable(f"it is longer than {ENCODED_LENGTH} characters")
    braces = _BRACES.fullmatch(encoded)
    if braces is None:
        return _bare(encoded)
    name, form, rest = braces[1].upper(), (braces[2] or "").upper(), braces[3]
    if name == "MD5" and rest.startswith("$1$"):
        name = "CRYPT"
    make = _BY_NAME.get(name)
    if make is None:
        raise _Unusable(f"the scheme {name} is not known")
    return make(_undress(rest, form) if form and name in _DRESSED else rest)


def _undress(text: str, form: str) -> str:
    """Take the encoding off that Dovecot puts around any scheme; digests are told apart by their look instead."""
    try:
        return (bytes.fromhex(text) if form == "HEX" else base64.b64decode(text, validate=True)).decode()
    except ValueError:
        raise _Unusable(f"what follows the scheme is not {form.lower()}") from None


def _bare(encoded: str) -> Check:
    if encoded.startswith("$argon2"):
        return _argon2(encoded)
    if encoded.startswith("argon2$"):  # Django's way of writing it
        return _argon2(encoded.removeprefix("argon2"))
    if encoded.startswith("pbkdf2_"):
        return _django(encoded)
    if encoded.startswith("$") or _DES.fullmatch(encoded):
        return _crypt(encoded)
    raise _Unusable("it begins with no scheme that is known, such as $6$ or {SSHA256}")


def _within(value: str, most: int, what: str) -> int:
    if not 1 <= int(value) <= most:
        raise _Unusable(f"its {what} is {value[:12]}; more than {most} is not reckoned")
    return int(value)


def _argon2(encoded: str) -> Check:
    match = _ARGON2.fullmatch(encoded)
    if match is None:
        raise _Unusable("it is no well-formed Argon2 hash")
    memory = _within(match[1], MEMORY_KIB, "memory in KiB")
    passes = _within(match[2], PASSES, "number of passes")
    _within(match[3], LANES, "number of lanes")
    _within(str(memory * passes), WORK_KIB, "memory times passes")
    hasher = argon2.PasswordHasher()

    def check(password: bytes) -> bool:
        try:
            return hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    return check


def _crypt(encoded: str) -> Check:
    if match := _SHA_CRYPT.fullmatch(encoded):
        _within(match[1] or "5000", SHA_CRYPT_ROUNDS, "number of rounds")
    elif match := _BCRYPT.fullmatch(encoded):
        _within(match[1], BCRYPT_COST, "bcrypt cost")
        if system_crypt() is None:
            raise _Unusable("this machine has no crypt library that knows bcrypt")
    elif _YESCRYPT.fullmatch(encoded):
        if system_crypt() is None:
            raise _Unusable("this machine has no crypt library that knows yescrypt")
    elif not _MD5_CRYPT.fullmatch(encoded) and not _DES.fullmatch(encoded):
        raise _Unusable("it is no crypt(3) hash of a kind and cost that is reckoned")
    return lambda password: hmac.compare_digest(crypt_hash(password, encoded).encode(), encoded.encode())


def _pbkdf2(digest: str, salt: bytes, rounds: str, wanted: bytes) -> Check:
    count = _within(rounds, PBKDF2_ROUNDS, "number of rounds")
    if not 16 <= len(wanted) <= 64:
        raise _Unusable("its length is none of PBKDF2")
    return lambda password: hmac.compare_digest(hashlib.pbkdf2_hmac(digest, password, salt, count, len(wanted)), wanted)


def _django(encoded: str) -> Check:
    match = _DJANGO.fullmatch(encoded)
    if match is None:
        raise _Unusable("it is no well-formed PBKDF2 hash")
    return _pbkdf2(match[1], match[3].encode(), match[2], _base64(match[4]))


def _dovecot_pbkdf2(rest: str) -> Check:
    if rest.startswith("pbkdf2_"):
        return _django(rest)
    match = _DOVECOT_PBKDF2.fullmatch(rest)
    if match is None:
        raise _Unusable("it is no well-formed PBKDF2 hash")
    if len(match[3]) % 2:
        raise _Unusable("its hexadecimal digits are odd in number")
    return _pbkdf2("sha1", match[1].encode(), match[2], bytes.fromhex(match[3]))


def _scram(digest: str) -> Callable[[str], Check]:
    def make(rest: str) -> Check:
        match = _SCRAM.fullmatch(rest)
        if match is None:
            raise _Unusable("it is no well-formed SCRAM credential")
        count = _within(match[1], PBKDF2_ROUNDS, "number of rounds")
        salt, stored = _base64(match[2]), _base64(match[3])

        def check(password: bytes) -> bool:
            salted = hashlib.pbkdf2_hmac(digest, password, salt, count)
            key = hmac.digest(salted, b"Client Key", digest)
            return hmac.compare_digest(hashlib.new(digest, key).digest(), stored)

        return check

    return make


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise _Unusable("what should be base64 is not") from None


def _digest(name: str, *, salted: bool) -> Callable[[str], Check]:
    """Return the maker for a plain digest of password and salt, in base64 or hexadecimal (told apart by the look)."""
    size = hashlib.new(name, usedforsecurity=False).digest_size

    def make(rest: str) -> Check:
        is_hex = _HEX.fullmatch(rest) is not None and len(rest) >= 2 * size
        octets = bytes.fromhex(rest) if is_hex else _base64(rest)
        wanted, salt = octets[:size], octets[size:]
        if len(wanted) < size or (salt and not salted) or len(salt) > 64:
            raise _Unusable(f"its length is none of {name}")
        return lambda password: hmac.compare_digest(
            hashlib.new(name, password + salt, usedforsecurity=False).digest(), wanted
        )

    return make


def _hmailserver(rest: str) -> Check:
    """hMailServer: six hexadecimal digits of salt, then SHA-256 over those six characters and the password."""
    if not re.fullmatch(r"[0-9A-Fa-f]{70}", rest):
        raise _Unusable("it is not six digits of salt and 64 of SHA-256")
    salt, wanted = rest[:6].encode(), bytes.fromhex(rest[6:])
    return lambda password: hmac.compare_digest(hashlib.sha256(salt + password).digest(), wanted)


def _plain(rest: str) -> Check:
    if not rest:
        raise _Unusable("there is no password in it")
    return lambda password: hmac.compare_digest(password, rest.encode())


_CRYPTS: Final = frozenset(
    {"CRYPT", "MD5", "MD5-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT", "DES-CRYPT", "BCRYPT", "YESCRYPT"}
)
_PLAINS: Final = frozenset({"PLAIN", "CLEAR", "CLEARTEXT"})
_DRESSED: Final = _CRYPTS - {"MD5"} | _PLAINS
_BY_NAME: dict[str, Callable[[str], Check]] = {
    **dict.fromkeys(_CRYPTS, _crypt),
    **dict.fromkeys(_PLAINS, _plain),
    "ARGON2ID": _argon2,
    "ARGON2I": _argon2,
    "ARGON2": _argon2,
    "PBKDF2": _dovecot_pbkdf2,
    "SCRAM-SHA-1": _scram("sha1"),
    "SCRAM-SHA-256": _scram("sha256"),
    "MD5": _digest("md5", salted=False),
    "PLAIN-MD5": _digest("md5", salted=False),
    "LDAP-MD5": _digest("md5", salted=False),
    "SMD5": _digest("md5", salted=True),
    "SHA": _digest("sha1", salted=False),
    "SHA1": _digest("sha1", salted=False),
    "SSHA": _digest("sha1", salted=True),
    "SHA256": _digest("sha256", salted=False),
    "SSHA256": _digest("sha256", salted=True),
    "SHA512": _digest("sha512", salted=False),
    "SSHA512": _digest("sha512", salted=True),
    "HMAILSERVER-MD5": _digest("md5", salted=False),
    "HMAILSERVER-SHA256": _hmailserver,
}
_PREFIXES: Final = {
    "$argon2id$": "ARGON2ID",
    "argon2$argon2id$": "ARGON2ID",
    "$argon2i$": "ARGON2I",
    "$1$": "MD5-CRYPT",
    "$apr1$": "MD5-CRYPT",
    "$5$": "SHA256-CRYPT",
    "$6$": "SHA512-CRYPT",
    "$2": "BLF-CRYPT",
    "$y$": "YESCRYPT",
    "pbkdf2_": "PBKDF2",
}
_SCHEMES: Final = (
    Scheme("ARGON2ID", "Argon2id, our own", is_strong=True),
    Scheme("ARGON2I", "Argon2i", is_strong=True),
    Scheme("YESCRYPT", "yescrypt of crypt(3), `$y$`", is_strong=True),
    Scheme("BLF-CRYPT", "bcrypt, `$2y$`", is_strong=True),
    Scheme("SHA512-CRYPT", "crypt(3) with SHA-512, `$6$`", is_strong=True),
    Scheme("SHA256-CRYPT", "crypt(3) with SHA-256, `$5$`", is_strong=True),
    Scheme("PBKDF2", "PBKDF2 as Dovecot and Django write it", is_strong=True),
    Scheme("SCRAM-SHA-256", "the stored half of SCRAM-SHA-256", is_strong=True),
    Scheme("SCRAM-SHA-1", "the stored half of SCRAM-SHA-1", is_strong=True),
    Scheme("MD5-CRYPT", "crypt(3) with MD5, `$1$`, and Apache's `$apr1$`"),
    Scheme("DES-CRYPT", "crypt(3) of old, thirteen characters"),
    Scheme("SSHA512", "SHA-512 with a salt"),
    Scheme("SSHA256", "SHA-256 with a salt"),
    Scheme("SSHA", "SHA-1 with a salt"),
    Scheme("SMD5", "MD5 with a salt"),
    Scheme("SHA512", "SHA-512 without a salt"),
    Scheme("SHA256", "SHA-256 without a salt"),
    Scheme("SHA", "SHA-1 without a salt; also SHA1"),
    Scheme("MD5", "MD5 without a salt, base64 or hexadecimal"),
    Scheme("PLAIN-MD5", "the same in Dovecot's words"),
    Scheme("LDAP-MD5", "the same in Dovecot's words"),
    Scheme("HMAILSERVER-SHA256", "hMailServer: SHA-256 with six digits of salt"),
    Scheme("HMAILSERVER-MD5", "hMailServer of old: MD5 without a salt"),
    Scheme("PLAIN", "the password itself; also CLEARTEXT"),
)
