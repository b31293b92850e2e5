"""Conversations in the W3C extended log file format (www.w3.org/TR/WD-logfile), as IIS and its tools write and read it.

One line for each line of a conversation; other events are left out. A file begins with the ``#Fields`` directive.
Values have no spaces (``+`` stands for one) and are ``-`` where there is none. Times are UTC.
Tests: ``tests/unit/telemetry/test_formats.py``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

from posthouse.telemetry.words import CONVERSATION, command_words, reply_words

_FIELDS: Final = (
    "date time x-protocol x-session c-ip c-port cs-username x-direction cs-method cs-uri-query sc-status x-octets"
)
W3C_HEADER: Final = f"#Version: 1.0\n#Software: Posthouse\n#Fields: {_FIELDS}\n".encode()
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]")


def format_w3c(now: float, _level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
    """Return the line of a ``conversation`` event, b"" for others."""
    if not name.startswith(CONVERSATION):
        return b""
    protocol = name.removeprefix(CONVERSATION)
    text = str(fields.get("text", ""))
    is_client = fields.get("direction") == "C"
    method, query = command_words(protocol, text) if is_client else ("", "")
    status = ""
    if not is_client:
        status, query, _ = reply_words(protocol, text)
    values = (
        time.strftime("%Y-%m-%d", time.gmtime(now)),
        time.strftime("%H:%M:%S", time.gmtime(now)),
        protocol,
        fields.get("session", ""),
        fields.get("peer", ""),
        fields.get("port", ""),
        fields.get("account", ""),
        fields.get("direction", ""),
        method,
        query,
        status,
        fields.get("octets", ""),
    )
    return (" ".join(map(_value, values)) + "\n").encode("utf-8", "replace")


def _value(value: Any) -> str:
    return _UNSAFE.sub("?", str(value)).replace("+", "%2B").replace(" ", "+") or "-"
