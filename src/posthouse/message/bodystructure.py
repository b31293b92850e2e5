"""The IMAP BODYSTRUCTURE and BODY of a message, ready to send (RFC 3501 §7.4.2). Room: message.

BODYSTRUCTURE carries all extension data. ``without_extensions`` makes BODY from it without the message, so that only
one of the two is stored. A multipart without parts is told as one empty text part, for the grammar wants one.

Tests: ``tests/unit/message/test_message_structure.py``, ``tests/interop/test_message_oracles.py``.
"""

from __future__ import annotations

import mmap
import re

from posthouse.message.envelope import format_envelope
from posthouse.message.headers import HeaderIndex
from posthouse.message.mime import Params
from posthouse.message.structure import Part
from posthouse.message.wire import nstring, string

_EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'
_DEFAULT_PARAMS = ((b"charset", b"us-ascii"),)
_TOKEN = re.compile(rb'\(|\)|"(?:[^"\\]|\\.)*+"|\{(\d+)\}\r\n|[^\s()"{]++', re.DOTALL)


def _params(params: Params) -> bytes:
    if not params:
        return b"NIL"
    return b"(" + b" ".join(string(name) + b" " + string(value) for name, value in params) + b")"


def _common(part: Part) -> bytes:
    """``body-fld-dsp SP body-fld-lang SP body-fld-loc``."""
    if part.disposition is None and not part.language and part.location is None:
        return b"NIL NIL NIL"
    disposition = b"NIL"
    if part.disposition is not None:
        disposition = b"(%b %b)" % (string(part.disposition), _params(part.disposition_params))
    language = b"(" + b" ".join(map(string, part.language)) + b")" if part.language else b"NIL"
    return b"%b %b %b" % (disposition, language, nstring(part.location))


def _single(part: Part, content: bytes | mmap.mmap) -> bytes:
    kind = part.media
    params = part.params
    if kind.startswith("text/") and not any(name.lower().startswith(b"charset") for name, _ in params):
        params = params + _DEFAULT_PARAMS
    pieces = [
        string(part.type),
        string(part.subtype),
        _params(params),
        nstring(part.content_id),
        nstring(part.description),
        string(part.encoding),
        b"%d" % part.size,
    ]
    if part.embedded is not None:
        embedded = part.embedded
        pieces.append(format_envelope(HeaderIndex(content, embedded.header_start, embedded.header_end)))
        pieces.append(_part(embedded, content))
        pieces.append(b"%d" % part.lines)
    elif kind.startswith("text/"):
        pieces.append(b"%d" % part.lines)
    pieces.append(nstring(part.md5))
    pieces.append(_common(part))
    return b"(" + b" ".join(pieces) + b")"


def _part(part: Part, content: bytes | mmap.mmap) -> bytes:
    # Recursion is bounded by limits.MIME_DEPTH, which the tree keeps.
    if not part.media.startswith("multipart/"):
        return _single(part, content)
    parts = b"".join([_part(child, content) for child in part.children]) if part.children else _EMPTY
    return b"(%b %b %b %b)" % (parts, string(part.subtype), _params(part.params), _common(part))


def format_bodystructure(root: Part, content: bytes | mmap.mmap) -> bytes:
    """Return the BODYSTRUCTURE with its parentheses."""
    return _part(root, content)


class _Node:
    """An element of BODYSTRUCTURE as a span of its octets; ``inside`` holds a list's elements, None for an atom."""

    __slots__ = ("end", "inside", "start")

    def __init__(self, start: int, inside: list[_Node] | None) -> None:
        self.start = start
        self.end = start
        self.inside = inside


def _read(text: bytes) -> _Node:
    """Return the outermost list as a tree of spans."""
    top = _Node(0, [])
    stack = [top]
    position = 0
    while (match := _TOKEN.search(text, position)) is not None:
        position = match.end()
        octet = text[match.start()]
        if octet == 41:
            stack.pop().end = position
            if len(stack) <= 1:
                break
            continue
        if match[1] is not None:
            position += int(match[1])
        node = _Node(match.start(), [] if octet == 40 else None)
        node.end = position
        siblings = stack[-1].inside
        if siblings is not None:
            siblings.append(node)
        if octet == 40:
            stack.append(node)
    return top.inside[0] if top.inside else top


def _cut(text: bytes, node: _Node) -> bytes:
    """Return a body without extension data; recursion is bounded as it is in ``_part``."""
    inside = node.inside or []
    if inside and inside[0].inside is not None:
        count = next((number for number, element in enumerate(inside) if element.inside is None), len(inside))
        parts = b"".join([_cut(text, element) for element in inside[:count]])
        subtype = b"".join(text[element.start : element.end] for element in inside[count : count + 1])
        return b"(%b %b)" % (parts, subtype)
    pieces = [text[element.start : element.end] for element in inside[:10]]
    kind = b"/".join(pieces[:2]).lower()
    if kind == b'"message"/"rfc822"' and len(inside) > 9 and inside[8].inside is not None:
        pieces[8] = _cut(text, inside[8])
    else:
        pieces = pieces[: 8 if kind.startswith(b'"text"/') else 7]
    return b"(" + b" ".join(pieces) + b")"


def without_extensions(bodystructure: bytes) -> bytes:
    """Return the BODY that belongs to a BODYSTRUCTURE of ours (RFC 3501 §7.4.2)."""
    return _cut(bodystructure, _read(bodystructure))
