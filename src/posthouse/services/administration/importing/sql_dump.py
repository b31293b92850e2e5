"""Rows of some tables out of an SQL dump (mysqldump, phpMyAdmin, pg_dump, sqlite3 .dump), in one pass.

Nothing is executed. Read are ``CREATE TABLE`` (for the names of columns), ``INSERT``/``REPLACE ... VALUES`` and
PostgreSQL's ``COPY ... FROM stdin``; comments and every other statement are passed over. A line may be of any length, a
value not.

Invariants: memory is bounded by ``VALUE_MAX``; a dump that ends in the middle is an error with its line, and so is one
whose tool writes an end mark that is missing.
Tests: ``tests/unit/services/administration/importing/test_import_sql.py``, ``tests/fuzz/targets/import_sql_dump.py``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from posthouse.services.administration.importing.source import SourceFile, Unreadable
from posthouse.services.administration.importing.sql_text import Cell, Text, column_names, copy_value, function_value

COLUMNS_MAX: Final = 1_000
_NAME: Final = r"(?:`[^`]{1,128}`|\"[^\"]{1,128}\"|\[[^\]]{1,128}\]|[A-Za-z_][\w$]{0,127})"
_TABLE: Final = rf"(?:{_NAME}\s*\.\s*)?(?P<table>{_NAME})"
_SPACE: Final = re.compile(r"\s+")
_INSERT: Final = re.compile(
    rf"(?:INSERT|REPLACE)\s+(?:(?:IGNORE|OR\s+\w+|LOW_PRIORITY|DELAYED)\s+)*INTO\s+(?:ONLY\s+)?{_TABLE}\s*"
    rf"(?:\((?P<columns>[^()]*)\)\s*)?(?:OVERRIDING\s+\w+\s+VALUE\s+)?VALUES\s*",
    re.IGNORECASE,
)
_CREATE: Final = re.compile(rf"CREATE\s+(?:\w+\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}\s*\(", re.IGNORECASE)
_COPY: Final = re.compile(
    rf"COPY\s+{_TABLE}\s*(?:\((?P<columns>[^()]*)\)\s*)?FROM\s+stdin\b[^;\n]*;[ \t]*\r?\n", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,4})?(?![\w.])")
_WORD: Final = re.compile(r"[A-Za-z_]\w{0,63}")
_CAST: Final = re.compile(r"\s*::\s*[\w \[\]\"]{1,64}(?:\(\d+\))?")
_HEX: Final = re.compile(r"0[xX][0-9A-Fa-f]*|[xX]'[0-9A-Fa-f]*'|[bB]'[01]{0,64}'")
# Possessive quantifiers: a quote that does not end costs one pass, not one for each way to divide it.
_STRING_MYSQL: Final = r"'(?:[^'\\]++|\\.|'')*+'(?!')"
_STRING: Final = r"'(?:[^']++|'')*+'(?!')"
_QUOTED_MYSQL: Final = re.compile(_STRING_MYSQL, re.DOTALL)
_QUOTED: Final = re.compile(_STRING)
_SIMPLE: Final = r"NULL\b|-?\d{1,18}(?![\w.])"
_ROW_MYSQL: Final = re.compile(rf"\((?:(?:{_SIMPLE}|{_STRING_MYSQL})(?:,\s?|(?=\))))++\)", re.DOTALL)
_ROW: Final = re.compile(rf"\((?:(?:{_SIMPLE}|{_STRING})(?:,\s?|(?=\))))++\)")
_CELL_MYSQL: Final = re.compile(rf"{_SIMPLE}|{_STRING_MYSQL}", re.DOTALL)
_CELL: Final = re.compile(rf"{_SIMPLE}|{_STRING}")
_PLAIN: Final = re.compile(r"[^'\"`;$/#-]++")
_DOLLAR: Final = re.compile(r"\$(?:[A-Za-z_]\w{0,63})?\$")
_LINE_COMMENT: Final = re.compile(r"--|#")
_COMMENT: Final = re.compile(r"/\*")
_NESTING: Final = 8
_COPY_LINE: Final = re.compile(r"[^\n]*\n")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its table, what its columns hold, where it stands. Names are in lower case."""

    table: str
    where: str
    cells: dict[str, Cell]


Columns: TypeAlias = dict[str, tuple[str, ...]]


def read_dump(file: SourceFile, encoding: str, tables: Collection[str]) -> Iterator[Row]:
    """Yield the rows of the tables that are asked for, in the order of the dump. Raises Unreadable."""
    return _Dump(Text(file, encoding), frozenset(tables)).rows()


