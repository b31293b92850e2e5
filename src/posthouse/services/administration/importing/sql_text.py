"""The text of an SQL dump as a moving window, and the small values in it.

Invariants: the window holds at most ``VALUE_MAX`` characters beyond what was consumed, plus one chunk; line numbers are
those of the file. Tests: ``tests/unit/services/administration/importing/test_import_sql.py``.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, TypeAlias

from posthouse.services.administration.importing.source import SourceFile, Unreadable

Cell: TypeAlias = str | int | float | None

VALUE_MAX: Final = 1024 * 1024
_ESCAPE: Final = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPES: Final = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a", "f": "\f", "v": "\v"}
_COPY_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_UNISTR: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4})|(\\))")
_NO_COLUMN: Final = frozenset(
    {"primary", "unique", "key", "constraint", "index", "check", "foreign", "fulltext", "spatial", "exclude", "like"}
)
# The heads by which the tools are known, and the marks they set at the end of a whole dump.
_TOOLS: Final = (
    (re.compile(r"-- (?:MySQL|MariaDB) dump ", re.IGNORECASE), "-- Dump completed", True),
    (re.compile(r"-- phpMyAdmin SQL Dump"), "", True),
    (re.compile(r"-- PostgreSQL database dump"), "-- PostgreSQL database dump complete", False),
    (re.compile(r"PRAGMA foreign_keys\s*=\s*OFF;\s*BEGIN TRANSACTION;"), "COMMIT;", False),
)


class Text:
    """The window over a dump's text.

    Attributes:
        has_backslashes: whether backslashes escape in quotes: MySQL's dialect.
    """

    def __init__(self, file: SourceFile, encoding: str) -> None:
        self._name = file.name
        self._chunks = file.chunks()
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._window = ""
        self._at = 0
        self._line = 1
        self._counted = 0
        self._ended = False
        self._tail = ""
        self._fill(8192)
        self._mark, self.has_backslashes = "", "`" in self._window
        for head, mark, backslashes in _TOOLS:
            if head.search(self._window[:8192]):
                self._mark, self.has_backslashes = mark, backslashes
                break

    # -- the window ---------------------------------------------------------------------------------------------

    def _fill(self, needed: int) -> None:
        """Have ``needed`` characters ahead, or all there are."""
        while not self._ended and len(self._window) - self._at < needed:
            self.line()
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
                text = self._decoder.decode(b"", final=True)
            else:
                text = self._decoder.decode(chunk)
            if "\0" in text:
                raise Unreadable(self.where(), "the dump holds NUL characters", "Is it a text file, and whole?")
            self._window = self._window[self._at :] + text
            self._at = self._counted = 0
            self._tail = (self._tail + text)[-400:] if len(text) < 400 else text[-400:]

    def more(self) -> bool:
        """Whether anything follows."""
        self._fill(1)
        return self._at < len(self._window)

    def peek(self) -> str:
        """Return the next character, "" at the end."""
        if self._at >= len(self._window):
            self._fill(1)
        return self._window[self._at : self._at + 1]

    def skip(self, count: int) -> None:
        """Consume characters that were peeked at (or give the last back, with -1)."""
        self._at = min(self._at + count, len(self._window))

    def match_here(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Consume what a pattern matches inside the window as it is; None says nothing about what follows."""
        match = pattern.match(self._window, self._at)
        if match is None or match.end() == len(self._window):
            return None
        self._at = match.end()
        return match

    def match(self, pattern: re.Pattern[str], ahead: int | None, *, partial: bool = False) -> re.Match[str] | None:
        """Consume what a pattern matches here.

        A match that touches the end of the window may go on: it is tried again with more, up to ``VALUE_MAX``. With
        ``ahead`` that many characters are enough to know that there is none. ``partial`` takes what there is.
        """
        size = min(ahead or 256, VALUE_MAX)
        self._fill(1 if partial else min(size, 256))
        while True:
            match = pattern.match(self._window, self._at)
            left = len(self._window) - self._at
            if match and (match.end() < len(self._window) or self._ended or partial):
                self._at = match.end()
                return match
            if self._ended or (match is None and ahead is not None and left >= ahead):
                return None
            if left > VALUE_MAX:
                raise Unreadable(self.where(), f"a value has more than {VALUE_MAX} characters", "Leave the table out.")
            self._fill(left * 2 if left else 256)

    def expect(self, mark: str, what: str) -> None:
        """Consume one character. Raises Unreadable: where it is another."""
        if self.peek() != mark:
            raise Unreadable(self.where(), f"{what} is not what it should be", "Make the dump anew.")
        self._at += 1

    def take_until(self, marks: str, what: str) -> str:
        """Consume and return everything up to and with the first of some characters. Raises Unreadable."""
        pattern = re.compile(f"[^{re.escape(marks)}]*[{re.escape(marks)}]")
        match = self.match(pattern, None)
        if match is None:
            raise Unreadable(self.where(), f"{what} does not end", "Make the dump anew.")
        return match[0]

    def skip_past(self, mark: str) -> None:
        """Consume everything up to and with a mark, or to the end."""
        while self.more():
            found = self._window.find(mark, self._at)
            if found >= 0:
                self._at = found + len(mark)
                return
            keep = len(mark) - 1
            if self._ended:
                self._at = len(self._window)
                return
            self._at = max(self._at, len(self._window) - keep)
            self._fill(keep + 1)

    # -- places and ends ----------------------------------------------------------------------------------------

    def line(self) -> int:
        """Return the number of the line that comes next."""
        if self._at > self._counted:
            self._line += self._window.count("\n", self._counted, self._at)
            self._counted = self._at
        return self._line

    def where(self) -> str:
        """Return ``file:line``."""
        return f"{self._name}:{self.line()}"

    def check_end(self) -> None:
        """Raises Unreadable: where the tool that made the dump would have set an end mark and there is none."""
        if self._mark and self._mark not in self._tail:
            raise Unreadable(self.where(), "the dump is cut off: its end mark is missing", "Make the dump anew.")

    def check_cut(self) -> None:
        """Raises Unreadable: a statement does not end."""
        raise Unreadable(self.where(), "the dump is cut off in the middle of a statement", "Make the dump anew.")

    @staticmethod
    def unescape(body: str) -> str:
        """Undo MySQL's backslashes and doubled quotes."""
        return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]) if match[1] else "'", body)


