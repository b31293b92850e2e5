"""Which octets a section such as ``BODY[2.1.MIME]<0.100>`` names (RFC 3501 §6.4.5, RFC 9051 §6.4.5).

Pure: offsets from a MIME tree, and header fields picked by name. ``content`` brings the octets.
Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from posthouse.message.structure import Part, part_at


class SectionKind(enum.Enum):
    """What of the message or part is meant; the value is its name on the wire."""

    ALL = b""
    HEADER = b"HEADER"
    FIELDS = b"HEADER.FIELDS"
    FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"


HEADER_KINDS: Final = frozenset({SectionKind.HEADER, SectionKind.FIELDS, SectionKind.FIELDS_NOT, SectionKind.MIME})


@dataclass(frozen=True, slots=True)
class Section:
    """A section: part numbers, what of it, and the names of header fields in lower case."""

    part: tuple[int, ...] = ()
    kind: SectionKind = SectionKind.ALL
    fields: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets that are known (``head``), followed by ``length`` octets of the body from ``start``."""

    head: bytes
    start: int = 0
    length: int = 0

    @property
    def size(self) -> int:
        """How many octets there are."""
        return len(self.head) + self.length

    def cut(self, offset: int, count: int) -> Octets:
        """Return what lies from ``offset``, at most ``count`` octets; what lies beyond the end is left out."""
        head = self.head[offset : offset + count]
        body_offset = max(offset - len(self.head), 0)
        length = max(min(self.length - body_offset, count - len(head)), 0)
        return Octets(head, self.start + body_offset, length)


def locate(root: Part, section: Section) -> Octets | None:
    """Return where the octets of a section with part numbers are; for header kinds, the whole header section.

    None: no such part, or HEADER or TEXT of a part that is no message/rfc822.
    """
    part = part_at(root, section.part)
    if part is None:
        return None
    kind = section.kind
    if kind is SectionKind.ALL:
        return Octets(b"", part.header_end, part.body_end - part.header_end)
    if kind is SectionKind.MIME:
        return Octets(b"", part.header_start, part.header_end - part.header_start)
    message = part.embedded
    if message is None:
        return None
    if kind is SectionKind.TEXT:
        return Octets(b"", message.header_end, message.body_end - message.header_end)
    return Octets(b"", message.header_start, message.header_end - message.header_start)


@lru_cache(maxsize=256)
def _fields_pattern(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    alternatives = b"|".join(re.escape(name) for name in names)
    return re.compile(rb"^(?:" + alternatives + rb")[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?", re.IGNORECASE | re.MULTILINE)


def filter_fields(header: bytes, names: tuple[bytes, ...], *, keep: bool) -> bytes:
    """Return the header fields of these names, or all but these, with the empty line that ends a header section.

    Fields keep their order and their octets (RFC 3501 §6.4.5).
    """
    if keep:
        if not names:
            return b"\r\n"
        chosen = b"".join(_fields_pattern(names).findall(header))
        return (chosen if not chosen or chosen.endswith(b"\n") else chosen + b"\r\n") + b"\r\n"
    return entity_header(_fields_pattern(names).sub(b"", header) if names else header)


def entity_header(header: bytes) -> bytes:
    """Return a header section that ends with an empty line, which one without a body may lack."""
    if not header or header == b"\r\n" or header.endswith((b"\n\r\n", b"\n\n")):
        return header or b"\r\n"
    return header + (b"\r\n" if header.endswith(b"\n") else b"\r\n\r\n")
