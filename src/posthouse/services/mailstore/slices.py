"""Bounded pieces of large requests: how 1:* over a million messages stays within a fixed memory.

A range is an inclusive pair of UIDs; ranges rise and do not overlap. ``uids`` are a mailbox's UIDs as somebody knows
them, rising. UIDs that are between two known ones and not known are not there, because a new message always has a
higher UID than all before it. Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

Ranges: TypeAlias = list[tuple[int, int]]

ROWS = 2000  # rows in memory at once: some hundred octets each
OCTETS = 1 << 19  # of message content in memory at once: rows and the answer made of them are both there


def clip(ranges: Sequence[tuple[int, int]], low: int, high: int) -> Ranges:
    """Return what of the ranges lies from ``low`` to ``high``."""
    return [(max(low, first), min(high, last)) for first, last in ranges if first <= high and last >= low]


def split_by_rows(ranges: Sequence[tuple[int, int]], uids: Sequence[int], rows: int = ROWS) -> Iterator[Ranges]:
    """Cut ranges so that each piece has at most ``rows`` messages.

    Args:
        ranges: UID ranges.
        uids: the known UIDs in them; what lies outside these is left out.
        rows: what a piece may hold.
    """
    if len(ranges) == 1:
        for start in range(0, len(uids), rows):
            yield [(uids[start], uids[min(start + rows, len(uids)) - 1])]
        return
    for start in range(0, len(uids), rows):
        yield clip(ranges, uids[start], uids[min(start + rows, len(uids)) - 1])


def split_by_size(
    ranges: Sequence[tuple[int, int]], sizes: Iterable[tuple[int, int]], octets: int = OCTETS
) -> Iterator[Ranges]:
    """Cut ranges so that the messages of each piece hold about ``octets``; a message that is larger stands alone.

    Args:
        ranges: UID ranges.
        sizes: ``(uid, size)`` of the messages there are in them, rising.
        octets: what a piece may hold.
    """
    low, last, weight = 0, 0, 0
    for uid, size in sizes:
        if last and weight + size > octets:
            yield clip(ranges, low, last)
            low, weight = last + 1, 0
        last = uid
        weight += size
    if last:
        yield clip(ranges, low, last)


def ranges_from_uids(uids: Iterable[int]) -> Ranges:
    """Return ranges that hold exactly these rising UIDs."""
    ranges: Ranges = []
    first = last = 0
    for uid in uids:
        if uid == last + 1 and last:
            last = uid
            continue
        if last:
            ranges.append((first, last))
        first = last = uid
    if last:
        ranges.append((first, last))
    return ranges
