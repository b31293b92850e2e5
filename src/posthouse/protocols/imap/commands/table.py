"""The dispatch table: which commands there are, who reads their arguments, in which states they are allowed.

To add a command: its value in ``types.commands``, its parser in a file here, its line in this table, its case in
``servers.imap``, a dialogue in ``tests/dialogues/imap``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.commands import connection, mailboxes, messages
from posthouse.protocols.imap.commands.append import append
from posthouse.protocols.imap.types import commands
from posthouse.protocols.imap.types.fetch import FetchAttribute
from posthouse.protocols.imap.types.listing import StatusItem
from posthouse.protocols.imap.types.search import has_modseq
from posthouse.protocols.imap.types.state import State


@dataclass(frozen=True, slots=True)
class Rule:
    """How one command is read and when it may come; a command without arguments has its value ready."""

    parse: Callable[[bytes], commands.Command]
    states: State
    ready: commands.Command | None = None


def _alone(command: commands.Command, states: State) -> Rule:
    def parse(text: bytes) -> commands.Command:
        if text:
            raise SyntaxFault("the command takes no argument", where="imap")
        return command

    return Rule(parse, states, command)


def _mailbox(make: Callable[[str], commands.Command]) -> Rule:
    return Rule(mailboxes.one_mailbox(make), State.SIGNED_IN)


COMMANDS: dict[bytes, Rule] = {
    b"CAPABILITY": _alone(commands.Capability(), State.ANY),
    b"NOOP": _alone(commands.Noop(), State.ANY),
    b"LOGOUT": _alone(commands.Logout(), State.ANY),
    b"ID": Rule(connection.identify, State.ANY),
    b"STARTTLS": _alone(commands.StartTls(), State.NOT_AUTHENTICATED),
    b"AUTHENTICATE": Rule(connection.authenticate, State.NOT_AUTHENTICATED),
    b"LOGIN": Rule(connection.login, State.NOT_AUTHENTICATED),
    b"ENABLE": Rule(connection.enable, State.SIGNED_IN),
    b"NAMESPACE": _alone(commands.Namespace(), State.SIGNED_IN),
    b"SELECT": Rule(mailboxes.select(read_only=False), State.SIGNED_IN),
    b"EXAMINE": Rule(mailboxes.select(read_only=True), State.SIGNED_IN),
    b"CREATE": Rule(mailboxes.create, State.SIGNED_IN),
    b"DELETE": _mailbox(lambda name: commands.Delete(mailbox=name)),
    b"RENAME": Rule(mailboxes.rename, State.SIGNED_IN),
    b"SUBSCRIBE": _mailbox(lambda name: commands.Subscribe(mailbox=name)),
    b"UNSUBSCRIBE": _mailbox(lambda name: commands.Unsubscribe(mailbox=name)),
    b"LIST": Rule(mailboxes.list_, State.SIGNED_IN),
    b"LSUB": Rule(mailboxes.lsub, State.SIGNED_IN),
    b"STATUS": Rule(mailboxes.status, State.SIGNED_IN),
    b"APPEND": Rule(append, State.SIGNED_IN),
    b"IDLE": _alone(commands.Idle(), State.SIGNED_IN),
    b"GETQUOTA": Rule(mailboxes.get_quota, State.SIGNED_IN),
    b"GETQUOTAROOT": _mailbox(lambda name: commands.GetQuotaRoot(mailbox=name)),
    b"CHECK": _alone(commands.Check(), State.SELECTED),
    b"CLOSE": _alone(commands.Close(), State.SELECTED),
    b"UNSELECT": _alone(commands.Unselect(), State.SELECTED),
    b"EXPUNGE": _alone(commands.Expunge(), State.SELECTED),
    b"SEARCH": Rule(messages.search, State.SELECTED),
    b"FETCH": Rule(messages.fetch, State.SELECTED),
    b"STORE": Rule(messages.store, State.SELECTED),
    b"COPY": Rule(messages.copy, State.SELECTED),
    b"MOVE": Rule(messages.move, State.SELECTED),
    b"UID": Rule(messages.uid, State.SELECTED),
}


def enables_condstore(command: commands.Command) -> bool:
    """Return whether the command tells that the client knows mod-sequences (RFC 7162 §3.1)."""
    if isinstance(command, commands.Fetch):
        return command.changed_since is not None or FetchAttribute.MODSEQ in command.items
    if isinstance(command, commands.Store):
        return command.unchanged_since is not None
    if isinstance(command, commands.Select):
        return command.condstore
    if isinstance(command, commands.Status):
        return StatusItem.HIGHESTMODSEQ in command.items
    return isinstance(command, commands.Search) and has_modseq(command.key)
