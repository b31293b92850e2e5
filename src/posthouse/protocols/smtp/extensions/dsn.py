"""DSN: what reports are wanted about a message (RFC 3461 §4; RFC 6533 §3 for addresses in UTF-8)."""

from __future__ import annotations

import re

from posthouse.core.envelope import Notify, Ret
from posthouse.core.errors import SyntaxFault
from posthouse.protocols.smtp.xtext import format_xtext, parse_xtext

_KINDS = {b"SUCCESS": Notify.SUCCESS, b"FAILURE": Notify.FAILURE, b"DELAY": Notify.DELAY}
_ADDR_TYPE = re.compile(rb"[A-Za-z0-9-]{1,32}")
# utf-8-addr-unitext, with EmbeddedUnicodeChar for what it leaves out (RFC 6533 §3)
_UTF8_ADDRESS = re.compile(r"(?:[!-*,-<>-\[\]-~\u0080-\U0010ffff]|\\x\{[0-9A-Fa-f]{2,6}\})+")
_EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_TO_EMBED = re.compile(r"[^!-*,-<>-\[\]-~]")
_ENVID_LIMIT = 100  # RFC 3461 §4.4
_ORCPT_LIMIT = 500  # RFC 3461 §5.4


def parse_notify(value: bytes) -> Notify:
    """``notify-esmtp-value = "NEVER" / 1#notify-list-element`` (RFC 3461 §4.1)."""
    words = value.upper().split(b",")
    if words == [b"NEVER"]:
        return Notify.NEVER
    notify = Notify.NEVER
    for word in words:
        if word not in _KINDS:
            raise SyntaxFault("unknown NOTIFY", where="NOTIFY")
        notify |= _KINDS[word]
    return notify


def format_notify(notify: Notify) -> bytes:
    """Format the parameter of RCPT."""
    if notify is Notify.NEVER:
        return b"NOTIFY=NEVER"
    return b"NOTIFY=" + b",".join(word for word, kind in _KINDS.items() if kind & notify)


def parse_orcpt(value: bytes) -> str:
    """``original-recipient-address = addr-type ";" xtext`` (RFC 3461 §4.2)."""
    addr_type, semicolon, address = value.partition(b";")
    if len(value) > _ORCPT_LIMIT or not semicolon or not address or not _ADDR_TYPE.fullmatch(addr_type):
        raise SyntaxFault("malformed ORCPT", where="ORCPT")
    if addr_type.lower() != b"utf-8":
        return f"{addr_type.decode()};{parse_xtext(address)}"
    try:
        text = address.decode("utf-8")
        if not _UTF8_ADDRESS.fullmatch(text):
            raise SyntaxFault("malformed ORCPT", where="ORCPT")
        text = _EMBEDDED.sub(lambda match: chr(int(match[1], 16)), text)
    except ValueError:  # not UTF-8, or beyond Unicode
        raise SyntaxFault("ORCPT is not UTF-8", where="ORCPT") from None
    if not text.isprintable():
        raise SyntaxFault("malformed ORCPT", where="ORCPT")
    return f"{addr_type.decode()};{text}"


def format_orcpt(orcpt: str) -> bytes:
    """Format the parameter of RCPT."""
    addr_type, _, address = orcpt.partition(";")
    if addr_type.lower() == "utf-8":
        # in ASCII, so that it may go to a peer without SMTPUTF8 as well
        embedded = _TO_EMBED.sub(lambda match: f"\\x{{{ord(match[0]):02X}}}", address)
        return f"ORCPT={addr_type};{embedded}".encode()
    return b"ORCPT=" + addr_type.encode() + b";" + format_xtext(address)


def parse_ret(value: bytes) -> Ret:
    """``ret-value = "FULL" / "HDRS"`` (RFC 3461 §4.3)."""
    try:
        return Ret(value.upper().decode("ascii", "replace"))
    except ValueError:
        raise SyntaxFault("unknown RET", where="RET") from None


def format_ret(ret: Ret) -> bytes:
    """Format the parameter of MAIL."""
    return b"RET=" + ret.value.encode()


def parse_envid(value: bytes) -> str:
    """``envid-parameter = "ENVID=" xtext`` (RFC 3461 §4.4)."""
    if not value or len(value) > _ENVID_LIMIT:
        raise SyntaxFault("ENVID empty or too long", where="ENVID")
    return parse_xtext(value)


def format_envid(envid: str) -> bytes:
    """Format the parameter of MAIL."""
    return b"ENVID=" + format_xtext(envid)
