"""Search filters as text, such as ``(&(objectClass=person)(mail=anna@example.org))`` (RFC 4515 §3).

``parse_filter`` and ``format_filter`` are inverse. ``fill_filter`` puts values of strangers into a text of ours: every
octet that has a meaning is escaped, so that a value stays one value whatever it holds.
Tests: ``tests/unit/protocols/ldap/test_ldap_filters.py``, ``tests/property/test_ldap_properties.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.ldap.messages import FILTER_DEPTH
from posthouse.protocols.ldap.types import And, Compare, Comparison, Extensible, Filter, Not, Or, Present, Substrings

FILTER_LENGTH: Final = 16_384
_ATTRIBUTE = r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)(?:;[A-Za-z0-9-]+)*"
_ITEM = re.compile(rf"({_ATTRIBUTE})(=|>=|<=|~=)([^()]*)")
_EXTENSIBLE = re.compile(rf"({_ATTRIBUTE})?(:dn)?(?::([A-Za-z0-9.-]+))?:=([^()]*)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([0-9A-Fa-f]{2})")
_SPECIAL = re.compile(rb"[\x00-\x1f\x7f()*\\]|[\x80-\xff]+")
_PLACE = re.compile(r"\{([a-z_]+)\}")


def escape_value(value: bytes) -> str:
    """Return a value as it stands in a filter: stars, brackets, backslashes, NUL and what is no UTF-8 are escaped."""
    return _SPECIAL.sub(_escape_match, value).decode()


def _escape_match(match: re.Match[bytes]) -> bytes:
    octets = match[0]
    if octets[0] >= 0x80:
        try:
            octets.decode()
        except UnicodeDecodeError:
            pass
        else:
            return octets
    return b"".join(b"\\%02x" % octet for octet in octets)


def fill_filter(template: str, values: Mapping[str, str]) -> str:
    """Return a filter text with ``{name}`` replaced by escaped values. Raises SyntaxFault: there is no such name."""

    def put(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise SyntaxFault(f"there is no {{{match[1]}}}", where="ldap.filter", offset=match.start())
        return escape_value(values[match[1]].encode("utf-8", "surrogateescape"))

    return _PLACE.sub(put, template)


def parse_filter(text: str) -> Filter:
    """Return the filter that a text means. Raises SyntaxFault: at the character that does not fit."""
    if len(text) > FILTER_LENGTH:
        raise SyntaxFault(f"a filter of more than {FILTER_LENGTH} characters", where="ldap.filter")
    found, at = _filter(text, 0, 0)
    if at != len(text):
        raise SyntaxFault("text after the filter", where="ldap.filter", offset=at)
    return found


def _filter(text: str, at: int, depth: int) -> tuple[Filter, int]:
    if depth >= FILTER_DEPTH:
        raise SyntaxFault(f"nested more than {FILTER_DEPTH} deep", where="ldap.filter", offset=at)
    if text[at : at + 1] != "(":
        raise SyntaxFault("a filter begins with (", where="ldap.filter", offset=at)
    mark = text[at + 1 : at + 2]
    found: Filter
    if mark and mark in "&|":
        parts, at = _list(text, at + 2, depth + 1)
        found = And(parts) if mark == "&" else Or(parts)
    elif mark == "!":
        inner, at = _filter(text, at + 2, depth + 1)
        found = Not(inner)
    else:
        found, at = _item(text, at + 1)
    if text[at : at + 1] != ")":
        raise SyntaxFault("a filter ends with )", where="ldap.filter", offset=at)
    return found, at + 1


def _list(text: str, at: int, depth: int) -> tuple[tuple[Filter, ...], int]:
    parts = []
    while text[at : at + 1] == "(":
        part, at = _filter(text, at, depth)
        parts.append(part)
    return tuple(parts), at


def _item(text: str, at: int) -> tuple[Filter, int]:
    if match := _ITEM.match(text, at):
        return _comparison(match), match.end()
    match = _EXTENSIBLE.match(text, at)
    if match is None or not (match[1] or match[3]):
        raise SyntaxFault("neither an attribute with a value nor a rule", where="ldap.filter", offset=at)
    value = _value(match[4], match.start(4))
    return Extensible(value, match[1] or "", match[3] or "", bool(match[2])), match.end()


def _comparison(match: re.Match[str]) -> Filter:
    attribute, mark, value = match[1], match[2], match[3]
    if mark != "=" or "*" not in value:
        return Compare(attribute, Comparison(mark), _value(value, match.start(3)))
    if value == "*":
        return Present(attribute)
    pieces = [_value(piece, match.start(3)) for piece in value.split("*")]
    # two stars side by side mean what one means
    middle = tuple(piece for piece in pieces[1:-1] if piece)
    if not (pieces[0] or middle or pieces[-1]):
        return Present(attribute)
    return Substrings(attribute, pieces[0], middle, pieces[-1])


def _value(text: str, at: int) -> bytes:
    plain = _ESCAPED.sub("", text)
    if "\\" in plain or "*" in plain or "\x00" in plain:
        raise SyntaxFault("a value with * or NUL, or \\ without two digits", where="ldap.filter", offset=at)
    found, position = [], 0
    for match in _ESCAPED.finditer(text):
        found += [text[position : match.start()].encode("utf-8", "surrogatepass"), bytes.fromhex(match[1])]
        position = match.end()
    return b"".join(found) + text[position:].encode("utf-8", "surrogatepass")


def format_filter(value: Filter) -> str:
    """Return the text of a filter."""
    match value:
        case And(parts):
            return f"(&{''.join(map(format_filter, parts))})"
        case Or(parts):
            return f"(|{''.join(map(format_filter, parts))})"
        case Not(inner):
            return f"(!{format_filter(inner)})"
        case Present(attribute):
            return f"({attribute}=*)"
        case Compare(attribute, comparison, octets):
            return f"({attribute}{comparison.value}{escape_value(octets)})"
        case Substrings(attribute, initial, middle, final):
            return f"({attribute}={'*'.join(map(escape_value, (initial, *middle, final)))})"
        case Extensible(octets, attribute, rule, is_in_dn):
            named = f":{rule}" if rule else ""
            return f"({attribute}{':dn' if is_in_dn else ''}{named}:={escape_value(octets)})"
