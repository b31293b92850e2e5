"""The POP3 door: joins ``protocols.pop3`` to signing in and to the store, on one connection.

What the store answers at once is answered in the same stack; a large message is sent in chunks, each after the peer
has read enough of the ones before. A session that is silent for ``pop3.idle_timeout`` is closed without a word and
without deleting anything (RFC 1939 §3), whatever single bytes it drips.

Invariant: an error of ours is ``-ERR [SYS/TEMP]`` for the command at hand; where part of a message was sent already,
the connection is cut, because nothing else tells the client that the message is incomplete.
Tests: ``tests/unit/servers/pop3/test_pop3_door.py``, ``tests/dialogues/pop3``.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from posthouse.config.definitions.pop3 import IDLE_TIMEOUT, LOGIN_TIMEOUT, MESSAGES
from posthouse.core.errors import Fault
from posthouse.protocols.pop3.masking import Pop3Mask
from posthouse.protocols.pop3.session import Pop3Session
from posthouse.protocols.pop3.types import (
    ConnectionEnding,
    DeletionsRequested,
    Maildrop,
    MessageRequested,
    SessionConfig,
    StartTlsRequested,
)
from posthouse.protocols.sasl.exchange import offered_mechanisms
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.servers.door import Door, DoorContext, ListenerInfo
from posthouse.servers.pop3.maildrop import (
    find_inbox,
    find_message,
    open_maildrop,
    read_message,
    remove_messages,
)
from posthouse.services.identity.authentication import NOT_SHARED, WRONG, Authenticator, SignIn
from posthouse.services.identity.client import ClientInfo
from posthouse.store.contract import Store
from posthouse.store.directory_values import ShareRight
from posthouse.store.rows import MailboxRow


class Pop3Door(Door):
    """One POP3 connection."""

    touches_on_bytes = False

    def __init__(
        self, listener: ListenerInfo, context: DoorContext, authenticator: Authenticator, store: Store
    ) -> None:
        super().__init__(listener, context)
        self._authenticator = authenticator
        self._store = store
        self._session: Pop3Session
        self._inbox: MailboxRow | None = None
        self._account = ""
        self._is_waiting = False
        self._is_pumping = False
        self._is_paused = False
        self._is_leaving = False

    # ---- hooks of Door ----------------------------------------------------------------------------------------

    def on_open(self) -> None:
        """Greet."""
        self.idle_limit = self.settings.get(LOGIN_TIMEOUT)
        listener = self.listener
        may_show = listener.plaintext_auth == "always" or (listener.plaintext_auth == "loopback" and self.is_loopback)
        self._session = Pop3Session(
            SessionConfig(
                hostname=self.context.hostname,
                offers_tls=listener.tls == "starttls" and self.context.tls is not None,
                tls_active=self.is_secure,
                auth_in_clear=may_show,
                mechanisms=offered_mechanisms(tokens=self.context.offers_tokens()),
            )
        )
        mask = self.watch(Pop3Mask)
        if mask is not None:
            self._session.observe(mask)
        self._session.greet()
        self._flush()

    def on_bytes(self, data: bytes) -> None:
        """Go through what arrived; while an answer is awaited it is kept, up to the session's bound."""
        self._session.receive_data(data)
        if not self._is_waiting:
            self._pump()
        elif self._session.is_full and not self._is_paused:
            self._is_paused = True
            self.pause()

    def on_writable(self) -> None:
        """Go on with what the client has pipelined, now that it has read our replies."""
        if not self._is_waiting:
            self._pump()

    def on_secured(self) -> None:
        """Begin anew inside TLS (RFC 2595 §4)."""
        self._session.tls_started()
        self._pump()

    def on_idle(self) -> None:
        """Close without a word (RFC 1939 §3); a client that waits for us is not silent."""
        if self._is_waiting:
            self.touch()
        else:
            self.close("idle")

    def on_drain(self) -> None:
        """Close now, or when the command at hand is answered. There is no word for it: it would answer a command."""
        self._is_leaving = True
        if not self._is_waiting:
            self.close("drain")

    def refusal(self, reason: str) -> bytes:
        """Refuse in place of the greeting (RFC 3206 §4)."""
        return b"-ERR [SYS/TEMP] Too many connections, please try again later\r\n"

    # ---- events -----------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Take events until bytes, an answer or a peer that reads are awaited, then send what there is to send."""
        if self._is_pumping:
            return
        self._is_pumping = True
        session = self._session
        try:
            while not self._is_waiting and self.is_writable:
                event = session.next_event()
                if event is None:
                    if not session.is_held:
                        break
                    self._flush()
                    continue
                self.touch()
                _HANDLERS[type(event)](self, event)
        finally:
            self._is_pumping = False
        if self._flush():
            self.touch()
        must_pause = not self.is_writable or (self._is_waiting and session.is_full)
        if must_pause is not self._is_paused:
            self._is_paused = must_pause
            (self.pause if must_pause else self.resume)()
        if self._is_leaving and not self._is_waiting:
            self.close("drain")

    def _flush(self) -> bool:
        """Send; return whether there was anything: a reply means that a command was complete."""
        data = self._session.data_to_send()
        if data:
            self.send(data)
        return bool(data)

    def _go_on(self) -> None:
        self._is_waiting = False
        if not self._is_pumping and not self.is_closing:
            self._pump()

    def _on_credentials(self, event: CredentialsOffered) -> None:
        self._is_waiting = True
        self.run(self._sign_in(event), lambda found, error: self._signed_in(event, found, error))

    async def _sign_in(self, event: CredentialsOffered) -> tuple[SignIn, MailboxRow | None, Maildrop | None]:
        client = ClientInfo(
            address=self.peer_host,
            local_address=self.local_host,
            port=self.peer_port,
            listener=self.listener.name,
            session=self.session_id,
        )
        sign_in = await self._authenticator.verify(event, client, protocol="pop3")
        if sign_in.account is None:
            return sign_in, None, None
        if sign_in.right is ShareRight.READ:
            # POP3 knows no reading without removing.
            return SignIn(NOT_SHARED.because("reading alone is not possible by POP3")), None, None
        inbox = await find_inbox(self._store, sign_in.account.id)
        most = self.settings.get(MESSAGES, account=sign_in.account.address)
        return sign_in, inbox, await open_maildrop(self._store, inbox, most)

    def _signed_in(
        self,
        event: CredentialsOffered,
        found: tuple[SignIn, MailboxRow | None, Maildrop | None] | None,
        error: BaseException | None,
    ) -> None:
        if found is None:
            self._report(error, "sign-in")
            self._session.refuse_sign_in(is_temporary=True)
        else:
            sign_in, self._inbox, maildrop = found
            if maildrop is None or sign_in.account is None:
                self._report_refusal(event, sign_in)
                outcome = sign_in.outcome
                reason = "" if outcome.rule == WRONG.rule else outcome.public_text
                self._session.refuse_sign_in(is_temporary=outcome.is_temporary, reason=reason)
            else:
                self._account = sign_in.account.address
                self.signed_in(self._account)
                self.idle_limit = self.settings.get(IDLE_TIMEOUT, account=self._account)
                self.telemetry.event(
                    "auth.granted", account=self._account, mechanism=event.mechanism, peer=self.peer_host
                )
                self.telemetry.event("pop3.signed_in", account=self._account, messages=maildrop.count)
                self._session.open_maildrop(maildrop)
        self._go_on()

    def _on_message(self, event: MessageRequested) -> None:
        self._is_waiting = True
        self.run(self._send_message(event), lambda _, error: self._message_sent(error))

    async def _send_message(self, event: MessageRequested) -> None:
        assert self._inbox is not None
        session = self._session
        inbox = self._inbox
        message = await find_message(self._store, inbox.account, inbox.id, event.uid)
        if message is None:
            session.refuse(is_gone=True)
            return
        async with aclosing(read_message(self._store, message, event.lines)) as chunks:
            first = await anext(chunks, b"")  # what cannot be read at all is refused before anything was promised
            session.begin_message(message.size if event.lines is None else None)
            session.add_content(first)
            async for chunk in chunks:
                session.add_content(chunk)
                if session.is_held:
                    self._flush()
                    await self.drained()
                    self.touch()
        session.end_message()

    def _message_sent(self, error: BaseException | None) -> None:
        if error is not None and not self.is_closing:
            self._report(error, "message")
            if self._session.is_sending:
                self.abort("failed")
                return
            self._session.refuse()
        self._go_on()

    def _on_deletions(self, event: DeletionsRequested) -> None:
        assert self._inbox is not None
        self._is_waiting = True
        self.run(
            remove_messages(self._store, self._inbox, event.uids),
            lambda _, error: self._deleted(len(event.uids), error),
            kept=True,
        )

    def _deleted(self, count: int, error: BaseException | None) -> None:
        if error is None:
            self.telemetry.event("pop3.updated", account=self._account, deleted=count)
        else:
            self._report(error, "deletions")
        self._session.deletions_done(succeeded=error is None)
        self._go_on()

    def _on_starttls(self, event: StartTlsRequested) -> None:
        self._flush()
        self.start_tls(early=event.early)

    def _on_ending(self, event: ConnectionEnding) -> None:
        self._flush()
        self.close("quit" if event.is_quit else "abuse")

    # ---- reports ----------------------------------------------------------------------------------------------

    def _report_refusal(self, event: CredentialsOffered, sign_in: SignIn) -> None:
        self.telemetry.event(
            "auth.refused",
            level="warning",
            login=event.login[:256],
            mechanism=event.mechanism,
            peer=self.peer_host,
            rule=sign_in.outcome.rule,
            reason=sign_in.outcome.detail or sign_in.outcome.public_text,
        )

    def _report(self, error: BaseException | None, what: str) -> None:
        """Report an error of ours, in full where it is not one that is expected to happen."""
        trace = "" if isinstance(error, Fault) or error is None else "".join(traceback.format_exception(error))
        self.telemetry.event(
            "pop3.failed", level="error", what=what, error=f"{type(error).__name__}: {error}", trace=trace
        )


_HANDLERS: dict[type, Callable[[Pop3Door, Any], None]] = {
    CredentialsOffered: Pop3Door._on_credentials,  # noqa: SLF001  (the table of this class)
    MessageRequested: Pop3Door._on_message,  # noqa: SLF001
    DeletionsRequested: Pop3Door._on_deletions,  # noqa: SLF001
    StartTlsRequested: Pop3Door._on_starttls,  # noqa: SLF001
    ConnectionEnding: Pop3Door._on_ending,  # noqa: SLF001
}
