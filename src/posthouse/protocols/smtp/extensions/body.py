"""BODY: the type of the content told beforehand (RFC 6152 §3). BINARYMIME (RFC 3030 §3) is not offered."""

from __future__ import annotations

from posthouse.core.envelope import BodyType
from posthouse.core.errors import SyntaxFault

_TYPES = {b"7BIT": BodyType.SEVEN_BIT, b"8BITMIME": BodyType.EIGHT_BIT}


def parse_body(value: bytes) -> BodyType:
    """``body-value = "7BIT" / "8BITMIME"`` (RFC 6152 §3)."""
    found = _TYPES.get(value.upper())
    if found is None:
        raise SyntaxFault("unknown BODY", where="BODY")
    return found


def format_body(body: BodyType) -> bytes:
    """Format the parameter of MAIL."""
    return b"BODY=" + body.value.encode()
