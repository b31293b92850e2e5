"""Atoms, strings, numbers and the octets between them (RFC 3501 §9, RFC 7888 §3). No command is known here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.protocols.imap.types.mailbox_name import parse_name

T = TypeVar("T")

# atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_ASTRING_CHARS = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
_LIST_CHARS = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\\]+')
# 8-bit octets are taken in quoted strings: passwords and search text come so, whatever the grammar says
_QUOTED = re.compile(rb'"([^\x00\r\n"\\]*(?:\\["\\][^\x00\r\n"\\]*)*)"')
_LITERAL = re.compile(rb"\{([0-9]{1,18})\+?\}\r\n")
_ESCAPE = re.compile(rb'\\(["\\])')
_NUMBER = re.compile(rb"[0-9]{1,20}")
_NIL = re.compile(rb"[Nn][Ii][Ll](?=[ )]|\Z)")

TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]{1,256}')


def space(text: bytes, at: int) -> int:
    """Expect SP; return the place after it."""
    if not text.startswith(b" ", at):
        raise SyntaxFault("space expected", where="imap", offset=at)
    return at + 1


def expect(text: bytes, at: int, sign: bytes) -> int:
    """Expect these octets; return the place after them."""
    if not text.startswith(sign, at):
        raise SyntaxFault("unexpected octet", where="imap", offset=at)
    return at + len(sign)


def end(text: bytes, at: int) -> None:
    """Expect the end of the command."""
    if at != len(text):
        raise SyntaxFault("the command should end here", where="imap", offset=at)


def atom(text: bytes, at: int) -> tuple[bytes, int]:
    """``atom = 1*ATOM-CHAR``."""
    match = _ATOM.match(text, at)
    if match is None:
        raise SyntaxFault("atom expected", where="imap.atom", offset=at)
    return match.group(), match.end()


def word(text: bytes, at: int) -> tuple[bytes, int]:
    """An atom that is a name of the grammar, in upper case."""
    match = _ATOM.match(text, at)
    if match is None:
        raise SyntaxFault("name expected", where="imap.atom", offset=at)
    return match.group().upper(), match.end()


def string(text: bytes, at: int) -> tuple[bytes, int]:
    """``string = quoted / literal``."""
    match = _QUOTED.match(text, at)
    if match is not None:
        inner = match.group(1)
        return (_ESCAPE.sub(rb"\1", inner) if b"\\" in inner else inner), match.end()
    return literal(text, at)


def literal(text: bytes, at: int) -> tuple[bytes, int]:
    """``literal = "{" number ["+"] "}" CRLF *CHAR8`` (RFC 7888 §8); no NUL."""
    match = _LITERAL.match(text, at)
    if match is None:
        raise SyntaxFault("string expected", where="imap.string", offset=at)
    start = match.end()
    stop = start + int(match.group(1))
    data = text[start:stop]
    if stop > len(text) or b"\0" in data:
        raise SyntaxFault("NUL in a literal", where="imap.literal", offset=start)
    return data, stop


def astring(text: bytes, at: int) -> tuple[bytes, int]:
    """``astring = 1*ASTRING-CHAR / string``."""
    match = _ASTRING_CHARS.match(text, at)
    if match is not None:
        return match.group(), match.end()
    return string(text, at)


def nstring(text: bytes, at: int) -> tuple[bytes | None, int]:
    """``nstring = string / nil``."""
    match = _NIL.match(text, at)
    if match is not None:
        return None, match.end()
    return string(text, at)


def list_mailbox(text: bytes, at: int) -> tuple[bytes, int]:
    """``list-mailbox = 1*list-char / string``."""
    match = _LIST_CHARS.match(text, at)
    if match is not None:
        return match.group(), match.end()
    return string(text, at)


def mailbox(text: bytes, at: int) -> tuple[str, int]:
    """``mailbox = "INBOX" / astring``, decoded and valid. Raises NameFault too."""
    data, at = astring(text, at)
    return parse_name(data), at


def number(text: bytes, at: int, largest: int = 2**32 - 1) -> tuple[int, int]:
    """``number = 1*DIGIT``, up to ``largest``."""
    match = _NUMBER.match(text, at)
    if match is None:
        raise SyntaxFault("number expected", where="imap.number", offset=at)
    value = int(match.group())
    if value > largest:
        raise SyntaxFault("number too large", where="imap.number", offset=at)
    return value, match.end()


def number64(text: bytes, at: int) -> tuple[int, int]:
    """``mod-sequence-valzer``: 63 bits (RFC 7162 §7)."""
    return number(text, at, 2**63 - 1)


def parenthesised(
    text: bytes, at: int, item: Callable[[bytes, int], tuple[T, int]], *, most: int, empty: bool = False
) -> tuple[list[T], int]:
    """``"(" item *(SP item) ")"``, or ``"()"`` where ``empty`` is allowed; at most so many items."""
    at = expect(text, at, b"(")
    found: list[T] = []
    if empty and text.startswith(b")", at):
        return found, at + 1
    while True:
        value, at = item(text, at)
        found.append(value)
        if len(found) > most:
            raise LimitFault("too many items in a list", where="imap")
        if text.startswith(b")", at):
            return found, at + 1
        at = space(text, at)