# -- values -------------------------------------------------------------------------------------------------------


def column_names(definition: str) -> tuple[str, ...]:
    """Return the names of columns from what stands between the parentheses of CREATE TABLE, in lower case."""
    names: list[str] = []
    depth = 0
    fresh = True
    for token in re.finditer(r"'(?:[^'\\]|\\.|'')*'|`([^`]+)`|\"([^\"]+)\"|\[([^\]]+)\]|([\w$]+)|[(),]", definition):
        text = token[0]
        if text in "()":
            depth += 1 if text == "(" else -1
        elif text == "," and depth == 0:
            fresh = True
        elif fresh and depth == 0:
            fresh = False
            quoted = token[1] or token[2] or token[3]
            if quoted or (token[4] and token[4].lower() not in _NO_COLUMN):
                names.append((quoted or token[4]).lower())
    return tuple(names)


def copy_value(cell: str) -> Cell:
    """Return a cell of COPY's text format."""
    if cell == "\\N":
        return None
    return _COPY_ESCAPE.sub(_copy_escape, cell) if "\\" in cell else cell


def _copy_escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    return _ESCAPES.get(code, code)


def function_value(name: str, arguments: list[Cell], where: str) -> Cell:
    """Return what the functions come to by which sqlite3 writes texts with line ends. Raises Unreadable."""
    texts = [str(argument) for argument in arguments]
    if name == "replace" and len(texts) == 3 and texts[1]:
        return texts[0].replace(texts[1], texts[2])[:VALUE_MAX]
    if name == "char" and all(isinstance(code, int) and 0 < code < 0xD800 for code in arguments):
        return "".join(chr(int(code)) for code in texts)
    if name == "unistr" and len(texts) == 1:
        return _UNISTR.sub(_unistr_escape, texts[0])
    raise Unreadable(where, f"a value is made by {name}()", "Make the dump with plain values.")


def _unistr_escape(match: re.Match[str]) -> str:
    if match[5]:
        return "\\"
    code = int(match[1] or match[2] or match[3] or match[4], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
