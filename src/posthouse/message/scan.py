"""One scan over the octets of a message. Room: message."""

from __future__ import annotations

import mmap

from posthouse.message.facts import MessageFacts
from posthouse.message.headers import HeaderIndex
from posthouse.message.structure import Part, part_at

__all__ = ["Scan", "decode_text", "decoded_header", "part_at", "scan"]


class Scan:
    """What one pass over a message found.

    Attributes:
        headers: index of the message's own header section.
        root: the top of the MIME tree.
        size, header_size: octets.
    """

    content: bytes | mmap.mmap
    headers: HeaderIndex
    root: Part
    size: int
    header_size: int

    def facts(self) -> MessageFacts:
        """Return the facts to be stored; computed at the first call."""
        raise NotImplementedError


def scan(content: bytes | mmap.mmap) -> Scan:
    """Scan a message. Never raises; linear time; memory does not grow with the bodies."""
    raise NotImplementedError


def decode_text(content: bytes | mmap.mmap, part: Part, limit: int = 1 << 20) -> str:
    """Return the text of a part, transfer encoding and charset undone, from at most ``limit`` octets of it."""
    raise NotImplementedError


def decoded_header(scanned: Scan, name: bytes) -> str:
    """Return the first header field of a name as readable text (RFC 2047), "" where absent."""
    raise NotImplementedError
