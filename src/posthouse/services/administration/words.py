"""What people write, turned into values, with refusals that name the word (addresses, domains, sizes, hosts).

Tests: ``tests/unit/services/administration/test_words.py``.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final

from posthouse.core import limits
from posthouse.core.address import Address, fold_domain, format_local_part, parse_address
from posthouse.core.errors import SyntaxFault
from posthouse.services.administration.faults import Refused

_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
LARGEST: Final = 1 << 60  # octets: an exbibyte; what every store can add up
WRITE_DOMAIN: Final = "Write it like example.org."
_SHORT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
NAME_LONGEST: Final = 200  # characters of a name that people see
PASSWORD_SHORTEST = 8


def domain_name(text: str, field: str = "") -> str:
    """Return a domain in its folded form. Raises Refused: where it is none."""
    try:
        name = fold_domain(unicodedata.normalize("NFC", text.strip()))
    except SyntaxFault as fault:
        raise Refused(f"{shown(text)} is not a domain ({fault.detail})", WRITE_DOMAIN, field=field) from None
    if name.startswith("["):
        raise Refused(f"{shown(text)} is an address literal, not a domain", WRITE_DOMAIN, field=field)
    return name


def mail_address(text: str, field: str = "") -> Address:
    """Return an address. Raises Refused: with the place where it stops being one."""
    try:
        return parse_address(unicodedata.normalize("NFC", text.strip()))
    except SyntaxFault as fault:
        raise Refused(
            f"{shown(text)} is not an address ({fault.detail}, at character {fault.offset + 1})",
            "Write it like anna@example.org.",
            field=field,
        ) from None


def own_address(text: str, field: str = "") -> str:
    """Return the folded address of an account, alias or group of ours. Raises Refused.

    Its local part is quoted exactly where it must be (RFC 5321 §4.1.2), so that all ways to write one address lead to
    the same.
    """
    address = mail_address(text, field)
    octets = len(address.local_part.encode())
    if octets > limits.LOCAL_PART:
        raise Refused(
            f"the local part of {shown(text)} has {octets} octets, more than {limits.LOCAL_PART} (RFC 5321 §4.5.3.1.1)",
            "Choose a shorter one.",
            field=field,
        )
    if not address.local_part or address.domain.startswith("["):
        raise Refused(f"{shown(text)} cannot be an address of ours", "Write it like anna@example.org.", field=field)
    return f"{format_local_part(address.local_part.lower())}@{address.domain}"


def size(text: str, field: str = "") -> int:
    """Return octets from ``500M``, ``2G``, ``1048576`` or ``0``. Raises Refused."""
    match = _SIZE.fullmatch(text.strip())
    octets = int(float(match[1]) * _FACTORS[match[2].lower()]) if match is not None else -1
    if not 0 <= octets <= LARGEST:
        raise Refused(f"{shown(text)} is not a size", "Write it like 500M or 2G; 0 means no limit.", field=field)
    return octets


def short_name(text: str, field: str = "") -> str:
    """Return the folded name of a post office or a sign-in source. Raises Refused."""
    name = text.strip().lower()
    if not _SHORT_NAME.fullmatch(name):
        raise Refused(
            f"{shown(text)} is not a name",
            "Use up to 64 letters a-z, digits, dots, hyphens and underscores, such as acme.",
            field=field,
        )
    return name


def language(text: str, field: str = "language") -> str:
    """Return a language tag such as ``en`` or ``de-AT``; "" for none (RFC 5646 §2.1). Raises Refused."""
    bare = text.strip()
    if bare and not _LANGUAGE.fullmatch(bare):
        raise Refused(f"{shown(text)} is not a language", "Write it like en, de or pt-BR.", field=field)
    return bare


def line(text: str, longest: int = 1_000, field: str = "") -> str:
    """Return a line of text for people. Raises Refused: where it is long, or has characters that are not shown."""
    what = field or "the text"
    if len(text) > longest:
        raise Refused(f"{what} has {len(text)} characters", f"Use at most {longest}.", field=field)
    if not text.isprintable():
        raise Refused(
            f"{what} {shown(text)} has characters that are not shown", "Use one line of plain text.", field=field
        )
    return unicodedata.normalize("NFC", text)


def paragraphs(text: str, longest: int = 100_000) -> str:
    """Return a text of several lines, with LF line ends. Raises Refused."""
    bare = text.replace("\r\n", "\n")
    if len(bare) > longest:
        raise Refused(f"the text has {len(bare)} characters", f"Use at most {longest}.")
    if not bare.replace("\n", "").replace("\t", "").isprintable():
        raise Refused("the text has characters that are not shown", "Use plain text.")
    return bare


def shown(text: str) -> str:
    """Return what somebody wrote, short enough for a message, and so that it cannot steer a terminal."""
    return ascii(text if len(text) <= 60 else text[:57] + "...") if not text.isprintable() else repr(text[:60])


def printable(text: str) -> str:
    """Return a text without the characters that are not shown."""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def host_name(text: str, field: str = "") -> str:
    """Return a host: a name or an IP address without brackets. Raises Refused."""
    bare = text.strip().removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return domain_name(bare, field)


def listen_address(text: str) -> str:
    """Return an IP address to listen on, without brackets, or ``*`` for all of them. Raises Refused."""
    bare = text.strip().removeprefix("[").removesuffix("]")
    try:
        return bare if bare == "*" else str(ipaddress.ip_address(bare))
    except ValueError:
        raise Refused(
            f"{text!r} is not an address to listen on", "Give an IP address of this machine, or * for all."
        ) from None


def password(secret: bytes) -> bytes:
    """Return a password without its line end. Raises Refused: where it is too short or too long."""
    bare = secret.removesuffix(b"\n").removesuffix(b"\r")
    if len(bare) < PASSWORD_SHORTEST:
        raise Refused(f"the password has fewer than {PASSWORD_SHORTEST} characters", "Choose a longer one.")
    if len(bare) > 1024 or b"\0" in bare or b"\n" in bare:
        raise Refused("the password has more than 1024 octets, or more than one line", "Give one line of text.")
    return bare
