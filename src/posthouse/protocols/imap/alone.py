"""Words the session says without its driver: refusals of faults, NAMESPACE, ID (RFC 5530, RFC 2342, RFC 2971).

Texts are fixed: nothing a peer wrote and no exception's text is repeated.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.errors import Fault, LimitFault
from posthouse.protocols.imap.format.strings import quoted_or_literal
from posthouse.protocols.imap.types.mailbox_name import NameFault
from posthouse.protocols.imap.types.search import CharsetFault
from posthouse.protocols.imap.types.state import BAD, NO, Condition

# One namespace, personal, without prefix; to be filled with the tag.
NAMESPACE: Final = b'* NAMESPACE (("" "/")) NIL NIL\r\n%b OK Namespace completed\r\n'


def fault_answer(fault: Fault) -> tuple[Condition, bytes, bytes | None]:
    """Return condition, text and response code for a command that could not be read."""
    if isinstance(fault, NameFault):
        return NO, b"Not a possible mailbox name", b"CANNOT"
    if isinstance(fault, CharsetFault):
        return NO, b"Unknown charset", b"BADCHARSET (US-ASCII UTF-8)"
    if isinstance(fault, LimitFault):
        return NO, b"Command passes a limit", b"LIMIT"
    return BAD, b"Syntax error in arguments", None


def format_id(fields: tuple[tuple[str, str], ...]) -> bytes:
    """Return ``* ID (...)`` or ``* ID NIL`` (RFC 2971 §3.2)."""
    if not fields:
        return b"* ID NIL\r\n"
    texts = [quoted_or_literal(text.encode("utf-8")) for field in fields for text in field]
    return b"* ID (%b)\r\n" % b" ".join(texts)
