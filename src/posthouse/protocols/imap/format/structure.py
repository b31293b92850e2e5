r"""BODY from BODYSTRUCTURE: the same without extension data (RFC 3501 §7.4.2).

The message scan stores BODYSTRUCTURE only. Every octet is passed over once; a nesting over ``limits.MIME_DEPTH`` with
its message/rfc822 parts, or octets that are no body structure, raise SyntaxFault.
Tests: ``tests/unit/protocols/imap/test_imap_format.py``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from posthouse.core import limits
from posthouse.core.errors import SyntaxFault

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|\{([0-9]{1,9})\}\r\n|[()]|[^\s()"{]+', re.DOTALL)
_BASIC_FIELDS = 7  # type, subtype, parameters, id, description, encoding, octets


@lru_cache(maxsize=256)
def plain_body(bodystructure: bytes) -> bytes:
    """Return BODY for a BODYSTRUCTURE. Raises SyntaxFault: where it is none."""
    body, at = _body(bodystructure, 0, 0)
    if at != len(bodystructure):
        raise SyntaxFault("octets after the body structure", where="imap.structure", offset=at)
    return body


def _value_end(text: bytes, at: int) -> int:
    """Return where the value at a place ends: a string, an atom, or a list with all that is in it."""
    depth = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            raise SyntaxFault("no value", where="imap.structure", offset=at)
        at = match.end()
        if match.group(1):
            at += int(match.group(1))
        token = match.group()
        depth += (token == b"(") - (token == b")")
        if depth < 0 or at > len(text):
            raise SyntaxFault("unbalanced", where="imap.structure", offset=at)
        if not depth:
            return at
        if text.startswith(b" ", at):
            at += 1


def _body(text: bytes, at: int, depth: int) -> tuple[bytes, int]:
    if depth > 2 * limits.MIME_DEPTH or not text.startswith(b"(", at):
        raise SyntaxFault("no body", where="imap.structure", offset=at)
    inner, kept_end = _multipart(text, at, depth) if text.startswith(b"((", at) else _single(text, at, depth)
    while text.startswith(b" ", kept_end):
        kept_end = _value_end(text, kept_end + 1)
    if not text.startswith(b")", kept_end):
        raise SyntaxFault("unbalanced", where="imap.structure", offset=kept_end)
    return b"(%b)" % inner, kept_end + 1


def _multipart(text: bytes, at: int, depth: int) -> tuple[bytes, int]:
    parts = []
    at += 1
    while text.startswith(b"(", at):
        part, at = _body(text, at, depth + 1)
        parts.append(part)
    end = _value_end(text, at + 1)
    return b"".join(parts) + text[at:end], end


def _single(text: bytes, at: int, depth: int) -> tuple[bytes, int]:
    start = at + 1
    at = start
    ends = []
    for _ in range(_BASIC_FIELDS):
        at = _value_end(text, at)
        ends.append(at)
        at += 1
    kind = text[start : ends[1]].upper()
    at = ends[-1]
    if kind in {b'"MESSAGE" "RFC822"', b'"MESSAGE" "GLOBAL"'} and text.startswith(b" (", at):
        envelope_end = _value_end(text, at + 1)
        inner, body_end = _body(text, envelope_end + 1, depth + 1)
        lines_end = _value_end(text, body_end + 1)
        return text[start : envelope_end + 1] + inner + text[body_end:lines_end], lines_end
    if kind.startswith(b'"TEXT" ') and text.startswith(b" ", at):
        at = _value_end(text, at + 1)
    return text[start:at], at
