r"""What of an IMAP conversation may be shown: commands we know, without literals; answers without what messages say.

LOGIN is shown without arguments, AUTHENTICATE with its mechanism alone. Literals are shown as their sizes, in both
directions; in FETCH responses quoted strings are hidden as well, because they hold subjects, names and previews
(RFC 3501 §7.4.2). Continuations show their text only where it is one of our own words.
Tests: ``tests/unit/protocols/test_masking.py``.
"""

from __future__ import annotations

import re
from typing import Final

from posthouse.protocols.imap.commands.table import COMMANDS
from posthouse.protocols.masking import HIDDEN, Mask, Report, mechanism_of, octets_of, shown, unknown

_TAG: Final = re.compile(rb"[A-Za-z0-9._-]{1,40}")
_LITERAL: Final = re.compile(rb"~?\{(\d{1,18})\+?\}\r\n")
_LITERAL_NEXT: Final = re.compile(rb"~?\{(\d{1,18})\}$")
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_FETCH: Final = re.compile(rb"\* \d+ FETCH ", re.IGNORECASE)
_OWN_WORDS: Final = frozenset({b"+ OK", b"+ idling"})
_SHOWN: Final = 4096  # octets of an answer's line that are kept to be shown


def show_command(command: bytes) -> str:
    """Return what may be shown of a command with its literals, or of its beginning."""
    tag, _, rest = command.partition(b" ")
    name, _, arguments = rest.partition(b" ")
    name = name.upper()
    if not _TAG.fullmatch(tag) or (name not in COMMANDS and not rest.upper().startswith(b"UID ")):
        return unknown(command)
    head = f"{tag.decode()} {shown(name)}"
    if name == b"LOGIN":
        return f"{head} {HIDDEN}"
    if name == b"AUTHENTICATE":
        return f"{head} {mechanism_of(arguments)}".rstrip()
    return f"{head} {shown(without_literals(arguments))}".rstrip()


def without_literals(text: bytes) -> bytes:
    """Return text with each literal replaced by its size; one that is cut short is left out all the same."""
    parts, at = [], 0
    while (match := _LITERAL.search(text, at)) is not None:
        parts += [text[at : match.start()], octets_of(int(match[1])).encode()]
        at = match.end() + int(match[1])
    return b"".join([*parts, text[at:]])


class ImapMask(Mask):
    """The server's side."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self._line = b""  # of an answer whose end has not come, with sizes where literals were
        self._octets = 0
        self._rest = b""
        self._literal = 0  # octets of a literal still to be sent

    def on_line(self, line: bytes, *, is_secret: bool) -> None:
        """Report a whole command, or a line of AUTHENTICATE or IDLE."""
        self._end_content()
        if not line:
            return  # the end of APPEND
        text = HIDDEN if is_secret else "DONE" if line.upper() == b"DONE" else show_command(line)
        self._report("C", text, len(line) + 2)

    def on_literal(self, prefix: bytes, size: int) -> None:
        """Report a command up to its message, or up to a literal that is too large."""
        self._end_content()
        self._report("C", f"{show_command(prefix)} {{{size}}}", len(prefix))

    def on_sent(self, data: bytes) -> None:
        """Report whole lines of answers."""
        self._end_content()
        data = self._rest + data
        self._rest = b""
        while data:
            if self._literal:
                taken = min(self._literal, len(data))
                self._literal -= taken
                self._octets += taken
                data = data[taken:]
                continue
            line, end, after = data.partition(b"\r\n")
            if not end:
                self._rest = data
                return
            data = after
            self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        self._octets += len(line) + 2
        match = _LITERAL_NEXT.search(line)
        if match is not None:
            self._literal = int(match[1])
            self._line = (self._line + line[: match.start()] + octets_of(self._literal).encode())[:_SHOWN]
            return
        whole, self._line = (self._line + line)[:_SHOWN], b""
        octets, self._octets = self._octets, 0
        self._report("S", show_answer(whole), octets)


def show_answer(line: bytes) -> str:
    """Return what may be shown of an answer, whose literals are sizes already."""
    if line.startswith(b"+ ") and line not in _OWN_WORDS:
        return f"+ {HIDDEN}"
    if _FETCH.match(line):
        head, quote, _ = _QUOTED.sub(b"[text]", line).partition(b'"')  # a string that was cut has one quote
        return shown(head + (b"[text]" if quote else b""))
    return shown(line)
