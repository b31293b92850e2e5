"""Trace header lines: Received, Return-Path, Delivered-To (RFC 5321 §4.4), and RFC 5322 dates. Room: message."""

from __future__ import annotations

from posthouse.message.headers import HeaderIndex


def format_date(at: float) -> str:
    """Return ``Fri, 21 Nov 1997 09:55:06 +0000`` (RFC 5322 §3.3), in UTC."""
    raise NotImplementedError


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
    """Return a Received field, folded, ended by CRLF. ``protocol`` is from ``with_protocol``; "" leaves a part out."""
    raise NotImplementedError


def with_protocol(*, esmtp: bool = True, tls: bool = False, authenticated: bool = False, lmtp: bool = False,
                  smtputf8: bool = False) -> str:
    """Return the "with" word: SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA, LMTP..., UTF8SMTP... (RFC 3848, RFC 6531 §4.3)."""
    raise NotImplementedError


def format_return_path(reverse_path: str) -> bytes:
    """Return ``Return-Path: <...>`` with CRLF; "" is the null path."""
    raise NotImplementedError


def format_delivered_to(address: str) -> bytes:
    """Return ``Delivered-To: ...`` with CRLF."""
    raise NotImplementedError


def hop_count(headers: HeaderIndex) -> int:
    """Return the number of Received fields (RFC 5321 §6.3)."""
    raise NotImplementedError
