"""The text of parts, and the preview shown in message lists (RFC 8970). Room: message.

``decode_text`` undoes transfer encoding and charset of one part. The preview is the beginning of the first text part
that is not an attachment, plain before HTML: without quoted lines, markup and repeated white space.

Invariants: reads at most a bounded number of octets of a part; any octets give text. Not here: choosing words for a
search index. Tests: ``tests/unit/message/test_message_scan.py``.
"""

from __future__ import annotations

import binascii
import html
import mmap
import re
from collections.abc import Iterator

from posthouse.core import limits
from posthouse.message.charset import decode_charset
from posthouse.message.encoded_words import decode_base64
from posthouse.message.mime import param
from posthouse.message.structure import Part

_PLAIN_OCTETS = 1_536  # of a plain part that are looked at; more where they are all quotation
_HTML_OCTETS = 16 * limits.KIB  # style sheets come first
_EXPANSION = {"base64": 1.4, "quoted-printable": 3.2}
_INVISIBLE = re.compile(
    r"<(style|script|head|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*(?:>|\Z)", re.DOTALL | re.IGNORECASE
)
_QUOTED_LINE = re.compile(r"^>.*$", re.MULTILINE)
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]+")


def decode_octets(content: bytes | mmap.mmap, part: Part, limit: int) -> bytes:
    """Return the beginning of a part's body with its transfer encoding undone, about ``limit`` octets at most."""
    encoding = part.encoding.decode("latin-1").lower()
    length = int(limit * _EXPANSION.get(encoding, 1.0)) + 4
    raw = content[part.header_end : min(part.body_end, part.header_end + length)]
    if encoding == "base64":
        return decode_base64(raw)[:limit]
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)[:limit]
    return raw[:limit]


def decode_text(content: bytes | mmap.mmap, part: Part, limit: int = limits.MIB) -> str:
    """Return the text of a part, transfer encoding and charset undone, from at most ``limit`` octets of text.

    Works on any leaf; what is no text gives text without meaning. HTML is not stripped. Never raises.
    """
    octets = decode_octets(content, part, limit)
    charset = param(part.params, b"charset")
    if charset is None and octets.isascii():
        return octets.decode("ascii")
    return decode_charset(octets, "" if charset is None else charset.decode("latin-1"))


def leaves(root: Part) -> Iterator[Part]:
    """Yield the leaf parts of a message in order; the message inside a message/rfc822 part is not entered."""
    stack = [root]
    while stack:
        part = stack.pop()
        if part.children:
            stack.extend(reversed(part.children))
        else:
            yield part


def _text_part(root: Part) -> Part | None:
    found = None
    for part in leaves(root):
        if part.disposition is not None and part.disposition.lower() == b"attachment":
            continue
        if part.media == "text/plain" and part.size:
            return part
        if found is None and part.media == "text/html":
            found = part
    return found


def strip_markup(text: str) -> str:
    """Return the visible text of HTML, roughly; linear time."""
    return html.unescape(_INVISIBLE.sub(" ", text))


def preview(content: bytes | mmap.mmap, root: Part) -> str:
    """Return the preview, up to ``limits.PREVIEW`` characters, one line; "" where there is no text."""
    part = _text_part(root)
    if part is None:
        return ""
    if part.media == "text/html":
        text = strip_markup(decode_text(content, part, _HTML_OCTETS))
    else:
        text = decode_text(content, part, _PLAIN_OCTETS)
        if "\n>" in text or text.startswith(">"):
            text = _QUOTED_LINE.sub("", text).strip() or text
    # A word has at least one character, so that many words are more than enough.
    line = " ".join(text.split(None, limits.PREVIEW)[: limits.PREVIEW])[: 2 * limits.PREVIEW]
    if not line.isprintable():
        line = " ".join(_UNSEEN.sub("", line).split())
    return line[: limits.PREVIEW].rstrip()
