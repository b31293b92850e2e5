"""The header index: where each header field of a header section is (RFC 5322 §2.2, §3.6.8). Room: message.

Invariants: offsets are absolute in the content and inside the section; at most ``limits.HEADER_COUNT`` fields and
``limits.HEADER_TOTAL`` octets are indexed, what follows stays in the bytes; values are cut from the content when asked
for, so an index holds no copy of the header. Lines that are no field (an mbox ``From ``, garbage) are passed over.

Not here: what a value means. Tests: ``tests/unit/message/test_message_headers.py``,
``tests/property/test_message_properties.py``.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator

from posthouse.core import limits

# field = field-name *WSP ":" unstructured CRLF, with folding; a name is anything without white space and colon, since
# names with 8-bit octets exist. Possessive repeats keep the engine's own stack flat for 100 000 continuation lines.
_FIELD = re.compile(rb"^([^\s:]++)[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+\n?", re.MULTILINE)
_WINDOW = 4096


def section_end(content: bytes | mmap.mmap, start: int, limit: int) -> int:
    """Return the offset after the empty line that ends the header section at ``start``, or ``limit`` without one."""
    if content[start : start + 2] == b"\r\n":
        return min(start + 2, limit)
    if content[start : start + 1] == b"\n":
        return min(start + 1, limit)
    at, window = start, _WINDOW
    while at < limit:
        # In windows that grow, so that a section with one kind of line end is not searched far for the other.
        end = min(at + window, limit)
        crlf = content.find(b"\n\r\n", at, end)
        bare = content.find(b"\n\n", at, end if crlf < 0 else crlf + 1)
        if bare >= 0:
            return bare + 2
        if crlf >= 0:
            return crlf + 3
        if end == limit:
            break
        at, window = end - 2, window * 2
    return limit


def unfold(raw: bytes) -> bytes:
    """Return a field body without line ends and outer white space (RFC 5322 §2.2.3)."""
    raw = raw.strip()
    return raw.replace(b"\r\n", b"").replace(b"\n", b"") if b"\n" in raw else raw


class HeaderIndex:
    """Header fields of one section in order.

    Attributes:
        fields: ``(name in lower case, start, end)``; ``start`` is the first octet of the name, ``end`` is after the
            last line end of the field.
        start, end: the section, with the empty line that ends it.
    """

    __slots__ = ("_content", "_first", "end", "fields", "start")

    def __init__(self, content: bytes | mmap.mmap, start: int, end: int, *, most: int = limits.HEADER_TOTAL) -> None:
        """Index the section; at most ``most`` octets of it are looked at."""
        self._content = content
        self.start = start
        self.end = end
        self.fields: list[tuple[bytes, int, int]] = []
        self._first: dict[bytes, int] = {}
        block = content[start : min(end, start + most)]
        fields, first = self.fields, self._first
        for match in _FIELD.finditer(block):
            name = match[1].lower()
            if name not in first:
                first[name] = len(fields)
            fields.append((name, start + match.start(), start + match.end()))
            if len(fields) == limits.HEADER_COUNT:
                break

    def raw(self, number: int) -> bytes:
        """Return the octets of a field by its place in ``fields``, with its line ends."""
        _, start, end = self.fields[number]
        return self._content[start:end]

    def value(self, number: int) -> bytes:
        """Return a field's body by its place in ``fields``, unfolded and stripped."""
        name, start, end = self.fields[number]
        raw = self._content[start + len(name) : end]
        return unfold(raw[raw.index(b":") + 1 :])

    def get(self, name: bytes) -> bytes | None:
        """Return the first field's value, unfolded and stripped, or None. ``name`` is in lower case."""
        number = self._first.get(name)
        return None if number is None else self.value(number)

    def get_all(self, name: bytes) -> list[bytes]:
        """Return the values of all fields of the name, in order."""
        return [self.value(number) for number in self.places(name)]

    def places(self, name: bytes) -> Iterator[int]:
        """Yield the places in ``fields`` of all fields of the name, in order."""
        first = self._first.get(name)
        if first is not None:
            yield first
            for number in range(first + 1, len(self.fields)):
                if self.fields[number][0] == name:
                    yield number

    def count(self, name: bytes) -> int:
        """Return how many fields have the name."""
        return sum(1 for _ in self.places(name))

    def __contains__(self, name: bytes) -> bool:
        return name in self._first

    def __len__(self) -> int:
        return len(self.fields)
