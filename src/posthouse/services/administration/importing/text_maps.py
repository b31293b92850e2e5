"""Postfix's text files: main.cf, tables of keys and values (texthash), and aliases(5).

A line that begins with a blank continues the one before; empty lines and ``#`` lines are passed over. In main.cf
``$name``, ``${name}``, ``$(name)`` and the conditional forms are expanded. Nothing is looked up anywhere else.
Tests: ``tests/unit/services/administration/importing/test_import_postfix.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from posthouse.services.administration.importing.source import LINE_MAX, Lines, SourceFile, Unreadable, survey

_NESTING: Final = 20
_EXPANDED_MAX: Final = 256 * 1024
_VARIABLE: Final = re.compile(r"\$(?:\$|(\w+)|\((\w+)\)|\{(\w+)\}|\{(\w+)([?:])((?:[^{}]|\{[^{}]*\})*)\})")
_TABLE: Final = re.compile(r"(?:proxy:)?(?P<type>[a-z]+):(?P<name>.+)", re.DOTALL)
TEXT_TABLES: Final = frozenset({"hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"})


def logical_lines(file: SourceFile) -> Iterator[tuple[str, str]]:
    """Yield ``(where, line)`` with continuations joined. Raises Unreadable."""
    lines = Lines(file, survey(file).encoding)
    where, parts, size = "", list[str](), 0
    for raw in lines:
        line = raw.rstrip("\r\n")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t" and parts:
            parts.append(line.strip())
            size += len(line)
            if size > LINE_MAX:
                raise Unreadable(where, f"the line has more than {LINE_MAX} characters with what continues it")
            continue
        if parts:
            yield where, " ".join(parts)
        where, parts, size = lines.where(), [line.strip()], len(line)
    if parts:
        yield where, " ".join(parts)


def read_table(file: SourceFile) -> Iterator[tuple[str, str, str]]:
    """Yield ``(where, key, value)`` of a table's source file; a key in quotes may hold blanks. Raises Unreadable."""
    for where, line in logical_lines(file):
        if line.startswith('"') and (end := line.find('"', 1)) > 0:
            yield where, line[1:end], line[end + 1 :].strip()
            continue
        key, _, value = line.partition(" ") if "\t" not in line else _first_blank(line)
        yield where, key, value.strip()


def _first_blank(line: str) -> tuple[str, str, str]:
    parts = line.split(None, 1)
    return parts[0], " ", parts[1] if len(parts) > 1 else ""


def read_aliases(file: SourceFile) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield ``(where, name, values)`` of an aliases(5) file; quotes are taken off. Raises Unreadable."""
    for where, line in logical_lines(file):
        name, values = _alias_line(line)
        if name:
            yield where, name, values


_ALIAS_NAME: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^:"]+?))\s*:(?!include:)\s*(.*)', re.DOTALL)
_ALIAS_VALUE: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])++')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _alias_line(line: str) -> tuple[str, tuple[str, ...]]:
    match = _ALIAS_NAME.fullmatch(line)
    if match is None:
        return "", ()
    values = []
    for value in _ALIAS_VALUE.findall(match[3]):
        bare = value.strip()
        if quoted := _QUOTED.fullmatch(bare):
            bare = re.sub(r"\\(.)", r"\1", quoted[1])
        if bare:
            values.append(bare)
    return (match[1] or match[2]).strip(), tuple(values)


class MainCf:
    """The parameters of a main.cf, expanded when asked for. A later line of a parameter replaces an earlier one."""

    def __init__(self, file: SourceFile) -> None:
        """Read the file. Raises Unreadable."""
        self.places: dict[str, str] = {}
        self._raw: dict[str, str] = {
            "mydomain": "",
            "myorigin": "$myhostname",
            "mydestination": "$myhostname, localhost.$mydomain, localhost",
            "relay_domains": "",
            "virtual_alias_domains": "$virtual_alias_maps",
            "virtual_mailbox_domains": "$virtual_mailbox_maps",
            "alias_maps": "hash:/etc/aliases",
            "config_directory": "/etc/postfix",
        }
        for where, line in logical_lines(file):
            name, mark, value = line.partition("=")
            if not mark or not re.fullmatch(r"\w+", name.strip()):
                raise Unreadable(where, "the line is no name = value", "Is it a main.cf?")
            self._raw[name.strip()] = value.strip()
            self.places[name.strip()] = where
        if not self._raw["mydomain"]:
            self._raw["mydomain"] = self._raw.get("myhostname", "").partition(".")[2] or "localdomain"

    def __contains__(self, name: str) -> bool:
        return name in self.places

    def where(self, name: str) -> str:
        """Return where a parameter stands, "main.cf" for a default."""
        return self.places.get(name, "main.cf")

    def value(self, name: str) -> str:
        """Return a parameter, expanded; "" where it is not set. Raises Unreadable: where it refers to itself."""
        return expand(self._raw.get(name, ""), self._raw, self.where(name))

    def words(self, name: str) -> list[str]:
        """Return a parameter that lists things."""
        return [word for word in re.split(r"[,\s]+", self.value(name)) if word]

    def lists_itself(self, name: str, other: str) -> bool:
        """Whether a parameter's own text names another parameter, as the default of virtual_alias_domains does."""
        return f"${other}" in self._raw.get(name, "")


def expand(text: str, values: Mapping[str, str], where: str, depth: int = 0) -> str:
    """Expand the variables in a text. Raises Unreadable: where they refer to themselves or grow too long."""
    if depth > _NESTING:
        raise Unreadable(where, "its variables refer to each other without end")

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if name := match[1] or match[2] or match[3]:
            return expand(values.get(name, ""), values, where, depth + 1)
        is_set = bool(values.get(match[4], ""))
        first, _, second = match[6].partition("}:{")
        chosen = (first if is_set else second) if second else (match[6] if is_set == (match[5] == "?") else "")
        return expand(chosen.strip("{} "), values, where, depth + 1)

    grown = _VARIABLE.sub(one, text)
    if len(grown) > _EXPANDED_MAX:
        raise Unreadable(where, "its variables grow too long")
    return grown


def table_of(word: str) -> tuple[str, str]:
    """Return type and name of ``type:name``; ``("", word)`` where it is neither."""
    match = _TABLE.fullmatch(word)
    return (match["type"], match["name"]) if match else ("", word)