class _Dump:
    def __init__(self, text: Text, tables: frozenset[str]) -> None:
        self._text = text
        self._tables = tables
        self._columns: Columns = {}
        self._string = _QUOTED_MYSQL if text.has_backslashes else _QUOTED
        self._row = _ROW_MYSQL if text.has_backslashes else _ROW
        self._cell = _CELL_MYSQL if text.has_backslashes else _CELL

    def rows(self) -> Iterator[Row]:
        """Go through the statements."""
        text = self._text
        while True:
            self._blank()
            if not text.more():
                text.check_end()
                return
            if text.peek() == "\\":  # a command to psql, such as \\restrict
                text.skip_past("\n")
            elif match := text.match(_INSERT, 8192):
                yield from self._insert(match)
            elif match := text.match(_COPY, 8192):
                yield from self._copy(match)
            elif match := text.match(_CREATE, 1024):
                self._create(match)
            else:
                self._skip_statement()

    def _blank(self) -> None:
        """Pass over blanks and comments."""
        text = self._text
        while (mark := text.peek()) and (mark in "-#/" or mark.isspace()):
            if mark.isspace():
                text.match(_SPACE, None, partial=True)
            elif not self._comment():
                return

    def _comment(self) -> bool:
        text = self._text
        if text.match(_LINE_COMMENT, 2):
            text.skip_past("\n")
        elif text.match(_COMMENT, 2):
            text.skip_past("*/")
            if text.peek() == ";":
                text.skip(1)
        else:
            return False
        return True

    # -- statements ---------------------------------------------------------------------------------------------

    def _create(self, match: re.Match[str]) -> None:
        table = _bare(match["table"])
        text = self._text
        parts: list[str] = []
        depth = 1
        while depth:
            piece = text.take_until("()'\"`", "the definition of a table")
            parts.append(piece)
            mark = piece[-1]
            if mark in "'\"`":
                parts.append(self._rest_of_quoted(mark))
            depth += {"(": 1, ")": -1}.get(mark, 0)
            if sum(map(len, parts)) > 1024 * 1024:
                raise Unreadable(text.where(), "the definition of a table does not end")
        if table in self._tables:
            self._columns[table] = column_names("".join(parts)[:-1])[:COLUMNS_MAX]
        self._skip_statement()

    def _insert(self, match: re.Match[str]) -> Iterator[Row]:
        table = _bare(match["table"])
        if table not in self._tables:
            self._skip_statement()
            return
        columns = self._named(table, match["columns"])
        text = self._text
        while True:
            self._blank()
            where = f"{table}:{text.line()}"
            values = self._simple_row()
            if values is None:
                text.expect("(", "a row")
                values = self._tuple()
            yield _row(table, where, columns, values)
            self._blank()
            mark = text.peek()
            text.skip(1)
            if mark == ";":
                return
            if mark != ",":
                # ON DUPLICATE KEY UPDATE, RETURNING and the like follow the last row
                text.skip(-1 if mark else 0)
                self._skip_statement()
                return

    def _named(self, table: str, listed: str | None) -> tuple[str, ...]:
        if listed is not None:
            return tuple(_bare(name.strip()) for name in listed.split(",")[:COLUMNS_MAX])
        if table not in self._columns:
            raise Unreadable(
                self._text.where(),
                f"the columns of {table} are not known",
                "Make the dump with the definitions of tables, or with --complete-insert.",
            )
        return self._columns[table]

    def _simple_row(self) -> list[Cell] | None:
        """A row of numbers, NULLs and quoted texts alone that is in the window already: nearly all of them."""
        match = self._text.match_here(self._row)
        if match is None:
            return None
        values: list[Cell] = []
        for cell in self._cell.findall(match[0]):
            if cell[0] == "'":
                values.append(self._unquoted(cell, escapes=self._text.has_backslashes))
            else:
                values.append(None if cell == "NULL" else int(cell))
        return values

    def _tuple(self) -> list[Cell]:
        values: list[Cell] = []
        while True:
            self._blank()
            values.append(self._value(0))
            self._blank()
            mark = self._text.peek()
            self._text.skip(1)
            if mark == ")":
                return values
            if mark != "," or len(values) > COLUMNS_MAX:
                raise Unreadable(self._text.where(), "a row is not what it should be", "Make the dump anew.")

    def _value(self, depth: int) -> Cell:
        text = self._text
        if text.peek() == "'":
            return self._quoted(escapes=text.has_backslashes)
        if match := text.match(_HEX, 0):
            return _hex(match[0])
        if match := text.match(_NUMBER, 128):
            number = match[0]
            return int(number) if number.lstrip("+-").isdecimal() else float(number)
        word = text.match(_WORD, 128)
        if word is None or depth > _NESTING:
            raise Unreadable(text.where(), "a value is not what it should be", "Make the dump anew.")
        return self._worded(word[0].lower(), depth)

    def _worded(self, word: str, depth: int) -> Cell:
        """``NULL``, ``true``, ``E'...'``, ``_binary '...'``, ``replace(...)`` of sqlite3."""
        text = self._text
        constants: dict[str, Cell] = {"null": None, "true": 1, "false": 0, "default": None}
        if word in constants:
            self._cast()
            return constants[word]
        self._blank()
        if text.peek() == "'" and (word in {"e", "n"} or word.startswith("_")):
            return self._quoted(escapes=word == "e" or text.has_backslashes)
        if text.peek() == "(":
            text.skip(1)
            arguments = [self._value(depth + 1)]
            self._blank()
            while text.peek() == "," and len(arguments) < 8:
                text.skip(1)
                self._blank()
                arguments.append(self._value(depth + 1))
                self._blank()
            text.expect(")", "a value")
            return function_value(word, arguments, text.where())
        raise Unreadable(text.where(), f"a value begins with {word!r}", "Make the dump with plain values.")

    def _quoted(self, *, escapes: bool) -> str:
        match = self._text.match(_QUOTED_MYSQL if escapes else _QUOTED, None)
        if match is None:
            raise Unreadable(self._text.where(), "a quoted value does not end", "Make the dump anew.")
        self._cast()
        return self._unquoted(match[0], escapes=escapes)

    @staticmethod
    def _unquoted(text: str, *, escapes: bool) -> str:
        body = text[1:-1]
        if escapes and "\\" in body:
            return Text.unescape(body)
        return body.replace("''", "'") if "''" in body else body

    def _cast(self) -> None:
        if self._text.peek() == ":":
            self._text.match(_CAST, 256)

    def _copy(self, match: re.Match[str]) -> Iterator[Row]:
        table = _bare(match["table"])
        wanted = table in self._tables
        columns = self._named(table, match["columns"]) if wanted else ()
        text = self._text
        while True:
            where = f"{table}:{text.line()}" if wanted else ""
            line = text.match(_COPY_LINE, None)
            if line is None:
                raise Unreadable(text.where(), "the rows of COPY do not end", "Make the dump anew.")
            row = line[0].rstrip("\r\n")
            if row == "\\.":
                return
            if wanted:
                yield _row(table, where, columns, [copy_value(cell) for cell in row.split("\t")])

    def _skip_statement(self) -> None:
        """Pass over everything up to the semicolon that ends the statement, or the end of the dump."""
        text = self._text
        while text.more():
            if text.match(_PLAIN, None, partial=True):
                continue
            mark = text.peek()
            if mark == ";":
                text.skip(1)
                return
            if mark == "'":
                if text.match(self._string, None) is None:
                    raise Unreadable(text.where(), "a quoted value does not end", "Make the dump anew.")
            elif mark in '"`':
                text.skip(1)
                self._rest_of_quoted(mark)
            elif mark == "$" and (dollar := text.match(_DOLLAR, 128)):
                text.skip_past(dollar[0])
            elif not (mark in "-#/" and self._comment()):
                text.skip(1)
        text.check_cut()

    def _rest_of_quoted(self, mark: str) -> str:
        """The rest of what a quote opened, with its end; escapes by backslash where the dialect has them."""
        text = self._text
        parts: list[str] = []
        marks = mark + "\\" if text.has_backslashes and mark == "'" else mark
        while True:
            piece = text.take_until(marks, "a quoted text")
            parts.append(piece)
            if piece[-1] == mark:
                return "".join(parts)
            parts.append(text.peek())
            text.skip(1)


def _row(table: str, where: str, columns: tuple[str, ...], values: list[Cell]) -> Row:
    if len(values) != len(columns):
        raise Unreadable(where, f"the row has {len(values)} values for {len(columns)} columns", "Make the dump anew.")
    return Row(table, where, dict(zip(columns, values, strict=True)))


def _bare(name: str) -> str:
    stripped = name.strip()
    return (stripped[1:-1] if stripped[:1] in {"`", '"', "["} else stripped).lower()


def _hex(text: str) -> Cell:
    digits = text[2:].rstrip("'")
    if text[0] in "bB":
        return int(digits or "0", 2)
    if not digits:
        return ""
    return bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}").decode("utf-8", "replace")
