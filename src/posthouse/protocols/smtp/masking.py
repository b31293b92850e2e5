"""What of an SMTP or LMTP conversation may be shown: ours as server, and ours as client.

Commands are shown where they have the form of RFC 5321 §4.1; AUTH with its mechanism alone; SASL lines and challenges
never (RFC 4954 §4); mail data as a number of octets. Tests: ``tests/unit/protocols/test_masking.py``.
"""

from __future__ import annotations

import re
from typing import Final

from posthouse.protocols.masking import HIDDEN, ContentEnd, Mask, Report, mechanism_of, octets_of, shown, unknown

_WHOLE: Final = re.compile(
    rb"(?:HELO|EHLO|LHLO) \S+ ?|MAIL FROM: ?<.*|RCPT TO: ?<.*|BDAT \d+(?: LAST)?"
    rb"|(?:DATA|RSET|QUIT|STARTTLS|NOOP|HELP)|\.",
    re.IGNORECASE | re.DOTALL,
)
_VERB_ONLY: Final = re.compile(rb"(NOOP|HELP|VRFY|EXPN) .*", re.IGNORECASE | re.DOTALL)
_LONGEST_REPLY: Final = 4096


def show_command(line: bytes) -> str:
    """Return what may be shown of a command line."""
    if _WHOLE.fullmatch(line):
        return shown(line)
    if line[:4].upper() == b"AUTH" and line[4:5] in {b" ", b""}:
        return f"AUTH {mechanism_of(line[5:])}".rstrip()
    match = _VERB_ONLY.fullmatch(line)
    return f"{match[1].decode().upper()} {octets_of(len(line) - 5)}" if match else unknown(line)


def show_reply(line: bytes) -> str:
    """Return what may be shown of a line of a reply; challenges are hidden."""
    return f"334 {HIDDEN}" if line.startswith(b"334") and len(line) > 4 else shown(line)


class SmtpMask(Mask):
    """The server's side."""

    def on_line(self, line: bytes, *, is_secret: bool) -> None:
        """Report a line of the client."""
        self._end_content()
        self._report("C", HIDDEN if is_secret else show_command(line), len(line) + 2)

    def on_sent(self, data: bytes) -> None:
        """Report our replies; they are sent as whole lines."""
        self._end_content()
        for line in data.splitlines(keepends=True):
            self._report("S", show_reply(line.rstrip(b"\r\n")), len(line))


class RelayMask:
    """The client's side: ``on_sent`` takes our commands, ``on_received`` the replies of the other server."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._rest = b""
        self._content: ContentEnd | None = None

    def begin_content(self) -> None:
        """What is sent from now on is mail data, up to its end."""
        self._content = ContentEnd()

    def on_sent(self, data: bytes) -> None:
        """Report commands, and mail data by its size."""
        if self._content is not None:
            rest = self._content.feed(data)
            if rest is None:
                return
            octets, self._content = self._content.octets, None
            self._report("C", octets_of(octets), octets)
            data = rest
        for line in data.splitlines(keepends=True):
            self._report("C", show_command(line.rstrip(b"\r\n")), len(line))

    def on_received(self, data: bytes) -> None:
        """Report whole lines of replies; one without an end is told by its size."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._report("S", show_reply(line.rstrip(b"\r")), len(line) + 1)
        if len(self._rest) > _LONGEST_REPLY:
            self._report("S", octets_of(len(self._rest)), len(self._rest))
            self._rest = b""
