"""Every message that the server writes by itself: when it is sent, to whom, and what its text may say.

A variable stands for one value; a list for rows with fields of their own, which a text goes through with ``for``. Every
variable has a sample, from which a preview is made and a new text is tried before it is kept.
Tests: ``tests/unit/services/administration/messages/test_texts.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Row: TypeAlias = Mapping[str, str]
Value: TypeAlias = str | int | bool | Sequence[Row]
Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that a text may say; ``sample`` is of the type that it always has."""

    name: str
    meaning: str
    sample: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMessage:
    """One message.

    Attributes:
        name: as administrators write it.
        sent: when it is sent, and to whom.
        variables: what its subject and its text may say, beside those of every message.
        is_occasional: whether it is sent only where ``message.send`` names it.
    """

    name: str
    sent: str
    variables: tuple[Variable, ...] = ()
    is_occasional: bool = True

    @property
    def all_variables(self) -> tuple[Variable, ...]:
        """Its own, and those of every message."""
        return (*self.variables, *COMMON)

    @property
    def samples(self) -> dict[str, Value]:
        """A value for every variable."""
        return {each.name: each.sample for each in self.all_variables}


COMMON: Final = (
    Variable("address", "The address of the reader.", "anna@example.org"),
    Variable("name", "The reader's name; the address where none is known.", "Anna Example"),
    Variable("domain", "The domain that the message is from.", "example.org"),
    Variable("title", "The title of the post office; the domain where it has none.", "Example Ltd"),
    Variable("hostname", "The name of this server.", "mx.example.org"),
    Variable("postmaster", "The address of who answers for the domain.", "postmaster@example.org"),
)
_BY = (
    Variable("at", "When.", "2026-11-21 10:00 UTC"),
    Variable("by", "Who did it: an address, or a user of the server's machine.", "anna@example.org"),
    Variable("client", "The network address it was done from; empty on the machine itself.", "192.0.2.7"),
)
_FULLNESS = (
    Variable("percent", "How full the mailbox is, in per cent: the level of account.quota_warnings.", 80),
    Variable("used", "How much mail is in it.", "820.0 MiB"),
    Variable("quota", "How much may be in it; empty where only the number of messages is limited.", "1.0 GiB"),
    Variable("messages", "How many messages are in it.", 12_345),
)
_RECIPIENT: Final = {
    "address": "ben@far.example",
    "wanted": "",
    "kind": "unknown",
    "reply": "550 5.1.1 No such user",
    "host": "mx.far.example",
    "status": "5.1.1",
    "until": "",
}
_REPORT = (
    Variable(
        "recipients",
        "Those it is about, a row for each: address; wanted (the address written to, where another); kind (unknown, "
        "full, large, silent, refused, or empty); reply; host (whose reply it is); status; until (how long it is "
        "tried).",
        (_RECIPIENT,),
    ),
    Variable("arrived", "When the message came in.", "Sat, 21 Nov 2026 09:00:00 +0000"),
    Variable("whole", "Whether the whole message is attached, not its header alone.", sample=True),
)

_ALL: Final = (
    ServerMessage(
        name="welcome",
        sent="To a new account that an administrator added, or that was made at a first sign-in; not by an import.",
        variables=(Variable("quota", "How much mail it may keep; empty where any amount.", "1.0 GiB"),),
    ),
    ServerMessage(
        name="quota-warning",
        sent="To the owner of a mailbox that passes a level of account.quota_warnings, for each level at most once a "
        "day.",
        variables=_FULLNESS,
    ),
    ServerMessage(
        name="quota-full",
        sent="To the owner of a mailbox that has reached its quota, so that mail for it is refused; at most once a "
        "day.",
        variables=_FULLNESS,
    ),
    ServerMessage(
        name="account-held",
        sent="To the postmaster of a domain when one of its accounts was removed and is held.",
        variables=(
            Variable("account", "The account.", "ben@example.org"),
            Variable("until", "When it will be destroyed.", "2026-12-21 10:00 UTC"),
            *_BY,
        ),
    ),
    ServerMessage(
        name="password-changed",
        sent="To the owner of an account whose password was changed, by whomsoever.",
        variables=_BY,
    ),
    ServerMessage(
        name="second-factor-changed",
        sent="To the owner of an account whose second factor was started, stopped or changed.",
        variables=(Variable("change", "What it is now: on, off or changed.", "on"), *_BY),
    ),
    ServerMessage(
        name="app-password-added",
        sent="To the owner of an account that has a new app password.",
        variables=(
            Variable("label", "The name that it was given.", "Telephone"),
            Variable("expires", "Until when it works; empty for ever.", ""),
            *_BY,
        ),
    ),
    ServerMessage(
        name="sign-in-ban",
        sent="To the owner of an account when somebody guessed passwords for it and was banned; at most once a day.",
        variables=(
            Variable("network", "Where the guessing came from.", "192.0.2.0/24"),
            Variable("until", "When the ban ends.", "2026-11-21 11:00 UTC"),
        ),
    ),
    ServerMessage(
        name="daily-summary",
        sent="Once a day at report.daily_at, to report.daily_to.",
        variables=(
            Variable("day", "The day that it tells of.", "2026-11-20"),
            Variable("report", "What happened, as `posthouse log summary` shows it.", "     12  messages received\n"),
        ),
        is_occasional=False,
    ),
    ServerMessage(
        name="notice",
        sent="What `posthouse notice send` makes of a subject and a text.",
        variables=(
            Variable("subject", "The subject that was given.", "Maintenance on Sunday"),
            Variable("text", "The text that was given.", "From 6 to 7 o'clock no mail can be read.\n"),
        ),
        is_occasional=False,
    ),
    ServerMessage(
        name="delivery-failed",
        sent="To the sender of a message that could not be delivered: the words of the bounce (RFC 3464).",
        variables=_REPORT,
        is_occasional=False,
    ),
    ServerMessage(
        name="delivery-delayed",
        sent="To the sender of a message that could not be delivered yet (RFC 3464).",
        variables=_REPORT,
        is_occasional=False,
    ),
    ServerMessage(
        name="delivery-confirmed",
        sent="To the sender of a message who asked to be told of its delivery (RFC 3461).",
        variables=_REPORT,
        is_occasional=False,
    ),
)

MESSAGES: Final[Mapping[str, ServerMessage]] = {each.name: each for each in _ALL}
OCCASIONAL: Final = tuple(each.name for each in _ALL if each.is_occasional)
