"""LDIF content records: entries with their attributes, one after the other (RFC 2849).

Invariants: any octets give entries or one fault with its line; an entry is bounded. A value by URL (``attr:< file:``)
is never fetched. Tests: ``tests/unit/services/administration/importing/test_import_ldap.py``,
``tests/fuzz/targets/import_ldif.py``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from posthouse.services.administration.importing.source import LINE_MAX, Lines, SourceFile, Unreadable

ENTRY_MAX: Final = 8 * 1024 * 1024  # octets of values: a group of a hundred thousand members
# attrval-spec = AttributeDescription value-spec   (RFC 2849 §2)
_SPEC: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9.-]{0,127})((?:;[A-Za-z0-9-]{1,64})*):([:<]?)[ ]*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its name, where it stands, its attributes by name in lower case without options."""

    dn: str
    where: str
    attributes: Mapping[str, list[bytes]] = field(default_factory=dict)

    def texts(self, name: str) -> list[str]:
        """Return the values of an attribute as text, without those that are none."""
        found = []
        for value in self.attributes.get(name.lower(), ()):
            try:
                text = value.decode().strip()
            except UnicodeDecodeError:
                continue
            if text:
                found.append(text)
        return found

    def text(self, *names: str) -> str:
        """Return the first value of the first attribute there is, "" for none."""
        for name in names:
            for text in self.texts(name):
                return text
        return ""


def read_ldif(file: SourceFile) -> Iterator[Entry]:
    """Yield the entries of an LDIF file. Raises Unreadable."""
    where, attributes, size = "", dict[str, list[bytes]](), 0
    for place, line in _unfolded(file):
        if not line:
            if attributes:
                yield _entry(where, attributes)
            where, attributes, size = "", {}, 0
            continue
        name, value = _attribute(place, line)
        if name == "version" and not attributes:
            continue
        if not attributes and name != "dn":
            raise Unreadable(place, "an entry does not begin with its dn", "Is it an LDIF file?")
        where = where or place
        size += len(value) + 64
        if size > ENTRY_MAX:
            raise Unreadable(place, f"the entry has more than {ENTRY_MAX >> 20} MiB")
        attributes.setdefault(name, []).append(value)
    if attributes:
        yield _entry(where, attributes)


def _entry(where: str, attributes: dict[str, list[bytes]]) -> Entry:
    kind = attributes.pop("changetype", [b"add"])[0].strip().lower()
    if kind != b"add":
        raise Unreadable(where, "the file holds changes, not entries", "Export entries: ldapsearch, slapcat, ldifde.")
    dn = attributes.pop("dn")[0].decode("utf-8", "replace").strip()
    return Entry(dn, where, attributes)


def _unfolded(file: SourceFile) -> Iterator[tuple[str, str]]:
    """Yield logical lines: a line that begins with a blank continues the one before; comments go."""
    lines = Lines(file, "utf-8-sig")
    where, parts, size = "", list[str](), 0
    for raw in lines:
        line = raw.rstrip("\r\n")
        if line.startswith(" ") and parts:
            size += len(line)
            if size > LINE_MAX:
                raise Unreadable(where, f"the value has more than {LINE_MAX} characters")
            parts.append(line[1:])
            continue
        if parts and not parts[0].startswith("#"):
            yield where, "".join(parts)
        where, parts, size = lines.where(), [line], len(line)
    if parts and not parts[0].startswith("#"):
        yield where, "".join(parts)


def _attribute(where: str, line: str) -> tuple[str, bytes]:
    match = _SPEC.fullmatch(line)
    if match is None:
        raise Unreadable(where, "the line is no attribute: value", "Is it an LDIF file?")
    name = match[1].lower()
    if match[3] == "<":
        return name, b""
    if match[3] == ":":
        try:
            return name, base64.b64decode(match[4].strip(), validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable(where, f"the value of {name} is no base64") from None
    return name, match[4].encode("utf-8", "replace")
