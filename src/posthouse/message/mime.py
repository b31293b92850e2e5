"""Content-Type, Content-Disposition and other MIME field bodies (RFC 2045 §5, RFC 2183, RFC 2231). Room: message.

Parameters are found wherever ``;name=value`` stands, so garbage between them costs nothing. Continuations of RFC 2231
are joined; a joined value with an extended piece keeps its ``*`` and its percent encoding, for IMAP sends it so.

Not here: what a type means for structure (``message.structure``). Tests: ``tests/unit/message/test_message_words.py``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from posthouse.message.encoded_words import decode_extended, decode_words, percent_decode

Params: TypeAlias = tuple[tuple[bytes, bytes], ...]

_CACHED_LENGTH = 512  # longer values are rare and would let a peer fill the caches
_TOKEN = rb"[^\x00-\x20()<>@,;:\\\"/\[\]?=\x7f]"
_TYPE = re.compile(rb"\s*+(" + _TOKEN + rb"++)\s*+/\s*+(" + _TOKEN + rb"++)\s*+")
_PARAM = re.compile(
    rb";\s*+(" + _TOKEN + rb"++)\s*+=\s*+(?:\"([^\"\\]*+(?:\\.[^\"\\]*+)*+)\"?|([^;\s\"()<>,\\]*+))", re.DOTALL
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
# The closing quote is optional, so that a match never fails after a long way: that is what keeps searching linear.
_QUOTED = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+"?)', re.DOTALL)
_COMMENT = re.compile(rb"\([^()\"]*\)")
_CONTINUED = re.compile(rb"(.+?)\*(\d{1,4})(\*?)")
_MOST_PARAMS = 200


def without_comments(value: bytes) -> bytes:
    """Return a structured value without ``(comments)`` outside quoted strings (RFC 822 §3.1.4)."""
    if b"(" not in value:
        return value
    pieces = _QUOTED.split(value)
    return b"".join(piece if number % 2 else _COMMENT.sub(b" ", piece) for number, piece in enumerate(pieces))


def parse_params(value: bytes, position: int = 0) -> Params:
    """Return the parameters after ``position`` as (name, value) in order, names as written, values unquoted."""
    params: list[tuple[bytes, bytes]] = []
    starred = False
    for match in _PARAM.finditer(value, position):
        name, quoted, plain = match.groups()
        text = plain if quoted is None else quoted
        if quoted is not None and b"\\" in quoted:
            text = _ESCAPE.sub(rb"\1", quoted)
        starred = starred or b"*" in name
        params.append((name, text))
        if len(params) == _MOST_PARAMS:
            break
    return join_continuations(params) if starred else tuple(params)


def join_continuations(params: list[tuple[bytes, bytes]]) -> Params:
    """Join ``name*0``, ``name*1*`` ... into one parameter, ``name`` or ``name*`` (RFC 2231 §3, §4.1)."""
    plain: list[tuple[bytes, bytes]] = []
    joined: list[tuple[bytes, bytes]] = []
    pieces: dict[bytes, dict[int, tuple[bytes, bool, bytes]]] = {}
    for name, value in params:
        match = _CONTINUED.fullmatch(name)
        if match is None:
            (joined if name.endswith(b"*") else plain).append((name, value))
        else:
            pieces.setdefault(match[1].lower(), {}).setdefault(int(match[2]), (match[1], bool(match[3]), value))
    for found in pieces.values():
        run: list[tuple[bytes, bool, bytes]] = []
        while len(run) in found:  # pieces after a gap belong to nothing
            run.append(found[len(run)])
        if run:
            extended = any(piece[1] for piece in run)
            value = b"".join(piece[2] if piece[1] or not extended else _percent(piece[2]) for piece in run)
            joined.append((run[0][0] + (b"*" if extended else b""), value))
    return (*plain, *sorted(joined))


def _percent(octets: bytes) -> bytes:
    return re.sub(rb"[^A-Za-z0-9!#$&'+.^_`{|}~-]", lambda match: b"%%%02X" % match[0][0], octets)


def _parse_type(value: bytes) -> tuple[bytes, bytes, Params] | None:
    value = without_comments(value)
    match = _TYPE.match(value)
    if match is None:
        return None
    return match[1], match[2], parse_params(value, match.end())


_cached_type = lru_cache(maxsize=1024)(_parse_type)


def parse_content_type(value: bytes) -> tuple[bytes, bytes, Params] | None:
    """Return ``(type, subtype, params)`` as written, or None where the value names no type (RFC 2045 §5.1)."""
    return _cached_type(value) if len(value) <= _CACHED_LENGTH else _parse_type(value)


@lru_cache(maxsize=256)
def _cached_disposition(value: bytes) -> tuple[bytes, Params] | None:
    value = without_comments(value)
    match = re.match(rb"\s*+(" + _TOKEN + rb"++)", value)
    return None if match is None else (match[1], parse_params(value, match.end()))


def parse_disposition(value: bytes) -> tuple[bytes, Params] | None:
    """Return ``(disposition, params)``, or None where the value is none (RFC 2183 §2)."""
    return _cached_disposition(value if len(value) <= 8192 else value[:8192])


def parse_tokens(value: bytes) -> tuple[bytes, ...]:
    """Return comma-separated tokens, such as Content-Language's (RFC 3282 §2)."""
    found = (token.strip() for token in without_comments(value).split(b","))
    return tuple(token for token in found if token)


def first_token(value: bytes) -> bytes:
    """Return a field body's one token, such as Content-Transfer-Encoding's, b"" where there is none."""
    match = re.match(rb"\s*+(" + _TOKEN + rb"++)", without_comments(value))
    return b"" if match is None else match[1]


_ENCODINGS = frozenset({b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable"})


def parse_encoding(value: bytes) -> bytes:
    """Return Content-Transfer-Encoding's token as written; b"7bit" where there is none, or garbage (RFC 2045 §6.1)."""
    token = first_token(value)
    if token and (token.lower() in _ENCODINGS or token == value):
        return token
    return b"7bit"


def param(params: Params, name: bytes) -> bytes | None:
    """Return a parameter's value by its name in any case, or None."""
    for key, value in params:
        if key.lower() == name:
            return value
    return None


def boundary(params: Params) -> bytes | None:
    """Return a multipart's boundary, which may be an extended value too (RFC 2046 §5.1.1, RFC 2231 §4)."""
    plain = param(params, b"boundary")
    if plain is not None:
        return plain
    extended = param(params, b"boundary*")
    return None if extended is None else percent_decode(extended.split(b"'", 2)[-1])


def param_text(params: Params, name: bytes) -> str:
    """Return a parameter such as ``filename`` as text, from ``name*`` (RFC 2231) or ``name``; "" where absent."""
    extended = param(params, name + b"*")
    if extended is not None:
        return decode_extended(extended)
    plain = param(params, name)
    return "" if plain is None else decode_words(plain)
