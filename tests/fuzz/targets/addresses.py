"""any bytes give a list of addresses in which groups close, in bounded memory, never an exception."""

from __future__ import annotations

from posthouse.message.addresses import GROUP_END, format_first, parse_addresses
from posthouse.message.envelope import format_address


def target(data: bytes) -> None:
    """Read, check that every group ends, and tell what was read."""
    found = parse_addresses(data)
    starts = sum(1 for address in found if address.host is None and address.mailbox is not None)
    assert starts == found.count(GROUP_END)
    format_first(found)
    for address in found:
        format_address(address)
