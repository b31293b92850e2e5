"""Log lines in the shape of Postfix's, for the many tools that read them.

Rendered are the events of the table below; others give no line. The fields read are those named in
``telemetry.events``. Times are local, as syslog writes them. Tests: ``tests/unit/telemetry/test_formats.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

Fields = Mapping[str, Any]


def _text(value: Any) -> str:
    return str(value).replace("\n", " ").replace("\r", " ")


def _client(fields: Fields) -> str:
    return f"{_text(fields.get('client_name') or 'unknown')}[{_text(fields.get('peer', ''))}]"


def _sent(status: str, relay_if_none: str = "none") -> Callable[[Fields], str]:
    def render(fields: Fields) -> str:
        relay = _text(fields.get("relay") or relay_if_none)
        delay = float(fields.get("delay", 0.0))
        enhanced = _text(fields.get("enhanced") or {"sent": "2.0.0", "deferred": "4.0.0"}.get(status, "5.0.0"))
        return (
            f"to=<{_text(fields.get('to', ''))}>, relay={relay}, delay={delay:.2g}, delays=0/0/0/{delay:.2g}, "
            f"dsn={enhanced}, status={status} ({_text(fields.get('reply', ''))})"
        )

    return render


def _received(fields: Fields) -> str:
    return f"client={_client(fields)}"


def _queued(fields: Fields) -> str:
    return (
        f"from=<{_text(fields.get('from', ''))}>, size={fields.get('size', 0)}, "
        f"nrcpt={fields.get('recipients', 1)} (queue active)"
    )


def _refused(fields: Fields) -> str:
    return (
        f"NOQUEUE: reject: RCPT from {_client(fields)}: {fields.get('code', 550)} {_text(fields.get('enhanced', ''))} "
        f"<{_text(fields.get('to', ''))}>: {_text(fields.get('text', ''))}; from=<{_text(fields.get('from', ''))}> "
        f"to=<{_text(fields.get('to', ''))}> proto=ESMTP helo=<{_text(fields.get('helo', ''))}>"
    )


# event -> (program, whether the line starts with the queue id, renderers)
LINES: dict[str, tuple[tuple[str, bool, Callable[[Fields], str]], ...]] = {
    "door.opened": (("smtpd", False, lambda fields: f"connect from {_client(fields)}"),),
    "door.closed": (("smtpd", False, lambda fields: f"disconnect from {_client(fields)}"),),
    "message.received": (
        ("smtpd", True, _received),
        ("cleanup", True, lambda fields: f"message-id=<{_text(fields.get('message_id', ''))}>"),
        ("qmgr", True, _queued),
    ),
    "message.filed": (("local", True, _sent("sent", "local")),),
    "message.refused": (("smtpd", False, _refused),),
    "relay.sent": (("smtp", True, _sent("sent")),),
    "relay.deferred": (("smtp", True, _sent("deferred")),),
    "relay.failed": (("smtp", True, _sent("bounced")),),
}


class PostfixFormatter:
    """Formats events as ``Mon dd hh:mm:ss host posthouse/program[pid]: ...``."""

    def __init__(self, hostname: str, pid: int) -> None:
        self._hostname = hostname.partition(".")[0]
        self._pid = pid

    def __call__(self, now: float, level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
        """Return the lines of an event, b"" where Postfix has none like it."""
        entries = self.entries(name, fields)
        if not entries:
            return b""
        stamp = time.strftime("%b %e %H:%M:%S", time.localtime(now))
        return b"".join(
            f"{stamp} {self._hostname} posthouse/{program}[{self._pid}]: {text}\n".encode("utf-8", "replace")
            for program, text in entries
        )

    @staticmethod
    def entries(name: str, fields: Fields) -> list[tuple[str, str]]:
        """Return the program and the text of each line of an event, for those who write head and stamp themselves."""
        if name.startswith("door.") and fields.get("protocol", "smtp") != "smtp":
            return []
        return [
            (program, (f"{fields.get('queue_id', 'NOQUEUE')}: " if queued else "") + render(fields))
            for program, queued, render in LINES.get(name, ())
        ]
