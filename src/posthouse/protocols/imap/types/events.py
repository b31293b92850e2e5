"""What the session tells its driver. Events marked *pauses* wait for an answer; the others need none.

CommandReceived      pauses   until ``complete`` (an Idle: until IdleDone and then ``complete``)
IdleDone                      DONE came: ``complete`` the tag that the Idle came with
AppendStarted        pauses   until ``accept_append`` or ``complete``
AppendChunk                   octets of the message, in order
AppendEnded          pauses   all octets came: ``complete``
AppendAborted                 the client broke the command after its literal; the session has said BAD
AuthenticateOffered  pauses   until ``complete`` (after ``authenticated`` where it is granted)
TlsRequested         pauses   OK is in the output: send it, start TLS, then ``tls_started``
ClientIdentified              what ID said, for the log
CommandRejected               the session has answered BAD or NO by itself, for the log
SessionEnded                  LOGOUT or too much abuse; BYE is in the output: send it and close
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from posthouse.core.flags import Flag
from posthouse.protocols.imap.types.commands import DriverCommand


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A whole, valid command that the state allows."""

    tag: bytes
    command: DriverCommand


@dataclass(frozen=True, slots=True)
class IdleDone:
    """The client ended IDLE."""

    tag: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendStarted:
    """APPEND up to its literal; ``size`` octets follow if the driver accepts. ``internal_date`` None means now."""

    tag: bytes
    mailbox: str
    flags: Flag
    keywords: tuple[str, ...]
    internal_date: int | None
    size: int


@dataclass(frozen=True, slots=True)
class AppendChunk:
    """Some octets of the message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AppendEnded:
    """The message is whole and so is the command."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class AppendAborted:
    """Forget the message: the command did not end as it must."""

    tag: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateOffered:
    """Credentials by LOGIN or a SASL mechanism. ``authzid`` "" means the same as ``login``.

    Where ``is_token``, ``password`` is a bearer token, and ``login`` may be "".
    """

    tag: bytes
    mechanism: str
    authzid: str
    login: str
    password: str = field(repr=False)
    is_token: bool = False


@dataclass(frozen=True, slots=True)
class TlsRequested:
    """STARTTLS was granted; what the client sent after it is already thrown away."""

    tag: bytes
    discarded: int


@dataclass(frozen=True, slots=True)
class ClientIdentified:
    """The fields of ID."""

    parameters: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class CommandRejected:
    """The session refused by itself; ``reason`` is private, for the log, and holds nothing secret."""

    tag: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing more is read; ``reason`` is private."""

    reason: str


Event: TypeAlias = (
    CommandReceived
    | IdleDone
    | AppendStarted
    | AppendChunk
    | AppendEnded
    | AppendAborted
    | AuthenticateOffered
    | TlsRequested
    | ClientIdentified
    | CommandRejected
    | SessionEnded
)
