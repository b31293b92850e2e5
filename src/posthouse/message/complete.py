"""What submission adds to a message and takes out of it (RFC 6409 §8). Room: message.

Works on the header index alone; the body is never touched nor copied. Nothing that a signature may cover is rewritten:
lines are put in front or left out whole. Tests: ``tests/unit/message/test_message_written.py``.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import Final

from posthouse.message.dates import format_date
from posthouse.message.scan import Scan

# Blind copies (RFC 5322 §3.6.3, §3.6.6), and the trace of a delivery that has not been yet (RFC 5321 §4.4).
NOT_SENT: Final = (b"bcc", b"resent-bcc", b"return-path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How to complete a submitted message: send ``prepend``, ``header``, then the content from ``body_start``.

    Attributes:
        prepend: missing lines, each with CRLF; b"" for none.
        header: the header section that remains, with the empty line that ends it.
        body_start: where the body starts in the content.
    """

    prepend: bytes
    header: bytes
    body_start: int

    def apply(self, content: bytes | mmap.mmap) -> bytes:
        """Return the completed message in one piece; for content that is small enough to be copied."""
        return self.prepend + self.header + content[self.body_start :]


def missing_fields(scanned: Scan, *, date: float, message_id: str) -> bytes:
    """Return the lines for those of Date and Message-ID that the message lacks (RFC 6409 §8.2, §8.3)."""
    lines = []
    if b"date" not in scanned.headers:
        lines.append(f"Date: {format_date(date)}\r\n")
    if b"message-id" not in scanned.headers:
        lines.append(f"Message-ID: <{message_id}>\r\n")
    return "".join(lines).encode("utf-8")


def without_fields(scanned: Scan, names: tuple[bytes, ...]) -> bytes:
    """Return the header section without the fields of these names (lower case), with the empty line that ends it."""
    content, headers = scanned.content, scanned.headers
    pieces = []
    position = 0
    for number in sorted(number for name in names for number in headers.places(name)):
        _, start, end = headers.fields[number]
        pieces.append(content[position:start])
        position = end
    pieces.append(content[position : scanned.header_size])
    return b"".join(pieces)


def complete(scanned: Scan, *, date: float, message_id: str) -> Completion:
    """Return the missing Date and Message-ID lines and the header section without what ``NOT_SENT`` names.

    ``message_id`` has no brackets. A message that has no header section at all gets the empty line that its new
    lines need.
    """
    prepend = missing_fields(scanned, date=date, message_id=message_id)
    header = without_fields(scanned, NOT_SENT)
    if prepend and not scanned.headers.fields and not header.startswith((b"\r\n", b"\n")):
        return Completion(prepend=prepend + b"\r\n", header=b"", body_start=0)
    return Completion(prepend=prepend, header=header, body_start=scanned.header_size)
