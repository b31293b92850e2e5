"""Sequence sets: the value, its parser and its printer (RFC 3501 §9 sequence-set).

Invariants: numbers are 1 to 2**32-1; ``*`` is kept as 0 until ``resolve`` is told what it stands for; at most
``limits.IMAP_SEQUENCE_RANGES`` ranges. Whether the numbers are UIDs or message sequence numbers is the command's
affair, and so is what to do with numbers that do not exist.
Tests: ``tests/unit/protocols/imap/test_imap_sequence.py``, ``tests/property/test_imap_properties.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from posthouse.core import limits
from posthouse.core.errors import LimitFault, SyntaxFault

STAR: Final = 0
LARGEST: Final = 2**32 - 1
_SHORT: Final = 64

# Inclusive pairs, rising, without overlap or adjacency; the same shape as ``store.values.UidRanges``.
Ranges: TypeAlias = list[tuple[int, int]]

_NUMBER = rb"(?:[1-9][0-9]{0,9}|\*)"
_RANGE = _NUMBER + rb"(?::" + _NUMBER + rb")?"
SEQUENCE_SET = re.compile(_RANGE + rb"(?:," + _RANGE + rb")*")


def _number(text: bytes) -> int:
    if text == b"*":
        return STAR
    value = int(text)
    if value > LARGEST:
        raise SyntaxFault("a number in a sequence set has 32 bits", where="imap.sequence_set")
    return value


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A set of numbers as the client wrote it: pairs in the order given, 0 for ``*``, a single number twice."""

    pairs: tuple[tuple[int, int], ...]

    def resolve(self, largest: int) -> Ranges:
        """Return the numbers meant as rising ranges, with ``*`` standing for ``largest``.

        Where ``largest`` is 0 (an empty mailbox) ranges that name ``*`` mean nothing and are left out. Numbers
        beyond ``largest`` are kept: for UIDs they are harmless, for sequence numbers the caller refuses them.
        """
        if len(self.pairs) == 1:
            low, high = self.pairs[0]
            low, high = low or largest, high or largest
            if not low or not high:
                return []
            return [(low, high)] if low <= high else [(high, low)]
        found = [(low or largest, high or largest) for low, high in self.pairs]
        return merge_ranges((low, high) if low <= high else (high, low) for low, high in found if low and high)

    @property
    def has_star(self) -> bool:
        """Whether ``*`` occurs."""
        return any(not low or not high for low, high in self.pairs)

    def __bytes__(self) -> bytes:
        return b",".join(_format_pair(low, high) for low, high in self.pairs)


def _format_pair(low: int, high: int) -> bytes:
    if low == high:
        return b"%d" % low if low else b"*"
    return (b"%d:%d" % (low, high)).replace(b":0", b":*") if low else b"*:%d" % high


def merge_ranges(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Return pairs sorted, with those that overlap or touch joined."""
    merged: Ranges = []
    last_low, last_high = 0, -1
    for low, high in sorted(pairs):
        if last_high < 0:
            last_low, last_high = low, high
        elif low <= last_high + 1:
            last_high = max(last_high, high)
        else:
            merged.append((last_low, last_high))
            last_low, last_high = low, high
    if last_high >= 0:
        merged.append((last_low, last_high))
    return merged


def ranges_of(numbers: Sequence[int]) -> Ranges:
    """Return rising numbers without doubles as ranges."""
    if not numbers:
        return []
    first, last = numbers[0], numbers[-1]
    if last - first + 1 == len(numbers):
        return [(first, last)]
    found: Ranges = []
    low = high = first
    for number in numbers:
        if number > high + 1:
            found.append((low, high))
            low = number
        high = number
    found.append((low, high))
    return found


def format_ranges(ranges: Iterable[tuple[int, int]]) -> bytes:
    """Return ranges as a sequence set; b"" for none."""
    return b",".join([b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in ranges])


def _parse(text: bytes) -> SequenceSet:
    if not SEQUENCE_SET.fullmatch(text):
        raise SyntaxFault("malformed sequence set", where="imap.sequence_set")
    if text.count(b",") >= limits.IMAP_SEQUENCE_RANGES:
        raise LimitFault("too many ranges in a sequence set", where="imap.sequence_set")
    pairs = []
    for part in text.split(b","):
        low, colon, high = part.partition(b":")
        first = _number(low)
        pairs.append((first, _number(high) if colon else first))
    return SequenceSet(tuple(pairs))


_parse_short = lru_cache(maxsize=4096)(_parse)


def parse_sequence_set(text: bytes) -> SequenceSet:
    """Parse ``sequence-set`` (RFC 3501 §9); the text must be the whole of it.

    Raises SyntaxFault: where it is none. LimitFault: where it has too many ranges.
    """
    return _parse_short(text) if len(text) <= _SHORT else _parse(text)
