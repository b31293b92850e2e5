"""``sequence-set`` inside a command (RFC 3501 §9)."""

from __future__ import annotations

import re

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.types.sequence import SequenceSet, parse_sequence_set

_SET_CHARS = re.compile(rb"[0-9:*,]+")


def sequence_set(text: bytes, at: int) -> tuple[SequenceSet, int]:
    """``sequence-set = (seq-number / seq-range) *("," sequence-set)``. Raises LimitFault too."""
    match = _SET_CHARS.match(text, at)
    if match is None:
        raise SyntaxFault("sequence set expected", where="imap.sequence_set", offset=at)
    try:
        return parse_sequence_set(match.group()), match.end()
    except SyntaxFault as fault:
        raise SyntaxFault(fault.detail, where=fault.where, offset=at) from None
