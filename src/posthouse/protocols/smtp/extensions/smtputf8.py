"""SMTPUTF8: addresses and headers beyond ASCII (RFC 6531). A parameter of MAIL without a value."""

from __future__ import annotations

from posthouse.core.errors import SyntaxFault


def parse_smtputf8(value: bytes) -> bool:
    """The parameter takes no value (RFC 6531 §3.4)."""
    if value:
        raise SyntaxFault("SMTPUTF8 takes no value", where="SMTPUTF8")
    return True


def format_smtputf8() -> bytes:
    """Format the parameter of MAIL."""
    return b"SMTPUTF8"
