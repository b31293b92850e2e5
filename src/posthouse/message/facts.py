"""What one scan over a message found out, as plain values ready to be stored and sent (no parsing here).

The scan itself is ``message.scan``; the store keeps these facts beside the body so that IMAP, POP3 and search answer
from rows and never parse a message again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """The facts of one message.

    Attributes:
        size: octets of the whole message.
        header_size: octets of its header section with the empty line that ends it.
        message_id: Message-ID without angle brackets, "" where absent; folded white space removed.
        references: msg-ids of In-Reply-To and References, in order, without brackets.
        subject: decoded (RFC 2047), one line.
        base_subject: the base subject of RFC 5256 §2.1, for threads and SORT.
        from_text, to_text, cc_text: first addresses as ``Name <a@b>`` or ``a@b``, decoded, for lists and sorting.
        date: Date header as seconds since the epoch, or None where absent or unreadable.
        envelope: the IMAP ENVELOPE with its parentheses, ready to send (RFC 3501 §7.4.2).
        bodystructure: the IMAP BODYSTRUCTURE with its parentheses, ready to send.
        preview: first words of the text, up to limits.PREVIEW characters (RFC 8970).
        has_attachment: whether a part is an attachment.
    """

    size: int
    header_size: int
    message_id: str
    references: tuple[str, ...]
    subject: str
    base_subject: str
    from_text: str
    to_text: str
    cc_text: str
    date: int | None
    envelope: bytes
    bodystructure: bytes
    preview: str
    has_attachment: bool
