"""``fetch-att``, sections and partials (RFC 3501 §9)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.grammar.strings import astring, parenthesised
from posthouse.protocols.imap.types.fetch import BodySection, FetchAttribute, FetchItem, SectionText

_MOST_ITEMS = 1_000
_MOST_HEADERS = 1_000
_LONGEST_CACHED = 128
_NAME = re.compile(rb"[A-Za-z0-9.]+")
_SECTION = re.compile(
    rb"\[((?:[1-9][0-9]{0,8})(?:\.[1-9][0-9]{0,8}){0,99})?(\.?)"
    rb"(HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME)?",
    re.IGNORECASE,
)
_PARTIAL = re.compile(rb"<([0-9]{1,19})\.([1-9][0-9]{0,18})>")
_PLAIN_NAME = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')

_FAST = (FetchAttribute.FLAGS, FetchAttribute.INTERNALDATE, FetchAttribute.RFC822_SIZE)
_MACROS: dict[bytes, tuple[FetchItem, ...]] = {
    b"FAST": _FAST,
    b"ALL": (*_FAST, FetchAttribute.ENVELOPE),
    b"FULL": (*_FAST, FetchAttribute.ENVELOPE, FetchAttribute.BODY),
}
_WITH_FIELDS = (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT)
_ITEMS: dict[bytes, FetchItem] = {item.value: item for item in FetchAttribute} | {
    b"RFC822": BodySection(label=b"RFC822"),
    b"RFC822.HEADER": BodySection(text=SectionText.HEADER, peek=True, label=b"RFC822.HEADER"),
    b"RFC822.TEXT": BodySection(text=SectionText.TEXT, label=b"RFC822.TEXT"),
}


def fetch_items(text: bytes, at: int) -> tuple[tuple[FetchItem, ...], int]:
    """``"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"``, without doubles."""
    if text.startswith(b"(", at):
        stop = text.find(b")", at)
        if text.endswith(b")") and stop == len(text) - 1 and stop - at < _LONGEST_CACHED:
            return _short_list(text[at:]), stop + 1
        items, at = parenthesised(text, at, fetch_att, most=_MOST_ITEMS)
        return _once(items), at
    match = _NAME.match(text, at)
    macro = _MACROS.get(match.group().upper()) if match else None
    if match and macro:
        return macro, match.end()
    item, at = fetch_att(text, at)
    return (item,), at


@lru_cache(maxsize=512)
def _short_list(text: bytes) -> tuple[FetchItem, ...]:
    """Read a short list that fills its text; clients repeat the same few."""
    items, at = parenthesised(text, 0, fetch_att, most=_MOST_ITEMS)
    if at != len(text):
        raise SyntaxFault("the list should end here", where="imap.fetch", offset=at)
    return _once(items)


def _once(items: Iterable[FetchItem]) -> tuple[FetchItem, ...]:
    return tuple(dict.fromkeys(items))


def fetch_att(text: bytes, at: int) -> tuple[FetchItem, int]:
    """``fetch-att``: an attribute, or BODY with a section."""
    match = _NAME.match(text, at)
    if match is None:
        raise SyntaxFault("item expected", where="imap.fetch", offset=at)
    name, stop = match.group().upper(), match.end()
    if text.startswith(b"[", stop):
        if name not in {b"BODY", b"BODY.PEEK"}:
            raise SyntaxFault("no section is possible here", where="imap.fetch", offset=stop)
        return body_section(text, stop, peek=name == b"BODY.PEEK")
    item = _ITEMS.get(name)
    if item is None:
        raise SyntaxFault("no such item", where="imap.fetch", offset=at)
    return item, stop


def body_section(text: bytes, at: int, *, peek: bool) -> tuple[BodySection, int]:
    """``section ["<" number "." nz-number ">"]`` behind BODY or BODY.PEEK."""
    match = _SECTION.match(text, at)
    numbers, dot, name = match.groups() if match else (None, b"", None)
    if match is None or bool(dot) != bool(numbers and name):
        raise SyntaxFault("malformed section", where="imap.section", offset=at)
    kind = SectionText(name.upper()) if name else SectionText.WHOLE
    part = tuple(map(int, numbers.split(b"."))) if numbers else ()
    if kind is SectionText.MIME and not part:
        raise SyntaxFault("MIME needs a part", where="imap.section", offset=at)
    stop = match.end()
    names: list[bytes] = []
    if kind in _WITH_FIELDS:
        names, stop = _header_list(text, stop)
    label = b"BODY[" + text[at + 1 : match.end()].upper()
    if names:
        label += b" (" + b" ".join(map(_label_name, names)) + b")"
    if not text.startswith(b"]", stop):
        raise SyntaxFault("malformed section", where="imap.section", offset=stop)
    partial, stop = _partial(text, stop + 1)
    label += b"]" if partial is None else b"]<%d>" % partial[0]
    fields = tuple(dict.fromkeys(item.lower() for item in names))
    return BodySection(part=part, text=kind, fields=fields, partial=partial, peek=peek, label=label), stop


def _header_list(text: bytes, at: int) -> tuple[list[bytes], int]:
    """``header-list = SP "(" header-fld-name *(SP header-fld-name) ")"``; names are printable ASCII."""
    if not text.startswith(b" ", at):
        raise SyntaxFault("header names expected", where="imap.section", offset=at)
    names, stop = parenthesised(text, at + 1, astring, most=_MOST_HEADERS)
    if any(not name.isascii() or not name or b"\r" in name or b"\n" in name for name in names):
        raise SyntaxFault("no header has such a name", where="imap.section", offset=at)
    return names, stop


def _label_name(name: bytes) -> bytes:
    if _PLAIN_NAME.fullmatch(name):
        return name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _partial(text: bytes, at: int) -> tuple[tuple[int, int] | None, int]:
    match = _PARTIAL.match(text, at)
    if match is None:
        if text.startswith(b"<", at):
            raise SyntaxFault("malformed partial", where="imap.section", offset=at)
        return None, at
    return (int(match.group(1)), int(match.group(2))), match.end()
