"""What of a POP3 conversation may be shown (RFC 1939, RFC 5034): commands in their proper form, nothing behind PASS.

Our answers come in the order of the commands, one each, so that what is a message (after RETR and TOP) and what a list
is known from the commands. Tests: ``tests/unit/protocols/test_masking.py``.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from posthouse.protocols.masking import HIDDEN, ContentEnd, Mask, Report, mechanism_of, octets_of, shown, unknown

_PLAIN: Final = re.compile(
    rb"(?:STAT|NOOP|RSET|QUIT|CAPA|STLS|LIST|UIDL|LAST|UTF8)|(?:LIST|UIDL|RETR|DELE) \d+|TOP \d+ \d+",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(rb"(USER|APOP|LANG) +(\S+)(.*)", re.IGNORECASE | re.DOTALL)


def show_command(line: bytes) -> str:
    """Return what may be shown of a command line."""
    text = line.rstrip(b" ")
    if _PLAIN.fullmatch(text):
        return shown(text)
    if text[:4].upper() == b"PASS":
        return f"PASS {HIDDEN}"
    if text[:4].upper() == b"AUTH" and text[4:5] in {b" ", b""}:
        return f"AUTH {mechanism_of(text[5:])}".rstrip()
    match = _NAMED.fullmatch(text)
    if match is None:
        return unknown(line)
    return f"{match[1].decode().upper()} {shown(match[2])}" + (f" {HIDDEN}" if match[3] else "")


class Pop3Mask(Mask):
    """The server's side."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self._asked: deque[bytes] = deque()  # what the next answers are answers to
        self._message: ContentEnd | None = None
        self._rest = b""
        self._listed = -1  # lines of the list that is being sent, -1 for none
        self._list_octets = 0

    def on_line(self, line: bytes, *, is_secret: bool) -> None:
        """Report a line of the client."""
        self._asked.append(b"" if is_secret else line.upper().rstrip(b" "))
        self._report("C", HIDDEN if is_secret else show_command(line), len(line) + 2)

    def on_fault(self, what: str, octets: int) -> None:
        """Report it; it has an answer too."""
        self._asked.append(b"")
        super().on_fault(what, octets)

    def on_sent(self, data: bytes) -> None:
        """Report answers; lists and messages by their size."""
        rest: bytes | None = self._rest + data
        self._rest = b""
        while rest:
            if self._message is not None:
                rest = self._in_message(self._message, rest)
                continue
            line, end, after = rest.partition(b"\r\n")
            if not end:
                self._rest = rest
                return
            rest = after
            if self._listed >= 0:
                self._in_list(line)
            else:
                self._on_answer(line)

    def _in_message(self, message: ContentEnd, data: bytes) -> bytes | None:
        rest = message.feed(data)
        if rest is not None:
            self._message = None
            self._report("S", octets_of(message.octets), message.octets)
        return rest

    def _in_list(self, line: bytes) -> None:
        self._list_octets += len(line) + 2
        if line == b".":
            self._report("S", f"[{self._listed} lines]", self._list_octets)
            self._listed = -1
        else:
            self._listed += 1

    def _on_answer(self, line: bytes) -> None:
        asked = self._asked.popleft() if self._asked else b""
        self._report("S", f"+ {HIDDEN}" if line.startswith(b"+ ") and len(line) > 2 else shown(line), len(line) + 2)
        if not line.startswith(b"+OK"):
            return
        if asked.startswith((b"RETR", b"TOP")):
            self._message = ContentEnd()
        elif asked in {b"LIST", b"UIDL", b"CAPA", b"AUTH"}:
            self._listed, self._list_octets = 0, 0
