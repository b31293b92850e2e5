"""Tables and aligned lines for people at a terminal, for pipes, and for both safe to look at.

At a terminal a table is as wide as it is: the widest columns give way, with an ellipsis; columns for which there is no
room are left out, and that is said. Into a pipe everything goes at its full width. Control characters, whatever a peer
put into an address, never reach the terminal. The first rows decide how wide columns are, so that a list of a million
needs no memory. Tests: ``tests/unit/cli/test_tables.py``.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

import click

GAP: Final = 2  # columns between two
_NARROWEST: Final = 8  # of a column that gives way; its head is left whole where that is shorter
_MEASURED: Final = 500  # rows that decide how wide columns are
_ELLIPSIS: Final = "…"


def safe(text: str) -> str:
    """Return a text that cannot steer the administrator's terminal, whatever a peer put into it."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes (UAX #11)."""
    if text.isascii():
        return len(text)
    return sum(_character_width(each) for each in text)


def _character_width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut(text: str, width: int) -> str:
    """Return a text that takes at most that many columns; what was cut ends in an ellipsis."""
    if width_of(text) <= width:
        return text
    taken, used = [], 1
    for character in text:
        used += _character_width(character)
        if used > width:
            break
        taken.append(character)
    return "".join(taken) + _ELLIPSIS


def padded(text: str, width: int) -> str:
    """Return a text filled up with spaces."""
    return text + " " * (width - width_of(text))


def terminal_width(stream: TextIO) -> int | None:
    """Return how wide the terminal is that a stream leads to; None for a pipe or a file."""
    if not stream.isatty():
        return None
    return max(20, shutil.get_terminal_size().columns)


def has_colours(stream: TextIO) -> bool:
    """Whether a stream leads to a terminal that wants colours (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def fit(widths: Sequence[int], heads: Sequence[int], room: int) -> list[int]:
    """Return widths that fit into a room: the widest give way first; columns at the end for which none is left, not.

    The first column, by which a thing is named and copied, keeps its width up to half the room.
    """
    shown = list(widths)
    floors = [min(width, max(head, _NARROWEST)) for width, head in zip(widths, heads, strict=True)]
    floors[0] = max(floors[0], min(widths[0], room // 2))
    while len(shown) > 1 and sum(floors[: len(shown)]) + GAP * (len(shown) - 1) > room:
        shown.pop()
    if len(shown) == 1:
        return [min(shown[0], room)]
    excess = sum(shown) + GAP * (len(shown) - 1) - room
    while excess > 0:
        widest = max(range(len(shown)), key=lambda place: (shown[place] > floors[place], shown[place]))
        shown[widest] -= 1
        excess -= 1
    return shown


class Table:
    """A table with heads.

    Args:
        heads: of the columns.
        out: where to; a terminal decides width and colours.
    """

    def __init__(self, heads: Sequence[str], out: TextIO | None = None, *, indent: int = 0) -> None:
        self._heads = [safe(head) for head in heads]
        self._out = out or sys.stdout
        self._indent = " " * indent
        self._left_out: Sequence[str] = ()

    def print(self, rows: Iterable[Sequence[str]]) -> int:
        """Print rows as they come; return how many there were. Nothing, not even heads, where there are none."""
        source = iter(rows)
        first = [[safe(cell) for cell in row] for row in itertools.islice(source, _MEASURED)]
        if not first:
            return 0
        widths = self._widths(first)
        head = self._line(self._heads, widths)
        self._say(click.style(head, bold=True) if has_colours(self._out) else head)
        count = 0
        for row in itertools.chain(first, ([safe(cell) for cell in row] for row in source)):
            self._say(self._line(row, widths))
            count += 1
        if self._left_out:
            click.echo(f"(no room for: {', '.join(self._left_out)}; a wider terminal or --json shows them)", err=True)
        return count

    def _widths(self, rows: Sequence[Sequence[str]]) -> list[int]:
        heads = [width_of(head) for head in self._heads]
        widths = [max(head, *(width_of(row[place]) for row in rows)) for place, head in enumerate(heads)]
        room = terminal_width(self._out)
        if room is None:
            return widths
        shown = fit(widths, heads, room - len(self._indent))
        self._left_out = self._heads[len(shown) :]
        return shown

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        is_cut = terminal_width(self._out) is not None
        texts = [
            padded(cut(cell, width) if is_cut else cell, width) for cell, width in zip(cells, widths, strict=False)
        ]
        return self._indent + (" " * GAP).join(texts).rstrip()

    def _say(self, line: str) -> None:
        self._out.write(line + "\n")


def aligned(pairs: Iterable[tuple[str, str]], out: TextIO | None = None) -> None:
    """Print names with their values, one or more lines each, values one below the other."""
    lines = [(safe(name), value.split("\n")) for name, value in pairs]
    width = max((width_of(name) for name, _ in lines), default=0)
    room = terminal_width(out or sys.stdout)
    for name, texts in lines:
        label = padded(f"{name}:", width + 1)
        for text in _wrapped(texts, room - width - 3 if room is not None else None):
            (out or sys.stdout).write(f"{label}  {text}".rstrip() + "\n")
            label = " " * (width + 1)


def _wrapped(texts: Sequence[str], room: int | None) -> Iterator[str]:
    for text in texts:
        shown = safe(text)
        if room is None or room < 20 or width_of(shown) <= room:
            yield shown
            continue
        line = ""
        for word in shown.split(" "):
            if line and width_of(line) + 1 + width_of(word) > room:
                yield line
                line = word
            else:
                line = f"{line} {word}" if line else word
        yield line
