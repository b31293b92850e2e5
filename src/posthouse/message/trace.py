"""Trace header lines: Received, Return-Path, Delivered-To (RFC 5321 §4.4), and counting hops. Room: message.

Invariants: whatever the peer said, a line holds no control characters and no line end of the peer's making; ASCII only
unless the message is internationalised (RFC 6531 §3.7.3). Not here: parsing Received. Tests:
``tests/unit/message/test_message_written.py``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from posthouse.message.dates import format_date
from posthouse.message.headers import HeaderIndex

__all__ = ["format_date", "format_delivered_to", "format_received", "format_return_path", "hop_count", "with_protocol"]

_UNSAFE = re.compile(r"[^\x21-\x7e]|[()<>\\\";,]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_MOST = 255  # characters of what a peer said that are repeated


@lru_cache(maxsize=4096)
def _word(text: str) -> str:
    """Return what a peer called itself, fit to stand in a Received field."""
    return _UNSAFE.sub("?", text[:_MOST]) or "unknown"


@lru_cache(maxsize=32)
def with_protocol(
    *, esmtp: bool = True, tls: bool = False, authenticated: bool = False, lmtp: bool = False, smtputf8: bool = False
) -> str:
    """Return the "with" word: SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA, LMTP..., UTF8SMTP... (RFC 3848, RFC 6531 §4.3)."""
    if not esmtp and not lmtp:
        return "SMTP"  # no extension was in use: no letter is defined for it
    name = "LMTP" if lmtp else "SMTP"
    name = "UTF8" + name if smtputf8 else name if lmtp else "E" + name
    return name + ("S" if tls else "") + ("A" if authenticated else "")


def _address_literal(address: str) -> str:
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def format_received(
    *,
    helo: str,
    client_name: str,
    client_address: str,
    by: str,
    protocol: str,
    queue_id: str,
    at: float,
    for_recipient: str = "",
    tls: str = "",
) -> bytes:
    """Return a Received field, folded, ended by CRLF (RFC 5321 §4.4).

    Args:
        helo: what the client called itself.
        client_name: its verified name, "" where there is none.
        client_address: its IP address, "" for a message made here.
        by: our name.
        protocol: from ``with_protocol``.
        queue_id: as text.
        at: seconds since the epoch.
        for_recipient: the one recipient, "" where there are several: naming one would tell on blind copies.
        tls: protocol version and cipher, such as ``TLSv1.3 TLS_AES_256_GCM_SHA384``, "" for a plain connection.
    """
    lines = []
    if client_address:
        name = f"{_word(client_name)} " if client_name else ""
        lines.append(f"Received: from {_word(helo)} ({name}{_address_literal(_word(client_address))})")
        if tls:
            lines.append(f"\t(using {_CONTROL.sub('?', tls[:_MOST]).translate({40: None, 41: None})})")
        lines.append(f"\tby {_word(by)} with {protocol} id {queue_id}")
    else:
        lines.append(f"Received: by {_word(by)} with {protocol} id {queue_id}")
    if for_recipient and len(for_recipient) <= 900:
        lines.append(f"\tfor <{_CONTROL.sub('?', for_recipient)}>")
    lines[-1] += ";"
    lines.append(f"\t{format_date(at)}\r\n")
    return "\r\n".join(lines).encode("utf-8")


def format_return_path(reverse_path: str) -> bytes:
    """Return ``Return-Path: <...>`` with CRLF; "" is the null path (RFC 5321 §4.4)."""
    return f"Return-Path: <{_CONTROL.sub('?', reverse_path)}>\r\n".encode("utf-8", "replace")


def format_delivered_to(address: str) -> bytes:
    """Return ``Delivered-To: ...`` with CRLF (RFC 9228 §4)."""
    return f"Delivered-To: {_CONTROL.sub('?', address)}\r\n".encode("utf-8", "replace")


def hop_count(headers: HeaderIndex) -> int:
    """Return the number of Received fields (RFC 5321 §6.3)."""
    return headers.count(b"received")
