"""Tables for sequence sets (RFC 3501 §9)."""

from __future__ import annotations

import pytest

from posthouse.core import limits
from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.protocols.imap.types.sequence import (
    SequenceSet,
    format_ranges,
    merge_ranges,
    parse_sequence_set,
    ranges_of,
)


@pytest.mark.parametrize(
    ("text", "largest", "expected"),
    [
        pytest.param(b"1", 9, [(1, 1)], id="one"),
        pytest.param(b"*", 9, [(9, 9)], id="star"),
        pytest.param(b"*", 0, [], id="star of nothing"),
        pytest.param(b"1:*", 0, [], id="all of nothing"),
        pytest.param(b"1:*", 9, [(1, 9)], id="all"),
        pytest.param(b"*:4", 5, [(4, 5)], id="backwards with star, RFC 3501 §9"),
        pytest.param(b"2:4", 5, [(2, 4)], id="RFC 3501 §9 example"),
        pytest.param(b"4:2", 5, [(2, 4)], id="backwards"),
        pytest.param(b"2,4:7,9,12:*", 15, [(2, 2), (4, 7), (9, 9), (12, 15)], id="RFC 3501 §9, 15 messages"),
        pytest.param(b"*:4,5:7", 10, [(4, 10)], id="RFC 3501 §9, overlap"),
        pytest.param(b"559:*", 3, [(3, 559)], id="more than there is, RFC 3501 §6.4.8"),
        pytest.param(b"1,1,2,3", 9, [(1, 3)], id="doubles and neighbours"),
        pytest.param(b"4294967295", 1, [(4294967295, 4294967295)], id="largest"),
    ],
)
def test_resolve(text, largest, expected):
    """A set means these numbers where the largest is that."""
    assert parse_sequence_set(text).resolve(largest) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"0",
        b"01",
        b"1,",
        b",1",
        b"1:",
        b"1:2:3",
        b"a",
        b"1 2",
        b"-1",
        b"4294967296",
        b"99999999999",
        b"1:*:",
        b"**",
    ],
)
def test_malformed(text):
    """What is no sequence set is refused."""
    with pytest.raises(SyntaxFault):
        parse_sequence_set(text)


def test_too_many_ranges():
    """The number of ranges is limited."""
    with pytest.raises(LimitFault):
        parse_sequence_set(b",".join([b"1"] * (limits.IMAP_SEQUENCE_RANGES + 1)))


@pytest.mark.parametrize("text", [b"1", b"*", b"1:*", b"*:1", b"10:20", b"10:5", b"1,3:*,*,7:9"])
def test_printed_as_written(text):
    """Printing gives back what was read."""
    assert bytes(parse_sequence_set(text)) == text


def test_has_star():
    """A star is seen wherever it stands."""
    assert parse_sequence_set(b"1,2:*").has_star
    assert not parse_sequence_set(b"1,2:3").has_star


def test_numbers_to_ranges_and_text():
    """Numbers become ranges and ranges text."""
    assert ranges_of([]) == []
    assert ranges_of([1, 2, 3]) == [(1, 3)]
    assert ranges_of([1, 2, 5, 7, 8]) == [(1, 2), (5, 5), (7, 8)]
    assert format_ranges([(1, 2), (5, 5)]) == b"1:2,5"
    assert merge_ranges([(5, 6), (1, 2), (3, 3)]) == [(1, 3), (5, 6)]
    assert SequenceSet(()).resolve(5) == []
