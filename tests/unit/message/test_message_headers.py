"""The header index."""

import pytest

from posthouse.core import limits
from posthouse.message.headers import HeaderIndex, section_end

MESSAGE = b"From: a@b\r\nX-Long: one\r\n two\r\n\tthree\r\nfrom : c@d\r\nno colon here\r\nLast:end\r\n\r\nbody\r\n"


def index(content):
    return HeaderIndex(content, 0, section_end(content, 0, len(content)))


def test_fields_are_found_in_order_with_offsets():
    """Names are folded, offsets cut out the octets, garbage lines are passed over."""
    headers = index(MESSAGE)
    assert [name for name, _, _ in headers.fields] == [b"from", b"x-long", b"from", b"last"]
    assert MESSAGE[headers.fields[1][1] : headers.fields[1][2]] == b"X-Long: one\r\n two\r\n\tthree\r\n"
    assert headers.raw(3) == b"Last:end\r\n"


def test_values_are_unfolded():
    """get, get_all and count speak of unfolded values; a space before the colon is allowed."""
    headers = index(MESSAGE)
    assert headers.get(b"x-long") == b"one two\tthree"
    assert headers.get_all(b"from") == [b"a@b", b"c@d"]
    assert headers.count(b"from") == 2
    assert headers.get(b"absent") is None
    assert b"last" in headers
    assert len(headers) == 4


@pytest.mark.parametrize(
    ("content", "end"),
    [
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"\r\nbody", 2, id="no header"),
        pytest.param(b"\nbody", 1, id="no header, bare LF"),
        pytest.param(b"A: b\r\n\r\nbody", 8, id="CRLF"),
        pytest.param(b"A: b\n\nbody\r\n\r\n", 6, id="bare LF"),
        pytest.param(b"A: b\n\r\nbody\n\n", 7, id="mixed"),
        pytest.param(b"A: b\r\nC: d", 10, id="no empty line"),
        pytest.param(b"A: " + b"b" * 10_000 + b"\r\n\r\n" + b"x" * 10_000, 10_007, id="beyond a window"),
        pytest.param(b"A: " + b"b" * 4091 + b"\r\n\r\nx", 4098, id="across a window"),
    ],
)
def test_the_section_ends_at_the_first_empty_line(content, end):
    """Either kind of line end makes the empty line; without one all is header."""
    assert section_end(content, 0, len(content)) == end


def test_an_index_is_bounded():
    """Fields beyond the limits are left in the bytes."""
    many = index(b"A: b\r\n" * (limits.HEADER_COUNT + 5) + b"\r\n")
    assert len(many) == limits.HEADER_COUNT
    long = index(b"A: " + b"b" * (limits.HEADER_TOTAL + 5) + b"\r\nC: d\r\n\r\n")
    assert len(long) == 1
