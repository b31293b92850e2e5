"""MailEnable's TAB files: rows of fields divided by tabs, with the names of the columns in the first line.

Files without a first line of names are read by the position of their columns. Bounded as every text file is.
Tests: ``tests/unit/services/administration/importing/test_import_mailenable.py``, ``tests/fuzz/targets/import_tab.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from posthouse.services.administration.importing.source import Lines, SourceFile, survey

FIELDS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class TabRow:
    """One row: where it stands, and its fields by column in lower case (missing ones are "")."""

    where: str
    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


def read_tab(file: SourceFile, columns: Sequence[str]) -> Iterator[TabRow]:
    """Yield the rows of a TAB file. ``columns`` are the names we know, in their usual order. Raises Unreadable."""
    lines = Lines(file, survey(file).encoding)
    names: Sequence[str] = columns
    for raw in lines:
        line = raw.rstrip("\r\n")
        if not line.strip():
            continue
        cells = [cell.strip().strip('"') for cell in line.split("\t", FIELDS_MAX)]
        if lines.number == 1 and (header := _header(cells, columns)):
            names = header
            continue
        yield TabRow(lines.where(), dict(zip(names, cells, strict=False)))


def _header(cells: Sequence[str], columns: Sequence[str]) -> list[str] | None:
    """The first line names columns where most of its cells are names that we know."""
    names = [cell.lower().replace(" ", "").replace("_", "") for cell in cells]
    known = sum(name in columns for name in names)
    return names if known and known * 2 >= len([name for name in names if name]) else None
