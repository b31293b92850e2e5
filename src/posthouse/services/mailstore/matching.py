"""Whether a text occurs in a message: header fields and text parts decoded, case folded (RFC 3501 §6.4.4).

Most messages are told apart without decoding anything: a text of ASCII that is nowhere in the octets of a message
without transfer encodings is nowhere in the message. Only what stays possible is scanned and decoded.
Attachments that are no text, and the header sections of parts, are not looked at.
Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from posthouse.message.encoded_words import decode_words
from posthouse.message.scan import decode_text, scan
from posthouse.message.structure import Part

TEXT_LIMIT: Final = 8 << 20  # octets of one text part that are looked at
# Encodings under which text of ASCII is not there as ASCII octets.
_ENCODED = re.compile(rb"base64|quoted-printable|utf-7")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")


@lru_cache(maxsize=256)
def _field_pattern(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"^" + re.escape(name) + rb"[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)


@lru_cache(maxsize=256)
def _needle(text: str) -> tuple[str, bytes | None]:
    """Return the folded text, and its octets where it is ASCII."""
    folded = text.casefold()
    return folded, folded.encode("ascii") if folded.isascii() else None


def _readable(raw: bytes) -> str:
    """Return header octets unfolded, decoded and case folded."""
    return decode_words(_FOLD.sub(b"", raw)).casefold()


class Matter:
    """One message as a search sees it. Close it after use."""

    __slots__ = ("_body", "_header", "_header_size", "_lowered")

    def __init__(self, prefix: bytes, body: bytes | mmap.mmap, header_size: int) -> None:
        """Borrow the octets; ``body`` starts with the header section of ``header_size`` octets."""
        self._header = prefix + body[:header_size]
        self._body = body
        self._header_size = header_size
        self._lowered: bytes | None = None

    def close(self) -> None:
        """Let go of a mapped body."""
        if isinstance(self._body, mmap.mmap):
            self._body.close()

    def header_contains(self, name: str, text: str) -> bool:
        """Whether a header field of the name (lower case) has the text in it; "" asks only for the field."""
        values = _field_pattern(name.encode("utf-8", "surrogateescape")).findall(self._header)
        if not text:
            return bool(values)
        folded, _ = _needle(text)
        return any(folded in _readable(value) for value in values)

    def text_contains(self, text: str) -> bool:
        """Whether the header section or the body has the text in it."""
        folded, octets = _needle(text)
        if octets is not None and octets in self._header.lower():
            return True
        return folded in _readable(self._header) or self.body_contains(text)

    def body_contains(self, text: str) -> bool:
        """Whether a text part has the text in it."""
        folded, octets = _needle(text)
        if isinstance(self._body, bytes):
            answer = self._at_a_glance(self._body, octets)
            if answer is not None:
                return answer
        return any(folded in part for part in self._texts())

    def _at_a_glance(self, body: bytes, needle: bytes | None) -> bool | None:
        """Answer from the octets alone; None where they do not tell."""
        if needle is None:
            return None
        lowered = self._lowered
        if lowered is None:
            lowered = self._lowered = body.lower()
        if _ENCODED.search(lowered):
            return None
        if lowered.find(needle, self._header_size) < 0:
            return False
        # With one part, which is text, what was found is in it. Otherwise it may be in a delimiter or a part's header.
        return None if b"content-type:" in lowered else True

    def _texts(self) -> Iterator[str]:
        for part in _text_parts(scan(self._body).root):
            yield decode_text(self._body, part, TEXT_LIMIT).casefold()


def _text_parts(root: Part) -> Iterator[Part]:
    pending = [root]
    while pending:
        part = pending.pop()
        if part.children:
            pending.extend(reversed(part.children))
        elif part.embedded is not None:
            pending.append(part.embedded)
        elif part.media.startswith("text/"):
            yield part
