"""FETCH in bulk (signatures first).

Usage by the driver:

    layout = fetch_layout(command.items)               # cached per tuple of items
    fields = [Field(name) for name in layout.columns]  # values of store.rows.Field; the first is always "uid"
    rows = await store.messages(account, mailbox, ranges, fields)
    seqnums = selected.seqnums([row[0] for row in rows])
    session.untagged(layout.rows(seqnums, rows, recent_from=selected.recent_from))

Where ``layout.sections`` is not empty, message by message instead:

    out = [layout.head(seqnum, row, recent_from=...)]   # ``* 1 FETCH (UID 5 FLAGS ()``, no closing parenthesis
    out.append(section(item, data))                     # `` BODY[] {5}\r\nhello``; or section_head(item, size) + chunks
    out.append(CLOSE)                                   # ``)\r\n``
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from posthouse.protocols.imap.types.fetch import BodySection, FetchItem

CLOSE: Final = b")\r\n"


class FetchLayout:
    """The items of one FETCH, compiled."""

    columns: tuple[str, ...]
    sections: tuple[BodySection, ...]

    def rows(self, seqnums: Sequence[int], rows: Sequence[tuple[Any, ...]], *, recent_from: int = 0) -> bytes:
        """Return one FETCH response for each row."""
        raise NotImplementedError

    def head(self, seqnum: int, row: tuple[Any, ...], *, recent_from: int = 0) -> bytes:
        """Return the response for one row up to where the body sections follow."""
        raise NotImplementedError


def fetch_layout(items: tuple[FetchItem, ...]) -> FetchLayout:
    """Return the layout for items."""
    raise NotImplementedError


def section(item: BodySection, data: bytes) -> bytes:
    """Return one body section with its octets."""
    raise NotImplementedError


def section_head(item: BodySection, size: int) -> bytes:
    """Return one body section up to its octets, of which ``size`` must follow."""
    raise NotImplementedError


def fetch_flags_bulk(
    seqnums: Sequence[int],
    rows: Sequence[tuple[int, int, str, int]],
    *,
    uid: bool,
    modseq: bool,
    recent_from: int = 0,
) -> bytes:
    """Return FLAGS of rows ``(uid, flags, keywords, modseq)`` as the store tells of changes."""
    raise NotImplementedError
