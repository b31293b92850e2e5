"""BER elements and the framing of messages: what fits, what is cut, what is too large."""

from __future__ import annotations

import pytest

from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.protocols.ldap import ber
from posthouse.protocols.ldap.wire import MessageSplitter


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, 32767, 32768, 2_147_483_647])
def test_integers_are_read_as_written(value) -> None:
    """With a leading zero octet where the first bit is set, as X.690 has it."""
    octets = ber.integer(value)
    assert ber.Reader(octets).integer() == value
    assert octets[2] < 0x80


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_take_the_fewest_octets(size) -> None:
    """Short form to 127, then as many octets as are needed."""
    octets = ber.element(ber.OCTET_STRING, b"x" * size)
    assert ber.Reader(octets).octets() == b"x" * size
    assert len(octets) - size == (2 if size < 128 else 3 if size < 256 else 4 if size < 65_536 else 5)


@pytest.mark.parametrize(
    ("read", "octets"),
    [
        pytest.param("octets", b"", id="nothing"),
        pytest.param("octets", b"\x04", id="no length"),
        pytest.param("octets", b"\x04\x05abc", id="cut"),
        pytest.param("octets", b"\x04\x82\x01", id="a cut length"),
        pytest.param("octets", b"\x04\x80\x00\x00", id="an indefinite length"),
        pytest.param("octets", b"\x04\x85\x00\x00\x00\x00\x01x", id="a length of five octets"),
        pytest.param("octets", b"\x1f\x81\x01x", id="a tag of several octets"),
        pytest.param("octets", b"\x02\x01\x00", id="another tag"),
        pytest.param("string", b"\x04\x01\xff", id="no UTF-8"),
        pytest.param("integer", b"\x02\x00", id="an integer of no octets"),
        pytest.param("integer", b"\x02\x06\x01\x01\x01\x01\x01\x01", id="an integer of six octets"),
        pytest.param("integer", b"\x02\x01\xff", id="a negative integer"),
        pytest.param("integer", b"\x02\x05\x00\x80\x00\x00\x00", id="an integer beyond its range"),
        pytest.param("boolean", b"\x01\x02\x00\x00", id="a truth of two octets"),
    ],
)
def test_what_does_not_fit_is_a_fault(read, octets) -> None:
    """Never an exception of another kind."""
    with pytest.raises(SyntaxFault):
        getattr(ber.Reader(octets), read)()


def test_what_is_left_over_is_a_fault() -> None:
    """An element that should be the last is."""
    reader = ber.Reader(ber.integer(1) + b"x")
    reader.integer()
    with pytest.raises(SyntaxFault):
        reader.end()


def test_messages_are_cut_apart() -> None:
    """However the octets come."""
    first, second = ber.element(ber.SEQUENCE, b"a" * 300), ber.element(ber.SEQUENCE, b"b")
    splitter = MessageSplitter()
    assert splitter.feed(first + second) == [first, second]
    found = [message for octet in first + second for message in splitter.feed(bytes([octet]))]
    assert found == [first, second]
    assert splitter.held == 0


def test_a_length_is_believed_up_to_the_limit() -> None:
    """A message that says it is longer is refused before its octets come; another protocol at its first octet."""
    with pytest.raises(LimitFault):
        MessageSplitter(1_000).feed(b"\x30\x84\x7f\xff\xff\xff")
    with pytest.raises(SyntaxFault):
        MessageSplitter().feed(b"HTTP/1.1")
    with pytest.raises(SyntaxFault):
        MessageSplitter().feed(b"\x30\x80")
