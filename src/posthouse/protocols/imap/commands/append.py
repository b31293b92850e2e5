"""APPEND up to its message (RFC 3501 §6.3.11). The message itself never passes through here: ``wire`` streams it."""

from __future__ import annotations

from posthouse.protocols.imap.grammar.dates import date_time
from posthouse.protocols.imap.grammar.flags import flag_list
from posthouse.protocols.imap.grammar.strings import end, mailbox, space
from posthouse.protocols.imap.types import commands
from posthouse.protocols.imap.types.flags import FlagList


def append(text: bytes) -> commands.Append:
    """``mailbox [SP flag-list] [SP date-time] SP``, and then the literal would follow."""
    name, at = mailbox(text, 0)
    at = space(text, at)
    flags, moment = FlagList(), None
    if text.startswith(b"(", at):
        flags, at = flag_list(text, at)
        at = space(text, at)
    if text.startswith(b'"', at):
        moment, at = date_time(text, at)
        at = space(text, at)
    end(text, at)
    return commands.Append(mailbox=name, flags=flags.flags, keywords=flags.keywords, internal_date=moment)
