"""What a client believes about its mailbox: tables (RFC 3501 §2.3.1, §7.4.1)."""

from __future__ import annotations

from array import array

import pytest

from posthouse.core.errors import SequenceFault
from posthouse.protocols.imap.selected import Selected
from posthouse.protocols.imap.types.sequence import parse_sequence_set


def view(*uids):
    return Selected(array("I", uids))


@pytest.mark.parametrize(
    ("text", "uid", "expected"),
    [
        (b"1:*", False, [(10, 50)]),
        (b"2", False, [(20, 20)]),
        (b"*", False, [(50, 50)]),
        (b"4,1:2", False, [(10, 20), (40, 40)]),
        (b"5:*", False, [(50, 50)]),
        (b"9:*", False, [(50, 50)]),
        (b"1:*", True, [(1, 50)]),
        (b"99:*", True, [(50, 50)]),
        (b"99", True, []),
        (b"15:60", True, [(15, 50)]),
    ],
)
def test_resolve(text, uid, expected):
    """A set means these UIDs to a client with the messages 10, 20, 30, 40, 50."""
    assert view(10, 20, 30, 40, 50).resolve(parse_sequence_set(text), uid=uid) == expected


@pytest.mark.parametrize("text", [b"6", b"1:6", b"7:9"])
def test_numbers_that_do_not_exist(text):
    """A sequence number beyond the last is a fault."""
    with pytest.raises(SequenceFault):
        view(10, 20, 30, 40, 50).resolve(parse_sequence_set(text), uid=False)


def test_empty_mailbox():
    """All of an empty mailbox is nothing; its first message does not exist."""
    empty = view()
    assert empty.resolve(parse_sequence_set(b"1:*"), uid=False) == []
    assert empty.resolve(parse_sequence_set(b"1:*"), uid=True) == []
    assert empty.last_uid == 0
    with pytest.raises(SequenceFault):
        empty.resolve(parse_sequence_set(b"1"), uid=False)


def test_numbers_of_uids():
    """UIDs have the number of their place; contiguous ones come as a range."""
    mine = view(*range(10, 1000, 10))
    assert mine.seqnum(30) == 3
    assert mine.seqnum(31) == 0
    assert mine.seqnums([]) == ()
    assert mine.seqnums([20, 30, 40]) == range(2, 5)
    assert list(mine.seqnums([20, 40])) == [2, 4]
    assert list(mine.seqnums([uid for uid in range(10, 1000, 10) if uid != 500])) == [*range(1, 50), *range(51, 100)]
    assert list(mine.known([5, 10, 15, 20])) == [10, 20]
    assert list(mine.members([(15, 30), (990, 2000)])) == [20, 30, 990]


def test_expunge_from_the_end():
    """Numbers are announced from the highest, so that none shifts another."""
    mine = view(1, 2, 3, 4, 5, 6, 7)
    assert mine.apply_expunged([3, 4, 7, 9]) == [7, 4, 3]
    assert list(mine.uids) == [1, 2, 5, 6]
    assert mine.apply_expunged([3]) == []
    assert mine.apply_expunged([1]) == [1]


def test_new_messages():
    """New UIDs are counted; those already known or passed are not."""
    mine = view(1, 5)
    assert mine.append_uids([5, 6]) == 3
    assert mine.append_uids([]) == 3
    assert list(mine.uids) == [1, 5, 6]
    assert len(mine) == 3
