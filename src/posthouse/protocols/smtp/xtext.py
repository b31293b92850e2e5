"""xtext: how parameters of MAIL and RCPT carry any text (RFC 3461 §4). Tests: ``test_smtp_grammar.py``, properties."""

from __future__ import annotations

import re

from posthouse.core.errors import SyntaxFault

# xtext = *( xchar / hexchar ); hexchar = "+" 2(%x30-39 / %x41-46)   (RFC 3461 §4; lower case is taken as well)
_XTEXT = re.compile(rb"(?:[!-*,-<>-~\x80-\xff]|\+[0-9A-Fa-f]{2})*+")
_HEXCHAR = re.compile(rb"\+([0-9A-Fa-f]{2})")
_TO_ENCODE = re.compile(rb"[^!-*,-<>-~]")


def parse_xtext(value: bytes) -> str:
    """Decode xtext to text.

    Raises SyntaxFault: where it is no xtext, or decodes to what is no printable UTF-8 (a line end smuggled into an
    ORCPT would come out in a delivery report).
    """
    if not _XTEXT.fullmatch(value):
        raise SyntaxFault("not xtext", where="xtext")
    try:
        text = _HEXCHAR.sub(lambda match: bytes([int(match[1], 16)]), value).decode("utf-8")
    except UnicodeDecodeError:
        raise SyntaxFault("xtext is not UTF-8", where="xtext") from None
    if not text.isprintable():
        raise SyntaxFault("control character in xtext", where="xtext")
    return text


def format_xtext(text: str) -> bytes:
    """Encode text as xtext."""
    return _TO_ENCODE.sub(lambda match: b"+%02X" % match[0][0], text.encode("utf-8"))
