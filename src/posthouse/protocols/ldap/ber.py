"""The Basic Encoding Rules as far as LDAP uses them (RFC 4511 §5.1, X.690).

Only definite lengths and tags of one octet. Every reader checks that an element ends inside the one that holds it; a
``Reader`` walks the elements of one content and copies nothing until a value is taken.
Tests: ``tests/unit/protocols/ldap/test_ldap_ber.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.errors import SyntaxFault

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30
SET: Final = 0x31
MAX_INT: Final = 2_147_483_647  # RFC 4511 §4.1.1


def header(data: bytes | bytearray | memoryview, at: int, end: int) -> tuple[int, int, int] | None:
    """Return tag, start and length of the element at an offset; None where its header is not all there.

    Raises SyntaxFault: a tag of several octets, an indefinite length, or one of more than four octets.
    """
    if end - at < 2:
        return None
    tag, first = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise SyntaxFault("a tag of several octets", where="ldap.ber", offset=at)
    if first < 0x80:
        return tag, at + 2, first
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise SyntaxFault("an indefinite or overlong length", where="ldap.ber", offset=at + 1)
    if end - at < 2 + count:
        return None
    return tag, at + 2 + count, int.from_bytes(data[at + 2 : at + 2 + count])


class Reader:
    """Walks the elements of one content. Every method raises SyntaxFault where the octets are otherwise."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes | memoryview, at: int = 0, end: int | None = None) -> None:
        self._data = memoryview(data)
        self._at = at
        self._end = len(data) if end is None else end

    @property
    def is_done(self) -> bool:
        """Whether no element is left."""
        return self._at >= self._end

    @property
    def tag(self) -> int:
        """The tag of the next element; -1 where none is left."""
        return -1 if self.is_done else self._data[self._at]

    def element(self, tag: int | None = None) -> Reader:
        """Step over the next element and return a reader of its content."""
        found = header(self._data, self._at, self._end)
        if found is None or found[1] + found[2] > self._end:
            raise self.fault("an element goes beyond its end")
        if tag is not None and found[0] != tag:
            raise self.fault(f"tag {found[0]:#04x} where {tag:#04x} should be")
        self._at = found[1] + found[2]
        return Reader(self._data, found[1], self._at)

    def rest(self) -> bytes:
        """Return the content that is left, as octets."""
        octets = bytes(self._data[self._at : self._end])
        self._at = self._end
        return octets

    def octets(self, tag: int = OCTET_STRING) -> bytes:
        """Take an octet string."""
        return self.element(tag).rest()

    def string(self, tag: int = OCTET_STRING) -> str:
        """Take a string of UTF-8."""
        at = self._at
        try:
            return self.octets(tag).decode()
        except UnicodeDecodeError:
            raise SyntaxFault("a string that is no UTF-8", where="ldap.ber", offset=at) from None

    def integer(self, tag: int = INTEGER) -> int:
        """Take an integer of 0 to ``MAX_INT``."""
        content = self.octets(tag)
        if not 1 <= len(content) <= 5:
            raise self.fault("an integer of a length that none has")
        value = int.from_bytes(content, signed=True)
        if not 0 <= value <= MAX_INT:
            raise self.fault("an integer out of its range")
        return value

    def boolean(self, tag: int = BOOLEAN) -> bool:
        """Take a truth value."""
        content = self.octets(tag)
        if len(content) != 1:
            raise self.fault("a truth value of more or less than one octet")
        return content != b"\x00"

    def end(self) -> None:
        """Check that nothing is left."""
        if not self.is_done:
            raise self.fault("octets after the end")

    def fault(self, detail: str) -> SyntaxFault:
        """Return a fault at the present offset, to be raised."""
        return SyntaxFault(detail, where="ldap.ber", offset=self._at)


def element(tag: int, *contents: bytes) -> bytes:
    """Return an element around some contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Return an integer that is not negative."""
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1))


def string(text: str, tag: int = OCTET_STRING) -> bytes:
    """Return a string of UTF-8."""
    return element(tag, text.encode())


def boolean(value: bool, tag: int = BOOLEAN) -> bytes:
    """Return a truth value; true is 0xFF (RFC 4511 §5.1)."""
    return element(tag, b"\xff" if value else b"\x00")
