"""any text is a filter and a name, or a named fault; what was read is printed and read again to the same."""

from __future__ import annotations

from posthouse.core.errors import Fault
from posthouse.protocols.ldap.filters import fill_filter, format_filter, parse_filter
from posthouse.protocols.ldap.names import format_name, parse_name


def target(data: bytes) -> None:
    """Read the data as a filter, as a name, and as a value that is put into a filter."""
    text = data.decode("utf-8", "replace")
    try:
        found = parse_filter(text)
        assert parse_filter(format_filter(found)) == found
    except Fault:
        pass
    try:
        name = parse_name(text)
        if not any(value.startswith("#") for part in name for _, value in part):
            assert parse_name(format_name(name)) == name
    except Fault:
        pass
    if len(text) < 5_000:
        parse_filter(fill_filter("(&(objectClass=person)(mail={login}))", {"login": text}))
