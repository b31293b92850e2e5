"""The IMAP BODYSTRUCTURE of a message, ready to send (RFC 3501 §7.4.2). Room: message.

It carries all extension data; BODY is cut from it where it is asked for (``protocols.imap.format.structure``). A
multipart without parts is told as one empty text part, for the grammar wants one.

Tests: ``tests/unit/message/test_message_structure.py``, ``tests/interop/test_message_oracles.py``.
"""

from __future__ import annotations

import mmap

from posthouse.message.envelope import format_envelope
from posthouse.message.headers import HeaderIndex
from posthouse.message.mime import Params
from posthouse.message.structure import Part
from posthouse.message.wire import nstring, string

_EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'
_DEFAULT_PARAMS = ((b"charset", b"us-ascii"),)


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
