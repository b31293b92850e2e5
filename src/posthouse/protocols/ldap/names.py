"""Distinguished names as text, such as ``uid=anna,ou=people,dc=example,dc=org`` (RFC 4514).

It is a tuple of relative names, each a tuple of attribute and value. ``parse_name`` and ``format_name`` are inverse.
``fill_name`` puts values of strangers into a name of ours, escaped so that each stays one value.
Tests: ``tests/unit/protocols/ldap/test_ldap_filters.py``, ``tests/property/test_ldap_properties.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from posthouse.core.errors import SyntaxFault

NAME_LENGTH: Final = 8_192
RelativeName: TypeAlias = tuple[tuple[str, str], ...]
DistinguishedName: TypeAlias = tuple[RelativeName, ...]

_TYPE = re.compile(r" *([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *= *")
_PIECE = re.compile(r'\\([0-9A-Fa-f]{2})|\\([ "#+,;<=>\\])|([^"+,;<>\\\x00])')
_SPECIAL = re.compile(r'[",+;<>\\]')
_PLACE = re.compile(r"\{([a-z_]+)\}")


def escape_name_value(value: str) -> str:
    """Return an attribute value as it stands in a name (RFC 4514 §2.4)."""
    text = _SPECIAL.sub(lambda match: "\\" + match[0], value).replace("\x00", "\\00")
    if value.startswith(("#", " ")):
        text = "\\" + text
    if value.endswith(" ") and value != " ":
        text = text[:-1] + "\\ "
    return text


def fill_name(template: str, values: Mapping[str, str]) -> str:
    """Return a name with ``{name}`` replaced by escaped values. Raises SyntaxFault: there is no such name."""

    def put(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise SyntaxFault(f"there is no {{{match[1]}}}", where="ldap.name", offset=match.start())
        return escape_name_value(values[match[1]])

    return _PLACE.sub(put, template)


def parse_name(text: str) -> DistinguishedName:
    """Return the name that a text means; a value in hexadecimal (``#04...``) stays as written.

    Raises SyntaxFault: at the character that does not fit.
    """
    if len(text) > NAME_LENGTH:
        raise SyntaxFault(f"a name of more than {NAME_LENGTH} characters", where="ldap.name")
    if not text.strip(" "):
        return ()
    name: list[RelativeName] = []
    parts: list[tuple[str, str]] = []
    at = 0
    while True:
        match = _TYPE.match(text, at)
        if match is None:
            raise SyntaxFault("an attribute and = should be here", where="ldap.name", offset=at)
        value, at = _value(text, match.end())
        parts.append((match[1], value))
        mark = text[at : at + 1]
        if mark != "+":
            name.append(tuple(parts))
            parts = []
        if not mark:
            return tuple(name)
        if mark not in "+,;":
            raise SyntaxFault("a name cannot go on like this", where="ldap.name", offset=at)
        at += 1


def _value(text: str, at: int) -> tuple[str, int]:
    octets = bytearray()
    kept = 0  # how long the value is without spaces that are not escaped
    start = at
    while match := _PIECE.match(text, at):
        octets += bytes.fromhex(match[1]) if match[1] else (match[2] or match[3]).encode("utf-8", "surrogatepass")
        at = match.end()
        if match[3] != " ":
            kept = len(octets)
    try:
        return bytes(octets[:kept]).decode("utf-8", "surrogatepass"), at
    except UnicodeDecodeError:
        raise SyntaxFault("a value that is no UTF-8", where="ldap.name", offset=start) from None


def format_name(name: DistinguishedName) -> str:
    """Return the text of a name."""
    return ",".join("+".join(f"{kind}={escape_name_value(value)}" for kind, value in parts) for parts in name)
