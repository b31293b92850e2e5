"""AUTH as a parameter of MAIL: who submitted the message first (RFC 4954 §5). ``<>`` stays ``<>``: not known."""

from __future__ import annotations

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.smtp.xtext import format_xtext, parse_xtext

_LIMIT = 500  # RFC 4954 §5: the command line grows by 500 octets


def parse_auth(value: bytes) -> str:
    """``auth-param = "AUTH=" xtext`` where the text is a mailbox or ``<>`` (RFC 4954 §8)."""
    if not value or len(value) > _LIMIT:
        raise SyntaxFault("AUTH= empty or too long", where="AUTH")
    return parse_xtext(value)


def format_auth(identity: str) -> bytes:
    """Format the parameter of MAIL."""
    return b"AUTH=" + format_xtext(identity)
