"""any bytes give text on one line, in bounded memory, never an exception."""

from __future__ import annotations

from posthouse.message.encoded_words import decode_extended, decode_words
from posthouse.message.mime import param_text, parse_content_type, parse_disposition


def target(data: bytes) -> None:
    """Decode as a field body, as an extended value and as parameters."""
    text = decode_words(data)
    assert "\n" not in text
    assert "\r" not in text
    decode_extended(data)
    for parsed in (parse_content_type(data), parse_disposition(data)):
        if parsed is not None:
            param_text(parsed[-1], b"name")
