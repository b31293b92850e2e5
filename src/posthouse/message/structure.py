"""The MIME tree of a message with byte offsets (RFC 2045, RFC 2046). Room: message.

``Part`` is what ``message.scan`` yields and IMAP sections are cut from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from posthouse.message.headers import HeaderIndex


@dataclass(slots=True, kw_only=True, eq=False)
class Part:
    """One entity of the tree: a message's top, a body part, or the message inside a message/rfc822 part.

    Offsets are absolute in the content. ``header_end`` is after the empty line and is where the body starts;
    ``body_end`` is before the line end that belongs to the delimiter that follows. Treat it as read-only.

    Attributes:
        type, subtype: as written, without change of case; compare with ``media`` ("text/plain", folded).
        params: Content-Type parameters as (name, value), in order (RFC 2231 continuations joined).
        encoding: Content-Transfer-Encoding as written, b"7bit" where absent.
        lines: line ends in the body.
        children: parts of a multipart, in order; empty for all else.
        embedded: the message inside a message/rfc822 part; it is a ``Part`` of its own with a header section.
        envelope: of an embedded message, its IMAP ENVELOPE.
    """

    header_start: int
    header_end: int = 0
    body_end: int = 0
    lines: int = 0
    type: bytes = b"text"
    subtype: bytes = b"plain"
    media: str = "text/plain"
    params: tuple[tuple[bytes, bytes], ...] = ()
    encoding: bytes = b"7bit"
    content_id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    disposition: bytes | None = None
    disposition_params: tuple[tuple[bytes, bytes], ...] = ()
    language: tuple[bytes, ...] = ()
    location: bytes | None = None
    children: list[Part] = field(default_factory=list)
    embedded: Part | None = None
    headers: HeaderIndex | None = None

    @property
    def body_start(self) -> int:
        """Where the body starts."""
        return self.header_end


def part_at(root: Part, path: tuple[int, ...]) -> Part | None:
    """Return the part with an IMAP section number such as ``(1, 2)``, or None (RFC 3501 §6.4.5).

    ``(1,)`` of a message that is no multipart is its one part, that is the root itself. Inside a message/rfc822 part
    the numbers are those of the embedded message. ``BODY[n.HEADER]`` and ``BODY[n.TEXT]`` speak of ``part.embedded``.
    """
    raise NotImplementedError
