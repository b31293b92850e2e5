"""``search-key`` and what stands before the keys (RFC 3501 §9, RFC 4731 §3.1, RFC 7162 §7).

Nesting by parentheses, NOT and OR is limited together to ``limits.IMAP_NESTING``.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

from posthouse.core import limits
from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.core.flags import Flag
from posthouse.protocols.imap.grammar.dates import date
from posthouse.protocols.imap.grammar.sequence import sequence_set
from posthouse.protocols.imap.grammar.strings import astring, atom, expect, number64, parenthesised, space, word
from posthouse.protocols.imap.types import search
from posthouse.protocols.imap.types.search import CharsetFault, Comparison, SearchKey, SearchReturn

# What a client may name in CHARSET; others get BADCHARSET with the first two (RFC 3501 §7.1).
_CHARSETS = {
    b"US-ASCII": "ascii",
    b"ASCII": "ascii",
    b"UTF-8": "utf-8",
    b"UTF8": "utf-8",
    b"ISO-8859-1": "iso-8859-1",
    b"ISO-8859-15": "iso-8859-15",
    b"WINDOWS-1252": "cp1252",
    b"KOI8-R": "koi8-r",
    b"ISO-2022-JP": "iso-2022-jp",
    b"SHIFT_JIS": "shift_jis",
    b"EUC-JP": "euc-jp",
    b"GB2312": "gb2312",
    b"GBK": "gbk",
    b"BIG5": "big5",
    b"EUC-KR": "euc-kr",
}
_NOT_SEEN = search.HasFlag(Flag.SEEN, False)
_NEW = search.And((search.Recent(), _NOT_SEEN))
_FLAG_WORDS = (
    (b"ANSWERED", Flag.ANSWERED),
    (b"DELETED", Flag.DELETED),
    (b"DRAFT", Flag.DRAFT),
    (b"FLAGGED", Flag.FLAGGED),
    (b"SEEN", Flag.SEEN),
)
_CONSTANT: dict[bytes, SearchKey] = {
    b"ALL": search.All(),
    b"NEW": _NEW,
    b"OLD": search.Not(search.Recent()),
    b"RECENT": search.Recent(),
}
_CONSTANT.update({name: search.HasFlag(flag) for name, flag in _FLAG_WORDS})
_CONSTANT.update({b"UN" + name: search.HasFlag(flag, False) for name, flag in _FLAG_WORDS})

_DAYS = {
    b"BEFORE": (Comparison.BEFORE, False),
    b"ON": (Comparison.ON, False),
    b"SINCE": (Comparison.SINCE, False),
    b"SENTBEFORE": (Comparison.BEFORE, True),
    b"SENTON": (Comparison.ON, True),
    b"SENTSINCE": (Comparison.SINCE, True),
}
_HEADERS = {b"FROM": "from", b"TO": "to", b"CC": "cc", b"BCC": "bcc", b"SUBJECT": "subject"}
_ENTRY_TYPES = frozenset({b"PRIV", b"SHARED", b"ALL"})


def search_return(text: bytes, at: int) -> tuple[SearchReturn, int]:
    """``"(" [search-return-opt *(SP search-return-opt)] ")"``; none means ALL (RFC 4731 §3.1)."""
    names, at = parenthesised(text, at, word, most=16, empty=True)
    found = SearchReturn(0)
    for name in names:
        try:
            found |= SearchReturn[name.decode("ascii")]
        except KeyError:
            raise SyntaxFault("no such return option", where="imap.search", offset=at) from None
    return found or SearchReturn.ALL, at


def charset(text: bytes, at: int) -> tuple[str, int]:
    """``astring`` naming a charset, as a codec. Raises CharsetFault too."""
    name, at = astring(text, at)
    codec = _CHARSETS.get(name.upper())
    if codec is None:
        raise CharsetFault("unknown charset", where="imap.search", offset=at)
    return codec, at


def search_keys(text: bytes, at: int, codec: str) -> tuple[SearchKey, int]:
    """``search-key *(SP search-key)`` up to the end of the command, as one key."""
    return _Keys(text, codec).keys(at, depth=0)


class _Keys:
    """One search program while it is read: its octets and the charset of its strings."""

    __slots__ = ("codec", "text")

    def __init__(self, text: bytes, codec: str) -> None:
        self.text = text
        self.codec = codec

    def keys(self, at: int, depth: int) -> tuple[SearchKey, int]:
        """Keys with spaces between, up to a closing parenthesis or the end."""
        found = []
        while True:
            key, at = self.key(at, depth)
            found.append(key)
            if at == len(self.text) or self.text.startswith(b")", at):
                return (found[0] if len(found) == 1 else search.And(tuple(found))), at
            at = space(self.text, at)

    def key(self, at: int, depth: int) -> tuple[SearchKey, int]:
        """``search-key``."""
        if depth > limits.IMAP_NESTING:
            raise LimitFault("search keys nested too deep", where="imap.search")
        sign = self.text[at : at + 1]
        if sign == b"(":
            key, at = self.keys(at + 1, depth + 1)
            return key, expect(self.text, at, b")")
        if sign.isdigit() or sign == b"*":
            numbers, at = sequence_set(self.text, at)
            return search.SequenceNumbers(numbers), at
        name, after = word(self.text, at)
        constant = _CONSTANT.get(name)
        if constant is not None:
            return constant, after
        if name == b"NOT":
            key, at = self.key(space(self.text, after), depth + 1)
            return search.Not(key), at
        if name == b"OR":
            left, at = self.key(space(self.text, after), depth + 1)
            right, at = self.key(space(self.text, at), depth + 1)
            return search.Or(left, right), at
        production = _WITH_ARGUMENT.get(name)
        if production is None:
            raise SyntaxFault("no such search key", where="imap.search", offset=at)
        return production(self, name, space(self.text, after))

    def _string(self, at: int) -> tuple[str, int]:
        data, after = astring(self.text, at)
        try:
            return data.decode(self.codec), after
        except UnicodeDecodeError:
            raise SyntaxFault("not in the charset", where="imap.search", offset=at) from None

    def _day(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        day, at = date(self.text, at)
        comparison, sent = _DAYS[name]
        return search.Day(comparison, day, sent), at

    def _header_named(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        text, at = self._string(at)
        return search.HeaderContains(_HEADERS[name], text), at

    def _header(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        field, after = astring(self.text, at)
        if not field.isascii():
            raise SyntaxFault("no header has such a name", where="imap.search", offset=at)
        text, at = self._string(space(self.text, after))
        return search.HeaderContains(field.decode("ascii").lower(), text), at

    def _body(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        text, at = self._string(at)
        return search.BodyContains(text), at

    def _text(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        text, at = self._string(at)
        return search.TextContains(text), at

    def _keyword(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        keyword, at = atom(self.text, at)
        return search.HasKeyword(keyword.decode("ascii"), name == b"KEYWORD"), at

    def _size(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        octets, at = number64(self.text, at)
        return (search.Larger(octets) if name == b"LARGER" else search.Smaller(octets)), at

    def _uid(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        numbers, at = sequence_set(self.text, at)
        return search.Uids(numbers), at

    def _modseq(self, name: bytes, at: int) -> tuple[SearchKey, int]:
        if self.text.startswith(b'"', at):
            _, at = astring(self.text, at)
            kind, at = word(self.text, space(self.text, at))
            if kind not in _ENTRY_TYPES:
                raise SyntaxFault("no such entry type", where="imap.search", offset=at)
            at = space(self.text, at)
        modseq, at = number64(self.text, at)
        return search.ModSeqAtLeast(modseq), at


_WITH_ARGUMENT: dict[bytes, Callable[[_Keys, bytes, int], tuple[SearchKey, int]]] = {
    b"HEADER": _Keys._header,  # noqa: SLF001  (the table of the class's own productions)
    b"BODY": _Keys._body,  # noqa: SLF001
    b"TEXT": _Keys._text,  # noqa: SLF001
    b"KEYWORD": _Keys._keyword,  # noqa: SLF001
    b"UNKEYWORD": _Keys._keyword,  # noqa: SLF001
    b"LARGER": _Keys._size,  # noqa: SLF001
    b"SMALLER": _Keys._size,  # noqa: SLF001
    b"UID": _Keys._uid,  # noqa: SLF001
    b"MODSEQ": _Keys._modseq,  # noqa: SLF001
}
_WITH_ARGUMENT.update(dict.fromkeys(_DAYS, _Keys._day))  # noqa: SLF001
_WITH_ARGUMENT.update(dict.fromkeys(_HEADERS, _Keys._header_named))  # noqa: SLF001
for _codec in _CHARSETS.values():
    codecs.lookup(_codec)  # the codecs are loaded at import, not in the first search
