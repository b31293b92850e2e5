"""The header index: where each header field of a header section is (RFC 5322 §2.2). Room: message."""

from __future__ import annotations


class HeaderIndex:
    """Header fields of one section in order, each as ``(name in lower case, start, end)``, absolute offsets.

    ``start`` is the first octet of the name, ``end`` is after the field's last line end.
    """

    fields: list[tuple[bytes, int, int]]

    def get(self, name: bytes) -> bytes | None:
        """Return the first field's value, unfolded and stripped, or None. ``name`` is in lower case."""
        raise NotImplementedError

    def get_all(self, name: bytes) -> list[bytes]:
        """Return the values of all fields of the name, in order."""
        raise NotImplementedError

    def count(self, name: bytes) -> int:
        """Return how many fields have the name."""
        raise NotImplementedError
