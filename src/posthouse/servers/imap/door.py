"""The IMAP door: bytes into the session, its events to the functions that serve them, one at a time.

The session pauses after each event that wants an answer, so commands that a client pipelines are served in order, and
what it sends meanwhile stays buffered up to the session's bound; beyond it the door stops reading.
A command that fails unexpectedly is answered ``NO [SERVERBUG]`` and reported; the connection goes on.

Autologout after 30 minutes (RFC 3501 §5.4) is the door's idle limit; before sign-in it is shorter.
Tests: ``tests/dialogues/imap_server`` over a loopback socket, ``tests/unit/servers/imap``.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine
from typing import Any, Final

from posthouse.config.definitions.imap import APPEND_SIZE, IDLE_TIMEOUT, LOGIN_TIMEOUT
from posthouse.core.errors import Bug, Fault, Unavailable
from posthouse.protocols.imap.masking import ImapMask
from posthouse.protocols.imap.session import ImapSession
from posthouse.protocols.imap.types import events as wire
from posthouse.protocols.imap.types.commands import Idle
from posthouse.protocols.imap.types.state import SessionConfig
from posthouse.protocols.sasl.exchange import offered_mechanisms
from posthouse.servers.door import Door, DoorContext, ListenerInfo
from posthouse.servers.imap.answers import SERVER_BUG, answer_for
from posthouse.servers.imap.append import Appending, begin_append
from posthouse.servers.imap.auth import do_authenticate
from posthouse.servers.imap.commands import COMMANDS
from posthouse.servers.imap.conversation import Conversation, ImapServices
from posthouse.servers.imap.idle import Idling
from posthouse.servers.imap.rights import NO_PERMISSION, may_run
from posthouse.services.identity.client import ClientInfo


class ImapDoor(Door):
    """One IMAP connection."""

    touches_on_bytes = False

    def __init__(self, listener: ListenerInfo, context: DoorContext, services: ImapServices) -> None:
        super().__init__(listener, context)
        self._services = services
        self._session: ImapSession
        self._talk: Conversation
        self._is_pumping = False
        self._is_busy = False
        self._is_paused = False
        self._is_draining = False
        self._must_look = False
        self._appending: Appending | None = None
        self._idling: Idling | None = None
        self.idle_limit = self.settings.get(LOGIN_TIMEOUT)

    # ---- hooks of Door ----------------------------------------------------------------------------------------

    def on_open(self) -> None:
        """Greet."""
        self._session = ImapSession(
            SessionConfig(
                tls_available=self.listener.tls == "starttls" and self.context.tls is not None,
                tls_active=self.is_secure,
                plaintext_allowed=self._takes_plaintext(),
                mechanisms=offered_mechanisms(tokens=self.context.offers_tokens()),
                append_limit=self.settings.get(APPEND_SIZE),
            )
        )
        client = ClientInfo(
            address=self.peer_host,
            local_address=self.local_host,
            port=self.peer_port,
            listener=self.listener.name,
            session=self.session_id,
        )
        mask = self.watch(ImapMask)
        if mask is not None:
            self._session.observe(mask)
        self._talk = Conversation(self, self._session, self._services, client)
        self._session.greet()
        self._talk.flush()

    def on_bytes(self, data: bytes) -> None:
        """Feed the session and serve what it makes of it."""
        self._session.receive_data(data)
        self._pump()

    def on_eof(self) -> None:
        """Close once nothing is under way."""
        if not self._is_busy and self.is_writable:
            self.close("eof")

    def on_writable(self) -> None:
        """Go on with what the client has pipelined, now that it has read our answers."""
        if self._must_look:
            self._look()
        if not self._is_busy:
            self._pump()

    def on_secured(self) -> None:
        """TLS is there: capabilities change, and what was learnt before counts no more."""
        self._session.tls_started()
        self._pump()

    def on_idle(self) -> None:
        """Log out whoever was silent too long (RFC 3501 §5.4)."""
        if not self._is_busy:
            self._goodbye(b"Disconnected for inactivity", "idle")

    def on_drain(self) -> None:
        """Say BYE now, or once the command under way is answered."""
        self._is_draining = True
        if not self._is_busy:
            self._goodbye(b"Server shutting down", "drain")

    def on_closed(self) -> None:
        """Let go of what the connection held."""
        self._talk.end()
        if not self._is_busy:
            self._drop_append()

    def refusal(self, reason: str) -> bytes:
        """Return a BYE in place of the greeting."""
        if reason == "drain":
            return b"* BYE [UNAVAILABLE] Server shutting down\r\n"
        return b"* BYE [LIMIT] Too many connections, try again later\r\n"

    # ---- serving ----------------------------------------------------------------------------------------------

    def _takes_plaintext(self) -> bool:
        policy = self.listener.plaintext_auth
        if policy == "loopback":
            return self.is_loopback
        return policy == "always"

    def _pump(self) -> None:
        """Serve events until the session has none, or waits for an answer, or the client has to read first."""
        if self._is_pumping or self.is_closing:
            return
        self._is_pumping = True
        session = self._session
        try:
            while not self._is_full:
                event = session.next_event()
                if event is None:
                    if not session.is_held:
                        break
                    self._talk.flush()
                    continue
                self.touch()
                _HANDLERS[type(event)](self, event)
        finally:
            self._is_pumping = False
        self._talk.flush()
        must_pause = session.is_full or self._is_full
        if must_pause is not self._is_paused:
            self._is_paused = must_pause
            (self.pause if must_pause else self.resume)()

    def _serve(self, tag: bytes, coroutine: Coroutine[Any, Any, Any], *, kept: bool = False) -> None:
        self._is_busy = True

        def then(_result: object, error: BaseException | None) -> None:
            self._is_busy = False
            if error is not None:
                self._command_failed(tag, error)
            self._served()

        self.run(coroutine, then, kept=kept)

    def _served(self) -> None:
        if self.is_closing:
            self._drop_append()
        elif self._is_draining:
            self._goodbye(b"Server shutting down", "drain")
        else:
            self.touch()
            self._pump()
            if not self._is_busy and self._peer_done:
                self.close("eof")

    def _command_failed(self, tag: bytes, error: BaseException) -> None:
        """Answer a command that raised."""
        if self.is_closing or not isinstance(error, Exception) or isinstance(error, ConnectionResetError):
            return
        answer = answer_for(error) if isinstance(error, Fault) else None
        if answer is None or isinstance(error, Unavailable | Bug):
            self._report(error, level="warning" if answer else "error")
        self._talk.refuse(tag, answer or SERVER_BUG)

    def _report(self, error: Exception, *, level: str) -> None:
        trace = "".join(traceback.format_exception(error))
        self.telemetry.event("imap.command_failed", level=level, error=type(error).__name__, trace=trace)

    def _goodbye(self, text: bytes, reason: str) -> None:
        self._session.bye(text)
        self._talk.flush()
        self.close(reason)

    def _drop_append(self) -> None:
        appending, self._appending = self._appending, None
        if appending is not None:
            appending.close()

    # ---- one function for each event --------------------------------------------------------------------------

    def _on_command(self, event: wire.CommandReceived) -> None:
        command = event.command
        if isinstance(command, Idle):
            self._idling = Idling(self._talk, event.tag, self._look)
            self._idling.changed()
        else:
            if self._session.condstore:
                self._talk.enabled_condstore()
            if not may_run(self._talk.right, command):
                self._talk.refuse(event.tag, NO_PERMISSION)
                return
            self._serve(event.tag, COMMANDS[type(command)](self._talk, event.tag, command))

    def _look(self) -> None:
        """Look for news during IDLE, once the client has read those it was told before."""
        idling = self._idling
        self._must_look = self._is_full
        if self._must_look:
            return

        def then(_result: object, error: BaseException | None) -> None:
            if isinstance(error, Exception) and not self.is_closing:
                self._report(error, level="warning")
            if idling is not None and not self.is_closing:
                idling.looked()
                self._talk.flush()
                self._pump()

        self.run(self._talk.news(expunges=True), then)

    def _on_idle_done(self, _event: wire.IdleDone) -> None:
        idling, self._idling = self._idling, None
        if idling is not None:
            idling.done()

    def _on_append(self, event: wire.AppendStarted) -> None:
        self._is_busy = True

        def then(appending: Appending | None, error: BaseException | None) -> None:
            self._is_busy = False
            self._appending = appending
            if error is not None:
                self._command_failed(event.tag, error)
            self._served()

        self.run(begin_append(self._talk, event), then)

    def _on_append_chunk(self, event: wire.AppendChunk) -> None:
        if self._appending is not None:
            self._appending.take(event.data)

    def _on_append_end(self, event: wire.AppendEnded) -> None:
        appending, self._appending = self._appending, None
        assert appending is not None, "the session was told to accept"
        self._serve(event.tag, self._finish_append(appending, event.tag), kept=True)

    @staticmethod
    async def _finish_append(appending: Appending, tag: bytes) -> None:
        try:
            await appending.finish(tag)
        finally:
            appending.close()

    def _on_append_aborted(self, _event: wire.AppendAborted) -> None:
        self._drop_append()

    def _on_authenticate(self, event: wire.AuthenticateOffered) -> None:
        self._is_busy = True

        def then(_result: object, error: BaseException | None) -> None:
            self._is_busy = False
            if error is not None:
                self._command_failed(event.tag, error)
            if self._talk.account is not None:
                self.idle_limit = self.settings.get(IDLE_TIMEOUT)
                self.signed_in(self._talk.account.address)
            self._served()

        self.run(do_authenticate(self._talk, event), then)

    def _on_tls(self, event: wire.TlsRequested) -> None:
        self._talk.flush()
        self.start_tls(early=event.discarded)

    def _on_id(self, event: wire.ClientIdentified) -> None:
        self.telemetry.event("imap.client", client={name: value or "" for name, value in event.parameters})

    def _on_rejected(self, event: wire.CommandRejected) -> None:
        self.telemetry.event("imap.rejected", level="debug", reason=event.reason)

    def _on_end(self, event: wire.SessionEnded) -> None:
        self._talk.flush()
        self.close(event.reason)


_HANDLERS: Final[dict[type, Callable[[ImapDoor, Any], None]]] = {
    wire.CommandReceived: ImapDoor._on_command,  # noqa: SLF001  (a table of the class's own methods)
    wire.IdleDone: ImapDoor._on_idle_done,  # noqa: SLF001
    wire.AppendStarted: ImapDoor._on_append,  # noqa: SLF001
    wire.AppendChunk: ImapDoor._on_append_chunk,  # noqa: SLF001
    wire.AppendEnded: ImapDoor._on_append_end,  # noqa: SLF001
    wire.AppendAborted: ImapDoor._on_append_aborted,  # noqa: SLF001
    wire.AuthenticateOffered: ImapDoor._on_authenticate,  # noqa: SLF001
    wire.TlsRequested: ImapDoor._on_tls,  # noqa: SLF001
    wire.ClientIdentified: ImapDoor._on_id,  # noqa: SLF001
    wire.CommandRejected: ImapDoor._on_rejected,  # noqa: SLF001
    wire.SessionEnded: ImapDoor._on_end,  # noqa: SLF001
}
