"""One scan over the octets of a message: header index, MIME tree, and the facts worth storing. Room: message.

``scan`` walks the message once (``message.structure``); ``Scan.facts`` makes what IMAP, POP3 and lists show from what
was found, with the parsers of this room. Content is bytes or a memory map; a body is never copied whole.

Invariants: any octets give a Scan; time is linear in the size; memory depends on header sections and the number of
parts (both bounded, ``core.limits``), not on bodies. Not here: completing or changing messages
(``message.complete``), signatures.

Tests: ``tests/unit/message/test_message_scan.py``, ``tests/property/test_message_properties.py``,
``tests/interop/test_message_oracles.py``, fuzz target ``message_scan``.
"""

from __future__ import annotations

import mmap
import re

from posthouse.core import limits
from posthouse.message.bodystructure import format_bodystructure
from posthouse.message.dates import parse_date
from posthouse.message.encoded_words import decode_words
from posthouse.message.envelope import envelope_and_people
from posthouse.message.facts import MessageFacts
from posthouse.message.headers import HeaderIndex, section_end
from posthouse.message.preview import decode_text, leaves, preview
from posthouse.message.structure import Part, build, part_at
from posthouse.message.subject import base_subject
from posthouse.message.wire import one_spaced

__all__ = ["Part", "Scan", "decode_text", "decoded_header", "part_at", "scan"]

_MESSAGE_ID = re.compile(rb"<([^<>]{1,998})>")
_MOST_REFERENCES = 200  # the last ones: threads hang on the nearest ancestors
_DECODED = 8 * limits.KIB  # octets of one field body that are decoded for people
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_WHITE = b" \t\r\n"


class Scan:
    """What one pass over a message found.

    Attributes:
        content: the message, as given; a memory map must stay open while the Scan is used.
        size, header_size: octets; the header section counts the empty line that ends it.
        headers: index of the message's own header section.
        root: the top of the MIME tree.
    """

    __slots__ = ("_facts", "content", "header_size", "headers", "root", "size")

    def __init__(self, content: bytes | mmap.mmap) -> None:
        self.content = content
        self.size = len(content)
        self.header_size = section_end(content, 0, self.size)
        self.headers = HeaderIndex(content, 0, self.header_size)
        self.root = build(content, self.size, self.headers)
        self._facts: MessageFacts | None = None

    def facts(self) -> MessageFacts:
        """Return the facts to be stored; computed at the first call."""
        if self._facts is None:
            self._facts = _facts(self)
        return self._facts


def scan(content: bytes | mmap.mmap) -> Scan:
    """Scan a message. Never raises; linear time; memory does not grow with the bodies."""
    return Scan(content)


def decoded_header(scanned: Scan, name: bytes) -> str:
    """Return the first header field of a name (lower case) as readable text (RFC 2047), "" where absent."""
    value = scanned.headers.get(name)
    return "" if value is None else decode_words(one_spaced(value[:_DECODED]))


def message_ids(value: bytes | None) -> list[str]:
    """Return the msg-ids of a field body in order, without brackets and white space (RFC 5322 §3.6.4)."""
    if not value:
        return []
    return [found.translate(None, _WHITE).decode("utf-8", "replace") for found in _MESSAGE_ID.findall(value)]


def _message_id(value: bytes | None) -> str:
    if not value:
        return ""
    match = _MESSAGE_ID.search(value)
    text = match[1] if match is not None else value[:998].strip(b"<>")
    return text.translate(None, _WHITE).decode("utf-8", "replace")


def _references(headers: HeaderIndex) -> tuple[str, ...]:
    """Return References, then what In-Reply-To adds: the nearest ancestor stays last only if it was (RFC 5256 §3)."""
    found = message_ids(headers.get(b"references"))
    parents = message_ids(headers.get(b"in-reply-to"))
    if parents and not found:
        found = parents[:_MOST_REFERENCES]
    elif parents:
        known = set(found)
        found = [parent for parent in parents[:_MOST_REFERENCES] if parent not in known] + found
    return tuple(found[-_MOST_REFERENCES:])


def _is_attachment(part: Part) -> bool:
    if part.disposition is not None:
        kind = part.disposition.lower()
        if kind == b"attachment":
            return True
        if kind == b"inline" and part.content_id is not None:
            return False  # a picture that the text shows
    if part.media in _SIGNATURES:
        return False
    if part.media.startswith(("text/", "multipart/")):
        return False
    return part.content_id is None or part.media.startswith(("application/", "message/rfc822"))


def _facts(scanned: Scan) -> MessageFacts:
    headers, root, content = scanned.headers, scanned.root, scanned.content
    subject = decoded_header(scanned, b"subject")
    date = headers.get(b"date")
    envelope, from_text, to_text, cc_text = envelope_and_people(headers)
    return MessageFacts(
        size=scanned.size,
        header_size=scanned.header_size,
        message_id=_message_id(headers.get(b"message-id")),
        references=_references(headers),
        subject=subject,
        base_subject=base_subject(subject),
        from_text=from_text,
        to_text=to_text,
        cc_text=cc_text,
        date=None if date is None else parse_date(date),
        envelope=envelope,
        bodystructure=format_bodystructure(root, content),
        preview=preview(content, root),
        has_attachment=any(map(_is_attachment, leaves(root))) if root.media != "text/plain" else _is_attachment(root),
    )
