"""One line for each delivery, as AWStats reads mail logs.

    date time from to client next-hop SMTP - code octets

That is AWStats' ``LogFormat="%time2 %email %email_r %host %host_r %method %url %code %bytesd"`` with ``LogType=M``, the
form its own maillogconvert makes. The code is 1 for mail that was delivered or relayed, the reply's code for mail that
was refused or given up. Attempts that are repeated give no line. Times are local.
Tests: ``tests/unit/telemetry/test_formats.py``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


def format_awstats(now: float, _level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
    """Return the lines of an event, b"" for those that end no delivery."""
    rows = list(_rows(name, fields))
    if not rows:
        return b""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    sender = fields.get("from") or "<>"
    lines = (
        " ".join((stamp, *map(_word, (sender, to, client, hop)), "SMTP", "-", str(code), str(octets))) + "\n"
        for to, client, hop, code, octets in rows
    )
    return "".join(lines).encode("utf-8", "replace")


def _rows(name: str, fields: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any, int, int]]:
    size = int(fields.get("size", 0))
    if name == "message.received":
        for to in fields.get("to", ()):
            yield to, fields.get("peer") or "localhost", "localhost", 1, size
    elif name == "message.refused" and fields.get("to"):
        yield fields["to"], fields.get("peer"), "", int(fields.get("code", 550)), 0
    elif name in {"relay.sent", "relay.failed"}:
        code = 1 if name == "relay.sent" else _code(fields.get("reply"))
        yield fields.get("to"), "localhost", fields.get("relay"), code, size if code == 1 else 0


def _code(reply: Any) -> int:
    text = str(reply)[:3]
    return int(text) if text.isascii() and text.isdigit() else 550


def _word(value: Any) -> str:
    return _UNSAFE.sub("_", str(value or "")) or "-"
