"""A driver for ``protocols.imap.session`` without mailboxes: it says OK to all that the machine hands it.

For dialogues about what the machine answers alone, for the property that any split of the input means the same, and
for fuzzing. One account, ``user`` with ``secret``; every mailbox but ``missing`` can be selected and appended to.
"""

from __future__ import annotations

from collections.abc import Mapping

from posthouse.protocols.imap.session import ImapSession
from posthouse.protocols.imap.types import commands, events
from posthouse.protocols.imap.types.events import Event
from posthouse.protocols.imap.types.state import NO, OK, SessionConfig

LOGIN = "user"
PASSWORD = "secret"


class ImapPeer:
    """A server in memory, as ``testing.dialogue`` wants one.

    Attributes:
        seen: every event but chunks, in order.
        messages: what was appended.
    """

    def __init__(self, config: SessionConfig) -> None:
        self.session = ImapSession(config)
        self.session.greet()
        self.seen: list[Event] = []
        self.messages: list[bytes] = []
        self.closed = False
        self._message = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Give the machine bytes; return what it sends."""
        self.session.receive_data(data)
        sent: list[bytes] = []
        self._take_events()
        while self.session.is_held:
            sent.append(self.session.data_to_send())
            self._take_events()
        sent.append(self.session.data_to_send())
        return b"".join(sent)

    def step(self, name: str) -> None:
        """Do a named step: ``starttls`` ends the handshake, ``exists`` has news for IDLE."""
        if name == "starttls":
            self.session.tls_started()
        elif name == "exists":
            self.session.untagged(b"* 3 EXISTS\r\n")
        elif name == "stop":
            self.session.bye(b"Server is stopping")
            self._take_events()

    def _take_events(self) -> None:
        while (event := self.session.next_event()) is not None:
            self._take(event)

    def _take(self, event: Event) -> None:
        session = self.session
        if isinstance(event, events.AppendChunk):
            self._message += event.data
            return
        self.seen.append(event)
        if isinstance(event, events.CommandReceived):
            self._do(event.tag, event.command)
        elif isinstance(event, events.AuthenticateOffered):
            if (event.login, event.password) == (LOGIN, PASSWORD):
                session.authenticated()
                session.complete(event.tag, OK, b"Logged in", session.capability_code())
            else:
                session.complete(event.tag, NO, b"Wrong", b"AUTHENTICATIONFAILED")
        elif isinstance(event, events.AppendStarted):
            if event.mailbox == "missing":
                session.complete(event.tag, NO, b"No such mailbox", b"TRYCREATE")
            else:
                session.accept_append()
        elif isinstance(event, events.AppendEnded):
            self._end_message()
            session.complete(event.tag, OK, b"Append completed")
        elif isinstance(event, events.AppendAborted):
            self._message.clear()
        elif isinstance(event, events.IdleDone):
            session.complete(event.tag, OK, b"Idle completed")
        elif isinstance(event, events.SessionEnded):
            self.closed = True

    def _end_message(self) -> None:
        self.messages.append(bytes(self._message))
        self._message.clear()

    def _do(self, tag: bytes, command: commands.DriverCommand) -> None:
        session = self.session
        if isinstance(command, commands.Idle):
            return
        if isinstance(command, commands.Select):
            if command.mailbox == "missing":
                session.unselected()
                session.complete(tag, NO, b"No such mailbox", b"NONEXISTENT")
                return
            session.selected(read_only=command.read_only)
        elif isinstance(command, commands.Close | commands.Unselect):
            session.unselected()
        session.complete(tag, OK, type(command).__name__.encode("ascii") + b" completed")


def imap_peer(config: Mapping[str, str]) -> ImapPeer:
    """Make a peer from the ``config:`` line of a dialogue.

    ``tls=offered|active``, ``plaintext=yes``, ``limit=N``, ``auth=MECHANISM,MECHANISM``.
    """
    return ImapPeer(
        SessionConfig(
            tls_available=config.get("tls") == "offered",
            tls_active=config.get("tls") == "active",
            plaintext_allowed=config.get("plaintext") == "yes",
            mechanisms=tuple(config.get("auth", "PLAIN,LOGIN").split(",")),
            append_limit=int(config.get("limit", "1000000")),
        )
    )
