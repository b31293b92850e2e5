"""Queue ids: order, text form, bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posthouse.core.flags import FLAG_MASK_BYTES, FLAGS_BY_NAME, Flag
from posthouse.core.ids import format_queue_id, make_queue_id, parse_queue_id, queue_id_floor, queue_id_time

MOMENTS = st.integers(min_value=0, max_value=2**53 - 1)


@given(MOMENTS, st.integers(min_value=0, max_value=5000))
def test_text_and_id_are_inverse(moment, worker):
    """What is printed parses to the same id, in either case."""
    queue_id = make_queue_id(moment, worker)
    text = format_queue_id(queue_id)
    assert len(text) == 13
    assert parse_queue_id(text) == parse_queue_id(text.lower()) == queue_id


@given(MOMENTS, MOMENTS, st.integers(0, 1023), st.integers(0, 1023))
def test_ids_order_by_time(one, other, worker, sibling):
    """A later moment makes a greater id, whatever the workers; the text orders the same way."""
    first, second = make_queue_id(one, worker), make_queue_id(other, sibling)
    if one != other:
        assert (one < other) == (first < second) == (format_queue_id(first) < format_queue_id(second))


def test_time_of_an_id():
    """The moment can be read back, and the floor is below every id of that moment."""
    queue_id = make_queue_id(1_790_000_000_123_456, 7)
    assert queue_id_time(queue_id) == pytest.approx(1_790_000_000.123456)
    assert queue_id_floor(1_790_000_000) <= queue_id


@pytest.mark.parametrize("text", ["", "123", "ILOU000000000", "0" * 14, "Z" * 13, "0000000000 00"])
def test_what_is_no_queue_id(text):
    """Wrong length, letters outside the alphabet, or more than 63 bits raise ValueError."""
    with pytest.raises(ValueError, match="queue id"):
        parse_queue_id(text)


def test_wire_form_of_every_mask():
    """Each of the 32 masks has its flags, each once, and names lead back to flags."""
    for mask, text in enumerate(FLAG_MASK_BYTES):
        names = text.split()
        found = Flag.NONE
        for name in names:
            found |= FLAGS_BY_NAME[name.lower()]
        assert int(found) == mask
        assert len(set(names)) == len(names)
