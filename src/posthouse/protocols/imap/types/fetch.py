r"""What FETCH can ask for (RFC 3501 §6.4.5, RFC 7162 §3.1.5). Macros are expanded by the grammar.

``BodySection.label`` is the name under which the answer is given, so the formatter never rebuilds it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias


class FetchAttribute(enum.Enum):
    """An item answered from a message's row; the value is its name on the wire."""

    UID = b"UID"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    RFC822_SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"  # BODYSTRUCTURE without extension data
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    MODSEQ = b"MODSEQ"


class SectionText(enum.Enum):
    """Which octets of a part are meant (RFC 3501 §9 section-text); WHOLE is the part's content itself."""

    WHOLE = b""
    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySection:
    r"""``BODY[section]<partial>`` and what is spelled otherwise but means it (RFC822, RFC822.HEADER, RFC822.TEXT).

    Attributes:
        part: part numbers, () for the message itself.
        text: which octets of that part.
        fields: header names in lower case, for the HEADER.FIELDS kinds.
        partial: ``(offset, length)``, or None for all octets.
        peek: whether ``\Seen`` stays as it is.
        label: the item's name in the response, such as ``BODY[1.MIME]<0>``.
    """

    part: tuple[int, ...] = ()
    text: SectionText = SectionText.WHOLE
    fields: tuple[bytes, ...] = ()
    partial: tuple[int, int] | None = None
    peek: bool = False
    label: bytes = b"BODY[]"


FetchItem: TypeAlias = FetchAttribute | BodySection
