"""POP3 commands: a line to its keyword and arguments (RFC 1939 §3, §9; RFC 5034 §4).

Any octets give a ``Command`` or a SyntaxFault. Keywords are returned in upper case; arguments are octets as they
stood. Tests: ``tests/unit/protocols/pop3/test_pop3_session.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from posthouse.core.errors import SyntaxFault

_NUMBER = re.compile(rb"[0-9]{1,10}")
_NOT_PRINTABLE = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Command:
    """One command; ``rest`` is everything behind the first space, which PASS takes whole; it may be a password."""

    keyword: bytes
    rest: bytes = field(default=b"", repr=False)

    @property
    def arguments(self) -> list[bytes]:
        """The rest split at spaces."""
        return self.rest.split()


def parse_command(line: bytes) -> Command:
    """Parse ``keyword *(SP param)`` (RFC 1939 §9). Raises SyntaxFault: for control characters or no keyword."""
    match = _NOT_PRINTABLE.search(line)
    if match is not None:
        raise SyntaxFault("control character in a command", where="pop3.command", offset=match.start())
    keyword, _, rest = line.partition(b" ")
    if not keyword.isalnum() or len(keyword) > 16:
        raise SyntaxFault("no keyword", where="pop3.command")
    return Command(keyword.upper(), rest)


def format_command(command: Command) -> bytes:
    """Return the line, without its end, that ``parse_command`` reads as the same command."""
    return command.keyword + b" " + command.rest if command.rest else command.keyword


def number(argument: bytes) -> int:
    """Parse a message-number or a count of lines. Raises SyntaxFault."""
    if not _NUMBER.fullmatch(argument):
        raise SyntaxFault("not a number", where="pop3.number")
    return int(argument)
