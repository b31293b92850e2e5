"""any bytes give an address or a named fault, never another exception.

An address that was read is printed and read again to the same value, and its folded form stays as it is when folded again.
"""

from __future__ import annotations

from posthouse.core.address import parse_address
from posthouse.core.errors import SyntaxFault


def target(data: bytes) -> None:
    """Read the data as one address."""
    try:
        found = parse_address(data.decode("utf-8", "replace"))
    except SyntaxFault:
        return
    assert parse_address(str(found)) == found
    assert found.folded.lower() == found.folded
    assert found.domain_ascii.isascii()
