r"""FETCH in bulk: the items of a command are compiled once, then rows become responses by the thousand.

    layout = fetch_layout(command.items)               # cached per tuple of items
    fields = [Field(name) for name in layout.columns]  # values of ``store.rows.Field``; the first is always "uid"
    rows = await store.messages(account, mailbox, ranges, fields)
    seqnums = selected.seqnums([row[0] for row in rows])
    session.untagged(layout.rows(seqnums, rows))

Where ``layout.sections`` is not empty, message by message instead:

    out = [layout.head(seqnum, row)]                    # ``* 1 FETCH (UID 5 FLAGS ()``, no closing parenthesis
    out.append(layout.section(item, data))              # `` BODY[] {5}\r\nhello``, for each of ``layout.sections``
    out.append(layout.section_head(item, size))         # or without the octets, which then follow in chunks
    out.append(CLOSE)                                   # ``)\r\n``

Rows are converted column by column and filled into one format for all of them: no call per row.
Tests: ``tests/unit/protocols/imap/test_imap_format.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeAlias

from posthouse.core.flags import FLAG_MASK_BYTES
from posthouse.protocols.imap.format.dates import internal_date
from posthouse.protocols.imap.format.structure import plain_body
from posthouse.protocols.imap.types.fetch import BodySection, FetchAttribute, FetchItem

CLOSE: Final = b")\r\n"
_RECENT_MASK_BYTES = tuple((b"\\Recent " + flags).rstrip() for flags in FLAG_MASK_BYTES)
Row: TypeAlias = tuple[Any, ...]

# item: its format, the columns it needs (values of store.rows.Field)
_ATTRIBUTES: dict[FetchAttribute, tuple[bytes, tuple[str, ...]]] = {
    FetchAttribute.UID: (b"UID %d", ("uid",)),
    FetchAttribute.FLAGS: (b"FLAGS (%b)", ("flags", "keywords")),
    FetchAttribute.INTERNALDATE: (b'INTERNALDATE "%b"', ("internal_date",)),
    FetchAttribute.RFC822_SIZE: (b"RFC822.SIZE %d", ("size",)),
    FetchAttribute.ENVELOPE: (b"ENVELOPE %b", ("envelope",)),
    FetchAttribute.BODY: (b"BODY %b", ("bodystructure",)),
    FetchAttribute.BODYSTRUCTURE: (b"BODYSTRUCTURE %b", ("bodystructure",)),
    FetchAttribute.MODSEQ: (b"MODSEQ (%d)", ("modseq",)),
}
_CONVERTED: dict[FetchAttribute, Callable[[Any], bytes]] = {
    FetchAttribute.INTERNALDATE: internal_date,
    FetchAttribute.BODY: plain_body,
}


def format_flags(flags: int, keywords: str, *, recent: bool = False) -> bytes:
    r"""Return the inside of a flag list; ``\Recent`` is the session's own word and is stored nowhere."""
    system = (_RECENT_MASK_BYTES if recent else FLAG_MASK_BYTES)[flags]
    if not keywords:
        return system
    return (system + b" " + keywords.encode("ascii", "replace")).lstrip()


def _flag_column(
    flags: Sequence[int], keywords: Sequence[str], uids: Sequence[int], recent_from: int
) -> Iterable[bytes]:
    if recent_from and uids[-1] >= recent_from:
        return [
            format_flags(mask, words, recent=uid >= recent_from)
            for mask, words, uid in zip(flags, keywords, uids, strict=True)
        ]
    if any(keywords):
        return map(format_flags, flags, keywords)
    return map(FLAG_MASK_BYTES.__getitem__, flags)


