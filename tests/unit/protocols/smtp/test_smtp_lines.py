"""Framing of command lines."""

import pytest

from posthouse.core import limits
from posthouse.protocols.smtp.lines import LineFault, ReceiveBuffer

ROWS = [
    pytest.param(b"NOOP\r\n", [b"NOOP"], id="one line"),
    pytest.param(b"\r\n", [b""], id="empty line"),
    pytest.param(b"a\r\nb\r\nc", [b"a", b"b"], id="the last has not ended"),
    pytest.param(b"a\nb\r\n", [LineFault.BARE_NEWLINE, b"b"], id="LF alone"),
    pytest.param(b"\n", [LineFault.BARE_NEWLINE], id="nothing but LF"),
    pytest.param(b"a\rb\r\n", [LineFault.BARE_NEWLINE], id="CR inside"),
    pytest.param(b"a\r\r\n", [LineFault.BARE_NEWLINE], id="CR CR LF"),
    pytest.param(b"a\0b\r\n", [LineFault.NUL], id="NUL"),
    pytest.param(b"x" * 18 + b"\r\nb\r\n", [b"x" * 18, b"b"], id="just within the limit"),
    pytest.param(b"x" * 19 + b"\r\nb\r\n", [LineFault.TOO_LONG, b"b"], id="just over it"),
    pytest.param(b"x" * 500 + b"\r\nb\r\n", [LineFault.TOO_LONG, b"b"], id="far over it"),
    pytest.param(b"x" * 500, [], id="over it and without end"),
]


def read(buffer):
    lines = []
    while (line := buffer.next_line(20)) is not None:
        lines.append(line)
    return lines


@pytest.mark.parametrize(("data", "expected"), ROWS)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_lines(data, expected, step):
    """Lines and faults are the same however the octets arrive, and a long line is not kept."""
    buffer = ReceiveBuffer()
    lines = []
    for start in range(0, len(data), step):
        buffer.append(data[start : start + step])
        lines += read(buffer)
    assert lines == expected
    assert len(buffer) <= 20


def test_take_and_restore():
    """Octets for content are taken out whole or in part, and given back."""
    buffer = ReceiveBuffer()
    buffer.append(b"abcdef")
    assert buffer.starts_with(b"ab")
    assert buffer.take(2) == b"ab"
    assert buffer.take() == b"cdef"
    buffer.append(b"z\r\n")
    buffer.restore(b"xy")
    assert buffer.next_line(20) == b"xyz"
    buffer.append(b"x")
    buffer.clear()
    assert len(buffer) == 0


@pytest.mark.parametrize("step", [4096, 65_536, 3 * limits.MIB])
@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_line_without_an_end_is_not_waited_for(step, end):
    """Past the limit the first fault says so, whether or not the line ends after all, and nothing is kept."""
    data = b"x" * (2 * limits.MIB) + end
    buffer = ReceiveBuffer()
    faults = []
    for start in range(0, len(data), step):
        buffer.append(data[start : start + step])
        faults += read(buffer)
    assert faults[0] is LineFault.ENDLESS
    assert len(buffer) == 0
