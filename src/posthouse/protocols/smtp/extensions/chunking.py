"""CHUNKING: content whose length is told beforehand (RFC 3030 §2). BINARYMIME is not offered."""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.core.outcome import Outcome

_DIGITS = 19  # a length that needs more is no length


@dataclass(slots=True)
class Chunk:
    """One BDAT being read. ``left``: octets to come. ``refusal``: they are read over and this is the reply."""

    size: int
    left: int
    is_last: bool
    refusal: Outcome | None = None


def parse_chunk(arguments: bytes) -> Chunk | None:
    """``bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ]`` (RFC 3030 §2); None where it is none."""
    words = arguments.split()
    if not 1 <= len(words) <= 2 or not (words[0].isdigit() and len(words[0]) <= _DIGITS):
        return None
    if len(words) == 2 and words[1].upper() != b"LAST":
        return None
    size = int(words[0])
    return Chunk(size, size, is_last=len(words) == 2)
