"""Finding by any part of an address or name, with an index of trigrams.

What is asked for in pages is read in the index's own order, domain by domain, so that the first page is as quick as the
trigrams are common, and stops at its end. A text shorter than three characters has no trigram: of two, every trigram
that begins with them is asked for; one is looked for at the beginning of addresses.
"""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Iterator

from posthouse.store.directory_rows import Found
from posthouse.store.sqlite.folding import fold, office_mark
from posthouse.store.sqlite.places import ENTRY_BITS

_ROW = "SELECT e.id, e.kind, e.address, e.name, coalesce(a.address, '')"
_OWNER = "LEFT JOIN account a ON a.id = e.owner AND e.kind = 'address'"
_MATCHING = (
    f"{_ROW} FROM find_index f CROSS JOIN entry e ON e.id = f.rowid {_OWNER}"
    " WHERE f.find_index MATCH ? AND f.rowid > ? AND f.rowid <= ? AND instr(e.folded, ?) > 0"
    " ORDER BY f.rowid LIMIT ?"
)
_BEGINNING = (
    f"{_ROW} FROM entry e {_OWNER} WHERE e.address > ? AND e.address >= ? AND e.address < ?"
    " AND e.id > ? AND e.id <= ? AND instr(e.folded, ?) > 0 ORDER BY e.address LIMIT ?"
)
_FOLLOWING = string.ascii_lowercase + string.digits + "@.-_+' \n"
_LAST = (1 << 63) - 1
_LONGEST = 200  # characters; no address or name that anybody looks for is longer


def find(
    connection: sqlite3.Connection, text: str, within: tuple[str | None, str | None], after: str, limit: int
) -> list[Found]:
    """Return entries that have the text; ``within`` is a post office and a domain."""
    wanted = fold(text).strip()[:_LONGEST]
    place = _place(connection, *within)
    if not wanted or place is None:
        return []
    mark, first, last = place
    if len(wanted) == 1:
        end = wanted + chr(0x10FFFF)
        rows = connection.execute(_BEGINNING, (after, wanted, end, first, last, mark or wanted, limit))
        return [Found(kind, address, name, owner, address) for _, kind, address, name, owner in rows]
    start = max(first, int(after)) if after.isdecimal() else first
    rows = connection.execute(_MATCHING, (" AND ".join(_terms(wanted, mark)), start, last, wanted, limit))
    return [Found(kind, address, name, owner, str(number)) for number, kind, address, name, owner in rows]


def _place(connection: sqlite3.Connection, office: str | None, domain: str | None) -> tuple[str, int, int] | None:
    """Return a post office's mark and the range of entries to look in; None where there is nothing to look in."""
    mark, first, last = "", 0, _LAST
    if domain is not None:
        row = connection.execute("SELECT id FROM domain WHERE name = ?", (domain,)).fetchone()
        if row is None:
            return None
        first, last = (row[0] << ENTRY_BITS) - 1, ((row[0] + 1) << ENTRY_BITS) - 1
    if office is not None:
        row = connection.execute("SELECT id FROM post_office WHERE name = ?", (office,)).fetchone()
        if row is None:
            return None
        mark = office_mark(row[0])
    return mark, first, last


def _terms(wanted: str, mark: str) -> Iterator[str]:
    """Yield the terms that an entry must have, all of them."""
    if mark:
        yield _quoted(mark)
    if len(wanted) == 2:
        yield "(" + " OR ".join(_quoted(wanted + one) for one in _FOLLOWING) + ")"
        return
    for trigram in dict.fromkeys(wanted[at : at + 3] for at in range(len(wanted) - 2)):
        yield _quoted(trigram)


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'
