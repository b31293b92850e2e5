r"""Messages as POP3 carries them: dot-stuffed in bulk, ended by ``CRLF . CRLF`` (RFC 1939 §3).

A dot is doubled after every LF, not only after CRLF: clients that read lines up to the LF (nearly all do) would
otherwise take ``LF . CRLF`` inside a message for its end. Chunks may be split anywhere. Nothing is done line by line.
Tests: ``tests/unit/protocols/pop3/test_pop3_session.py``, ``tests/property/test_pop3.py``.
"""

from __future__ import annotations


class DotStuffer:
    """Stuffs one message, chunk by chunk."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the last two octets given; the message begins at the start of a line

    def stuff(self, chunk: bytes) -> bytes:
        """Return a chunk as it is sent."""
        if not chunk:
            return b""
        stuffed = chunk.replace(b"\n.", b"\n..") if b"\n." in chunk else chunk
        if chunk[:1] == b"." and self._tail.endswith(b"\n"):
            stuffed = b"." + stuffed
        self._tail = chunk[-2:] if len(chunk) > 1 else self._tail[-1:] + chunk
        return stuffed

    def end(self) -> bytes:
        """Return what ends the message, with the CRLF that it may lack."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"


def unstuff(data: bytes) -> bytes:
    """Return the message from what a session sent for it: the inverse of stuffing a message that ends with CRLF."""
    if not data.endswith(b".\r\n"):
        raise ValueError("the message does not end with a dot on a line of its own")
    body = data[:-3].replace(b"\n..", b"\n.")
    return body[1:] if body.startswith(b"..") else body


def first_lines(chunk: bytes, lines: int) -> tuple[bytes, int]:
    """Return the part of a chunk that holds up to so many lines, and how many lines are still wanted after it."""
    found = chunk.count(b"\n")
    if found < lines:
        return chunk, lines - found
    position = 0
    for _ in range(lines):
        position = chunk.find(b"\n", position) + 1
    return chunk[:position], 0
