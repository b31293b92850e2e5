"""IMAP strings, as the ready-made ENVELOPE and BODYSTRUCTURE need them (RFC 3501 §4.3, §9). Room: message.

A value is sent as a quoted string where the grammar allows it, else as a literal (8-bit octets, line ends). NUL cannot
be sent at all and becomes 0x80, as other servers do. Tests: ``tests/unit/message/test_message_structure.py``.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]*+\Z")
_QUOTABLE = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*+\Z")


_RUNS = re.compile(rb"[ \t]{2,}|\t")


def one_spaced(value: bytes) -> bytes:
    """Return text for people with each run of white space, such as a fold leaves, as one space."""
    return _RUNS.sub(b" ", value) if b"  " in value or b"\t" in value else value


def string(value: bytes) -> bytes:
    """Return ``string = quoted / literal`` (RFC 3501 §4.3)."""
    if _PLAIN.match(value) is not None:
        return b'"' + value + b'"'
    if _QUOTABLE.match(value) is not None:
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    if b"\0" in value:
        value = value.replace(b"\0", b"\x80")
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    """Return ``nstring = string / nil``."""
    return b"NIL" if value is None else string(value)
