r"""Conversations as tab-separated activity, the form of MailEnable's logs: a line for a command and its answer.

    time \t direction \t id \t socket \t address \t command \t parameters \t response \t octets in \t octets out

Times are local, ``MM/DD/YY HH:MM:SS``. Direction is ``SMTP-IN``, ``SMTP-OU`` for what we send, ``IMAP-IN`` and so on;
id is the session, socket the peer's port. A command waits for its answer in a bounded memory: answers whose command is
forgotten, and greetings, have no command. Tests: ``tests/unit/telemetry/test_formats.py``.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from posthouse.telemetry.words import CONVERSATION, command_words, reply_words

SESSIONS: Final = 10_000  # whose open commands are remembered
COMMANDS: Final = 100  # of one session
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]")


class ActivityFormatter:
    """Formats ``conversation`` events; others are left out."""

    def __init__(self) -> None:
        self._open: dict[str, deque[tuple[str, str, int]]] = {}

    def __call__(self, now: float, _level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
        """Return the line of an answered command; b"" for the command, and for lines within an answer."""
        if not name.startswith(CONVERSATION):
            return b""
        protocol = name.removeprefix(CONVERSATION)
        session, text, octets = str(fields.get("session", "")), str(fields.get("text", "")), fields.get("octets", 0)
        if fields.get("direction") == "C":
            self._remember(session, (*command_words(protocol, text), octets))
            return b""
        status, rest, is_end = reply_words(protocol, text)
        if not is_end:
            return b""
        command, parameters, octets_in = self._take(session)
        direction = "SMTP-OU" if protocol == "relay" else f"{protocol.upper()}-IN"
        values = (
            time.strftime("%m/%d/%y %H:%M:%S", time.localtime(now)),
            direction,
            session,
            fields.get("port", ""),
            fields.get("peer", ""),
            command,
            parameters,
            f"{status} {rest}".rstrip(),
            octets_in,
            octets,
        )
        return ("\t".join(_UNSAFE.sub(" ", str(value)) for value in values) + "\n").encode("utf-8", "replace")

    def _remember(self, session: str, command: tuple[str, str, int]) -> None:
        waiting = self._open.get(session)
        if waiting is None:
            if len(self._open) >= SESSIONS:
                del self._open[next(iter(self._open))]
            waiting = self._open[session] = deque(maxlen=COMMANDS)
        waiting.append(command)

    def _take(self, session: str) -> tuple[str, str, int]:
        waiting = self._open.get(session)
        if not waiting:
            return "", "", 0
        taken = waiting.popleft()
        if not waiting:
            del self._open[session]
        return taken
