"""SIZE: the size of a message told beforehand (RFC 1870)."""

from __future__ import annotations

from posthouse.core.errors import SyntaxFault


def parse_size(value: bytes) -> int:
    """``size-value = 1*20DIGIT`` (RFC 1870 §5)."""
    if not (value.isdigit() and len(value) <= 20):
        raise SyntaxFault("SIZE is not a number", where="SIZE")
    return int(value)


def format_size(size: int) -> bytes:
    """Format the parameter of MAIL."""
    return b"SIZE=%d" % size
