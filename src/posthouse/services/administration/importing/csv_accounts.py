"""Accounts from a CSV file: ``address,password,quota``, or any columns named in a first line (DI-11).

The delimiter (comma, semicolon, tab, bar) and the encoding (UTF-8, UTF-16, Windows-1252) are found out; quotes and line
ends inside them are read as RFC 4180 §2 has them. MailEnable's files of exported users are this with tabs.

Invariants: one row at a time; a row that cannot be used is told with its line and the rest is read.
Tests: ``tests/unit/services/administration/importing/test_import_csv.py``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing import schemes
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    Record,
    Unmapped,
)
from posthouse.services.administration.importing.source import Lines, SourceFile, Unreadable, survey
from posthouse.store.directory_values import AccountState, Level

DELIMITERS: Final = ",;\t|"
SIZES_KEPT: Final = 1_000
POSITIONS: Final = ("address", "password", "quota")
COLUMNS: Final = {
    "address": "address mail email e-mail emailaddress email_address mailbox_address login username user",
    "password": "password pass pw kennwort clear_password",
    "password_hash": "password_hash passwordhash hash encoded_password crypt",
    "name": "name display_name displayname full_name fullname cn",
    "given_name": "given_name givenname first_name firstname",
    "family_name": "family_name familyname last_name lastname surname sn",
    "quota": "quota size_limit limit maxsize quota_bytes",
    "quota_messages": "quota_messages message_limit",
    "office": "office post_office postoffice customer",
    "level": "level role rights admin_level type",
    "aliases": "aliases alias addresses further_addresses",
    "groups": "groups group memberof member_of",
    "disabled": "disabled inactive",
    "sign_in_disabled": "sign_in_disabled login_disabled logon_disabled",
    "enabled": "enabled active status",
}
_BY_WORD: Final = {word: column for column, names in COLUMNS.items() for word in names.split()}
_YES: Final = frozenset({"1", "y", "yes", "true", "on", "x", "ja", "oui", "disabled", "enabled", "active"})
_NO: Final = frozenset({"", "0", "n", "no", "false", "off", "nein", "non"})
LEVELS: Final = {
    "": Level.USER, "user": Level.USER, "account": Level.USER, "0": Level.USER,
    "domain": Level.DOMAIN, "1": Level.DOMAIN, "admin": Level.DOMAIN,
    "office": Level.OFFICE, "postoffice": Level.OFFICE,
    "server": Level.SERVER, "2": Level.SERVER, "sysadmin": Level.SERVER,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvOptions:
    """How a file is to be read where it does not say itself.

    Attributes:
        delimiter: one character, "" to find out.
        encoding: a name, "" to find out.
        quota_unit: what a quota without unit counts: "" octets, ``k`` (MailEnable), ``m`` (hMailServer), ``g``.
        domain: put behind addresses that have none.
    """

    delimiter: str = ""
    encoding: str = ""
    quota_unit: str = ""
    domain: str = ""


def read_csv(file: SourceFile, options: CsvOptions | None = None) -> Iterator[Record]:
    """Yield the records of a CSV file. Raises Unreadable: with file and line, where nothing can be read from there."""
    chosen = options or CsvOptions()
    encoding = chosen.encoding or survey(file).encoding
    delimiter = chosen.delimiter or _delimiter(file, encoding)
    lines = _opened(file, encoding)
    rows = csv.reader(lines, delimiter=delimiter, strict=False)
    first = _next(rows, lines)
    if first is None:
        return
    header = header_of(first)
    if header is None:
        columns: list[str | None] = list(POSITIONS)
        table = _Table(lines, columns, chosen)
        yield from table.records(first, lines.where())
    else:
        yield from _unknown(first, header, lines.where())
        if "address" not in header:
            raise Unreadable(lines.where(), "no column is named address", "Name one of the columns address.")
        table = _Table(lines, header, chosen)
    while True:
        where = lines.where(1)
        row = _next(rows, lines)
        if row is None:
            return
        if row:
            yield from table.records(row, where)


def _opened(file: SourceFile, encoding: str) -> Lines:
    try:
        return Lines(file, encoding)
    except LookupError:
        raise Unreadable(file.name, f"{encoding!r} is no encoding", "Leave it out to have it found.") from None


def _next(rows: Iterator[list[str]], lines: Lines) -> list[str] | None:
    try:
        return next(rows, None)
    except csv.Error as error:
        text = "a quote is opened and not closed" if "field larger" in str(error) else "this is no CSV"
        raise Unreadable(lines.where(), text, "Look at the quotes of the lines before.") from None


def header_of(cells: list[str]) -> list[str | None] | None:
    """Return our names of the columns that a first line names (None: one we do not know); None where it is data."""
    if any("@" in cell for cell in cells):
        return None
    names = [_BY_WORD.get(cell.strip().lower().replace(" ", "_")) for cell in cells]
    return names if any(names) else None


def _unknown(cells: list[str], header: list[str | None], where: str) -> Iterator[Record]:
    for cell, name in zip(cells, header, strict=True):
        if name is None:
            yield Unmapped(what=f"column {cell.strip()!r}", where=where, why="no property of an account has this name")
    for name in {name for name in header if name}:
        if header.count(name) > 1:
            raise Unreadable(where, f"two columns mean {name}", "Leave one of them out.")


def _delimiter(file: SourceFile, encoding: str) -> str:
    """The character that divides the first lines into the same number of fields, and most of them."""
    lines = _opened(file, encoding)
    sample = [line for _, line in zip(range(20), lines, strict=False)]
    lines.close()

    def merit(mark: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(sample, delimiter=mark) if row]
        return (bool(counts) and min(counts) == max(counts) and counts[0] > 1, min(counts, default=0))

    try:
        return max(DELIMITERS, key=merit)
    except csv.Error:
        return ","


class _Table:
    """Turns rows into records; knows which domains and offices were met already."""

    def __init__(self, lines: Lines, columns: list[str | None], options: CsvOptions) -> None:
        self._lines = lines
        self._options = options
        self._width = len(columns)
        self._at = {name: index for index, name in enumerate(columns) if name}
        self._domains: set[str] = set()
        self._offices: set[str] = set()
        self._has_state = not {"disabled", "sign_in_disabled", "enabled"}.isdisjoint(self._at)
        self._has_level = "level" in self._at
        self._has_relations = not {"aliases", "groups"}.isdisjoint(self._at)
        self._unit = options.quota_unit
        self._sizes: dict[str, int | None] = {"": None, "-1": 0, "unlimited": 0}

    def records(self, row: list[str], where: str) -> Iterator[Record]:
        """Yield what one row says."""
        if len(row) > self._width and any(cell.strip() for cell in row[self._width :]):
            yield Flawed(where=where, why=f"the row has {len(row)} fields, not {self._width}")
            return
        address = self._cell(row, "address")
        if not address:
            yield Flawed(where=where, why="the row has no address")
            return
        if self._options.domain and "@" not in address:
            address = f"{address}@{self._options.domain}"
        try:
            account = self._account(row, address, where)
        except Refused as fault:
            yield Flawed(where=where, why=fault.detail, remedy=fault.remedy)
            return
        _, at, domain = address.rpartition("@")
        if at and domain not in self._domains:
            yield from self._domain(row, domain, where)
        yield account
        if self._has_relations:
            yield from self._around(row, address, where)

    def _cell(self, row: list[str], name: str) -> str:
        index = self._at.get(name)
        return row[index].strip() if index is not None and index < len(row) else ""

    def _account(self, row: list[str], address: str, where: str) -> ImportedAccount:
        index = self._at.get("password")
        password = row[index] if index is not None and index < len(row) else ""
        quota = self._cell(row, "quota")
        clear = password.encode("utf-8", "surrogateescape") if password else None
        encoded = self._cell(row, "password_hash")
        encoded = schemes.spelled(encoded) if encoded else schemes.recognised(password)
        return ImportedAccount(
            where=where,
            address=address,
            password=None if encoded else clear,
            password_hash=encoded,
            name=self._cell(row, "name") or None,
            given_name=self._cell(row, "given_name") or None,
            family_name=self._cell(row, "family_name") or None,
            quota_bytes=self._size(quota),
            quota_messages=_number(self._cell(row, "quota_messages"), "quota_messages"),
            state=self._state(row) if self._has_state else None,
            level=_level(self._cell(row, "level")) if self._has_level else None,
        )

    def _size(self, text: str) -> int | None:
        if text not in self._sizes:
            size = words.size(f"{text}{self._unit}" if text.isdecimal() else text)
            if len(self._sizes) >= SIZES_KEPT:
                return size
            self._sizes[text] = size
        return self._sizes[text]

    def _state(self, row: list[str]) -> AccountState:
        if is_yes(self._cell(row, "disabled"), "disabled"):
            return AccountState.DISABLED
        if "enabled" in self._at and not is_yes(self._cell(row, "enabled") or "1", "enabled"):
            return AccountState.DISABLED
        if is_yes(self._cell(row, "sign_in_disabled"), "sign_in_disabled"):
            return AccountState.SIGN_IN_DISABLED
        return AccountState.ACTIVE

    def _domain(self, row: list[str], domain: str, where: str) -> Iterator[Record]:
        office = self._cell(row, "office")
        if office and office not in self._offices:
            self._offices.add(office)
            yield ImportedOffice(where=where, name=office)
        self._domains.add(domain)
        yield ImportedDomain(where=where, name=domain, office=office, implied=True)

    def _around(self, row: list[str], address: str, where: str) -> Iterator[Record]:
        home = address.rpartition("@")[2]
        for other in _several(self._cell(row, "aliases"), home):
            yield ImportedAddress(where=where, address=other, account=address)
        for group in _several(self._cell(row, "groups"), home):
            yield ImportedGroup(where=where, address=group, members=(address,), is_more=True)


def _several(text: str, home: str) -> Iterator[str]:
    """Addresses in one cell, divided by blanks, commas or semicolons; a bare name is of the account's domain."""
    for word in text.replace(",", " ").replace(";", " ").split():
        yield word if "@" in word else f"{word}@{home}"


def is_yes(text: str, name: str) -> bool:
    """Return what a word for yes or no means. Raises Refused: for any other."""
    word = text.strip().lower()
    if word in _NO:
        return False
    if word in _YES:
        return True
    raise Refused(f"{name}: {text!r} is neither yes nor no")


def _level(text: str) -> Level:
    try:
        return LEVELS[text.lower()]
    except KeyError:
        raise Refused(f"level: {text!r} is none of user, domain, office, server") from None


def _number(text: str, name: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 15:
        raise Refused(f"{name}: {text!r} is not a number")
    return int(text)
