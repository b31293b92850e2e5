"""any bytes give a sequence set or a named fault, in bounded memory, never another exception.

What was read is printed and read again to the same value, and means rising ranges that do not touch.
"""

from __future__ import annotations

from posthouse.core import limits
from posthouse.core.errors import Fault
from posthouse.protocols.imap.types.sequence import LARGEST, parse_sequence_set


def target(data: bytes) -> None:
    """Read the data as one set."""
    try:
        found = parse_sequence_set(data)
    except Fault:
        return
    assert len(found.pairs) <= limits.IMAP_SEQUENCE_RANGES
    assert parse_sequence_set(bytes(found)) == found
    for largest in (0, 1, 1_000, LARGEST):
        last = 0
        for low, high in found.resolve(largest):
            assert last + 1 < low <= high <= LARGEST or (last == 0 and 0 < low <= high <= LARGEST)
            last = high