class FetchLayout:
    """The items of one FETCH, compiled.

    Attributes:
        columns: what rows must hold, in order, as names of ``store.rows.Field``; the first is ``uid``.
        sections: the body sections, in the order asked; they come after the attributes in each response.
    """

    __slots__ = ("_attributes", "_head", "_line", "columns", "sections")

    def __init__(self, items: tuple[FetchItem, ...]) -> None:
        self._attributes = tuple(item for item in items if isinstance(item, FetchAttribute))
        self.sections = tuple(item for item in items if isinstance(item, BodySection))
        needed = [name for item in self._attributes for name in _ATTRIBUTES[item][1]]
        self.columns = tuple(dict.fromkeys(["uid", *needed]))
        self._head = b"* %d FETCH (" + b" ".join([_ATTRIBUTES[item][0] for item in self._attributes])
        self._line = self._head + CLOSE

    def rows(self, seqnums: Sequence[int], rows: Sequence[Row], *, recent_from: int = 0) -> bytes:
        """Return one FETCH response for each row; rows rise by UID and ``seqnums`` are theirs.

        Messages from the UID ``recent_from`` on are recent; 0: none is.
        """
        if not rows:
            return b""
        return (self._line * len(rows)) % self._values(seqnums, rows, recent_from)

    def head(self, seqnum: int, row: Row, *, recent_from: int = 0) -> bytes:
        """Return the response for one row up to where the body sections follow."""
        return self._head % self._values((seqnum,), (row,), recent_from)

    def section(self, item: BodySection, data: bytes) -> bytes:
        """Return one body section with its octets."""
        return b"%b%b" % (self.section_head(item, len(data)), data)

    def section_nil(self, item: BodySection) -> bytes:
        """Return one body section that the message does not have."""
        return b"%b%b NIL" % (self._space_before(item), item.label)

    def _space_before(self, item: BodySection) -> bytes:
        return b" " if self._attributes or item is not self.sections[0] else b""

    def section_head(self, item: BodySection, size: int) -> bytes:
        """Return one body section up to its octets, of which ``size`` must follow."""
        return b"%b%b {%d}\r\n" % (self._space_before(item), item.label, size)

    def _values(self, seqnums: Sequence[int], rows: Sequence[Row], recent_from: int) -> tuple[Any, ...]:
        """Return all values of all rows, flat, in the order the format takes them."""
        columns = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
        filled: list[Iterable[Any]] = [seqnums]
        for item in self._attributes:
            if item is FetchAttribute.FLAGS:
                filled.append(_flag_column(columns["flags"], columns["keywords"], columns["uid"], recent_from))
                continue
            column = columns[_ATTRIBUTES[item][1][0]]
            convert = _CONVERTED.get(item)
            filled.append(column if convert is None else map(convert, column))
        return tuple(chain.from_iterable(zip(*filled, strict=True)))


@lru_cache(maxsize=512)
def fetch_layout(items: tuple[FetchItem, ...]) -> FetchLayout:
    """Return the layout for items; clients repeat the same few."""
    return FetchLayout(items)


_FLAG_LINES = {
    (False, False): b"* %d FETCH (FLAGS (%b))\r\n",
    (True, False): b"* %d FETCH (UID %d FLAGS (%b))\r\n",
    (False, True): b"* %d FETCH (FLAGS (%b) MODSEQ (%d))\r\n",
    (True, True): b"* %d FETCH (UID %d FLAGS (%b) MODSEQ (%d))\r\n",
}


def fetch_flags_bulk(
    seqnums: Sequence[int],
    rows: Sequence[tuple[int, int, str, int]],
    *,
    uid: bool,
    modseq: bool,
    recent_from: int = 0,
) -> bytes:
    """Return FLAGS of rows ``(uid, flags, keywords, modseq)``, as the store tells of changes."""
    if not rows:
        return b""
    uids, flags, keywords, modseqs = zip(*rows, strict=True)
    filled: list[Iterable[Any]] = [seqnums, _flag_column(flags, keywords, uids, recent_from)]
    if uid:
        filled.insert(1, uids)
    if modseq:
        filled.append(modseqs)
    return (_FLAG_LINES[uid, modseq] * len(rows)) % tuple(chain.from_iterable(zip(*filled, strict=True)))


def fetch_modseq_bulk(seqnums: Sequence[int], uids: Sequence[int], modseqs: Sequence[int], *, uid: bool) -> bytes:
    """Return MODSEQ alone, as a silent STORE tells it (RFC 7162 §3.1.3)."""
    if not uids:
        return b""
    if uid:
        line, values = b"* %d FETCH (UID %d MODSEQ (%d))\r\n", zip(seqnums, uids, modseqs, strict=True)
        return (line * len(uids)) % tuple(chain.from_iterable(values))
    pairs = zip(seqnums, modseqs, strict=True)
    return (b"* %d FETCH (MODSEQ (%d))\r\n" * len(uids)) % tuple(chain.from_iterable(pairs))
