"""How text goes to the wire: atom, quoted or literal (RFC 3501 §4.3, §9). Parser: ``grammar.strings``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from posthouse.protocols.imap.types.mailbox_name import encode_name

NIL: Final = b"NIL"
_LONGEST_QUOTED = 1_000
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_QUOTABLE = re.compile(rb"[\x20-\x7e]*")


def quoted_or_literal(data: bytes) -> bytes:
    """Return ``string``: quoted where every octet may be, a literal else."""
    if len(data) <= _LONGEST_QUOTED and _QUOTABLE.fullmatch(data):
        if b"\\" in data or b'"' in data:
            data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        return b'"%b"' % data
    return b"{%d}\r\n%b" % (len(data), data)


def astring(data: bytes) -> bytes:
    """Return ``astring``: an atom where it can be one and is not NIL."""
    if _ATOM.fullmatch(data) and data.upper() != NIL:
        return data
    return quoted_or_literal(data)


@lru_cache(maxsize=8192)
def mailbox(name: str) -> bytes:
    """Return a mailbox name in modified UTF-7 as ``astring``."""
    return astring(encode_name(name))
