"""Bounded pieces of large requests: how 1:* over a million messages stays within a fixed memory.

A *span* is an inclusive pair of ranks (positions, from 0) in a mailbox's rising array of UIDs; a *range* is an
inclusive pair of UIDs. Ranks that follow each other give one range, whatever the gaps between their UIDs: a message
that is there but not in the array has a higher UID than all of it.
Tests: ``tests/unit/services/mailstore/test_slices.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

Spans: TypeAlias = Sequence[tuple[int, int]]
Ranges: TypeAlias = list[tuple[int, int]]

ROWS = 2000  # rows in memory at once: some hundred octets each
OCTETS = 1 << 20  # of message content in memory at once


def ranges_of(uids: Sequence[int], spans: Spans) -> Ranges:
    """Return the UID ranges of spans of ranks."""
    return [(uids[first], uids[last]) for first, last in spans]


def split_spans(spans: Spans, rows: int = ROWS) -> Iterator[list[tuple[int, int]]]:
    """Cut spans into groups of at most ``rows`` ranks, in order."""
    group: list[tuple[int, int]] = []
    room = rows
    for span_first, last in spans:
        first = span_first
        while first <= last:
            end = min(last, first + room - 1)
            group.append((first, end))
            room -= end - first + 1
            first = end + 1
            if not room:
                yield group
                group, room = [], rows
    if group:
        yield group


def clip(ranges: Sequence[tuple[int, int]], low: int, high: int) -> Ranges:
    """Return what of the ranges lies from ``low`` to ``high``."""
    return [(max(first, low), min(last, high)) for first, last in ranges if first <= high and last >= low]


def split_by_size(
    ranges: Sequence[tuple[int, int]], sizes: Iterable[tuple[int, int]], octets: int = OCTETS
) -> Iterator[Ranges]:
    """Cut ranges so that the messages of each piece hold about ``octets``; a message that is larger stands alone.

    Args:
        ranges: UID ranges, rising.
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


def seqnums(rows: Sequence[tuple[int, ...]], spans: Spans, rank_of: Callable[[int], int]) -> Iterable[int]:
    """Return the sequence number of each row; rows start with their UID and come from the spans, in order.

    Where every message of the spans is there the numbers follow from the spans; otherwise each is looked up.
    """
    if len(rows) == sum(last - first + 1 for first, last in spans):
        if len(spans) == 1:
            return range(spans[0][0] + 1, spans[0][1] + 2)
        return [rank + 1 for first, last in spans for rank in range(first, last + 1)]
    return [rank_of(row[0]) + 1 for row in rows]
