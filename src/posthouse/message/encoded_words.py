"""Encoded words and extended parameter values to text (RFC 2047, RFC 2231 §4, §5). Room: message.

Tolerant as mail needs: encoded words inside words and quoted strings, white space in the encoded text, missing padding,
characters cut between two words of one charset, raw 8-bit header octets (RFC 6532). Any octets give text, linear time.

``encode_words`` writes what ``decode_words`` reads. Tests:
``tests/unit/message/test_message_words.py``, fuzz target ``encoded_words``.
"""

from __future__ import annotations

import binascii
import re

from posthouse.message.charset import decode_charset, decode_guess

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="   (RFC 2047 §2, RFC 2231 §5)
_WORD = re.compile(rb"=\?([^?\s*]{1,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?([^?\r\n]*)\?=")
_WORD_OCTETS = 45  # of text in an encoded word: 60 characters of base64 and 12 around them
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_CONTROLS = dict.fromkeys((*range(32), 127), " ")


def decode_base64(data: bytes) -> bytes:
    """Return what base64 says, with foreign octets skipped and missing padding supplied (RFC 2045 §6.8)."""
    clean = data.translate(None, _NOT_BASE64)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _octets(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"bB":
        return decode_base64(text)
    return binascii.a2b_qp(text, header=True)


def encode_words(text: str) -> str:
    """Return one line of text as an unfolded value of a header: as it is where it is ASCII, else encoded words.

    Each word is of at most 75 characters and holds whole characters (RFC 2047 §2, §5); they follow each other on lines
    of their own, which begin with a space.
    """
    if text.isascii() and "=?" not in text:
        return text
    words, piece = [], b""
    for letter in text:
        octets = letter.encode("utf-8", "replace")
        if len(piece) + len(octets) > _WORD_OCTETS:
            words.append(piece)
            piece = b""
        piece += octets
    words.append(piece)
    return "\r\n ".join(f"=?utf-8?b?{binascii.b2a_base64(each, newline=False).decode()}?=" for each in words)


def decode_words(value: bytes) -> str:
    """Return an unfolded field body as one line of text, its encoded words decoded (RFC 2047 §6)."""
    if b"=?" not in value:
        text = value.decode("ascii") if value.isascii() else decode_guess(value)
        return text if text.isprintable() else text.translate(_CONTROLS)
    pieces: list[str] = []
    pending: list[bytes] = []
    charset = b""  # octets of adjacent words of one charset: characters may be cut between words
    position = 0
    for match in _WORD.finditer(value):
        between = value[position : match.start()]
        adjacent = bool(charset) and not between.strip(b" \t\r\n")
        if not adjacent or match[1].lower() != charset:
            if charset:
                pieces.append(decode_charset(b"".join(pending), charset.decode("latin-1")))
            if not adjacent:
                pieces.append(decode_guess(between))
            pending, charset = [], match[1].lower()
        pending.append(_octets(match[2], match[3]))
        position = match.end()
    if charset:
        pieces.append(decode_charset(b"".join(pending), charset.decode("latin-1")))
    pieces.append(decode_guess(value[position:]))
    return "".join(pieces).translate(_CONTROLS)


def decode_extended(value: bytes) -> str:
    """Return an extended parameter value, ``charset'language'percent-encoded``, as text (RFC 2231 §4)."""
    parts = value.split(b"'", 2)
    charset, octets = (parts[0], parts[2]) if len(parts) == 3 else (b"", value)
    return decode_charset(percent_decode(octets), charset.decode("latin-1"))


def percent_decode(octets: bytes) -> bytes:
    """Return octets with ``%XX`` undone; a ``%`` without two hex digits stays."""
    if b"%" not in octets:
        return octets
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match[1], 16),)), octets)
