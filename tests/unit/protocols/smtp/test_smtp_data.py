"""Mail data on the wire: end, dots, line ends, size."""

import pytest

from posthouse.core import limits
from posthouse.protocols.smtp.data import (
    BARE_NEWLINE,
    LONG_LINE,
    TOO_LARGE,
    ChunkReceiver,
    ContentGate,
    DataReceiver,
    DotStuffer,
)
from posthouse.protocols.smtp.types import BareNewline

ROWS = [
    pytest.param(b".\r\nQUIT", b"", b"QUIT", id="no content"),
    pytest.param(b"a\r\n.\r\n", b"a\r\n", b"", id="a line"),
    pytest.param(b"\r\n.\r\n", b"\r\n", b"", id="an empty line"),
    pytest.param(b"..\r\n.\r\n", b".\r\n", b"", id="a dot at the very start"),
    pytest.param(b"a\r\n..b\r\n...\r\n.\r\nx", b"a\r\n.b\r\n..\r\n", b"x", id="dots removed"),
    pytest.param(b".a\r\n.\r\n", b"a\r\n", b"", id="a dot that was not doubled"),
    pytest.param(b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n", b"", id="a dot alone as content"),
    pytest.param(b"a\r\n.\r\n.\r\n", b"a\r\n", b".\r\n", id="the first end counts"),
    pytest.param(b"a", None, b"", id="no end"),
    pytest.param(b"a\r\n.\n", None, b"", id="CRLF dot LF is no end"),
]
BARE = [
    pytest.param(b"a\nb\r\n", b"a\r\nb\r\n", id="LF"),
    pytest.param(b"a\rb\r\n", b"a\r\nb\r\n", id="CR"),
    pytest.param(b"a\n.\r\nb\r\n", b"a\r\n.\r\nb\r\n", id="LF . CRLF"),
    pytest.param(b"a\n.\nb\r\n", b"a\r\n.\r\nb\r\n", id="LF . LF"),
    pytest.param(b"a\r.\rb\r\n", b"a\r\n.\r\nb\r\n", id="CR . CR"),
    pytest.param(b"a\r\r\n", b"a\r\n\r\n", id="CR CR LF"),
]


def receive(wire, step, policy=BareNewline.REFUSE, limit=0):
    receiver = DataReceiver(ContentGate(limit, policy))
    content = b""
    for start in range(0, len(wire), step):
        piece = wire[start : start + step]
        more, used = receiver.feed(piece)
        content += more
        if used >= 0:
            return content, wire[start + used :], receiver.gate
    return None, b"", receiver.gate


@pytest.mark.parametrize(("wire", "content", "rest"), ROWS)
@pytest.mark.parametrize("step", [1, 2, 3, 5, 1000])
def test_data(wire, content, rest, step):
    """The end is found, dots are removed, what follows is left, however the octets arrive."""
    found, left, gate = receive(wire, step)
    assert (found, left) == (content, rest)
    assert gate.size == len(content or b"") or content is None


@pytest.mark.parametrize(("content", "repaired"), BARE)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_bare_newlines(content, repaired, step):
    """CR or LF alone refuses the whole message, or is repaired; neither ends the data."""
    found, rest, gate = receive(content + b".\r\nrest", step)
    assert gate.fault is BARE_NEWLINE
    assert rest == b"rest"
    found, rest, gate = receive(content + b".\r\nrest", step, BareNewline.REPAIR)
    assert (found, rest, gate.fault) == (repaired, b"rest", None)


@pytest.mark.parametrize("step", [1, 1000])
def test_size_by_fact(step):
    """What is over the limit is dropped as it comes and refused at the end; exactly the limit is taken."""
    assert receive(b"12345678\r\n.\r\n", step, limit=10)[0] == b"12345678\r\n"
    content, rest, gate = receive(b"123456789\r\n.\r\nrest", step, limit=10)
    assert (gate.fault, rest) == (TOO_LARGE, b"rest")
    assert len(content) <= 10


@pytest.mark.parametrize("step", [100_000, 10**9])
def test_long_lines(step):
    """A line over the hard limit refuses the message, in one piece or in many; just under it is taken."""
    longest = limits.SMTP_TEXT_LINE_HARD - 1
    good = b"a\r\n" + b"x" * longest + b"\r\nb\r\n.\r\n"
    assert receive(good, step)[2].fault is None
    assert receive(good.replace(b"xx", b"xxyy", 1), step)[2].fault is LONG_LINE


def test_chunks_hold_back_half_a_line_end():
    """A CRLF that two chunks share is a line end; a CR at the end of all is not."""
    receiver = ChunkReceiver(ContentGate(0, BareNewline.REFUSE))
    assert [receiver.feed(b"a\r", is_end=False), receiver.feed(b"\nb", is_end=True)] == [b"a", b"\r\nb"]
    receiver = ChunkReceiver(ContentGate(0, BareNewline.REFUSE))
    assert receiver.feed(b"a\r", is_end=True) == b""
    assert receiver.gate.fault is BARE_NEWLINE


STUFF = [
    pytest.param(b"", b".\r\n", id="nothing"),
    pytest.param(b"a\r\n", b"a\r\n.\r\n", id="a line"),
    pytest.param(b"a", b"a\r\n.\r\n", id="no line end"),
    pytest.param(b".a\r\n.\r\n", b"..a\r\n..\r\n.\r\n", id="dots"),
    pytest.param(b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n", id="LF . LF"),
    pytest.param(b"a\r.\r\nb\r", b"a\r\n..\r\nb\r\n.\r\n", id="CR"),
]


@pytest.mark.parametrize(("content", "wire"), STUFF)
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_stuffing(content, wire, step):
    """What is sent has CRLF lines and doubled dots, however the content comes."""
    stuffer = DotStuffer()
    pieces = [stuffer.feed(content[start : start + step]) for start in range(0, len(content), step)]
    assert b"".join(pieces) + stuffer.finish() == wire
