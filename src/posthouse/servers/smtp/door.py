"""The SMTP door: joins ``protocols.smtp`` to ``services.reception`` on one connection; LMTP and submission too.

Bytes go to the session, its events to the services, their outcomes back to it, its replies to the socket. Whatever
the services answer at once is answered in the same stack, so a pipelined group is one read and one write; while an
answer is awaited (a commit, a password check) what arrives waits in the session, and beyond its bound in the kernel.

Time: a client that completes nothing for ``smtp.idle_timeout`` is told 421, whatever it drips (RFC 5321 §4.5.3.2);
a message has ``smtp.data_timeout`` as a whole. A commit under way is always waited for.

Invariant: an error of ours is 451 4.3.0 for the command at hand, one event, and the session goes on.
Tests: ``tests/unit/servers/smtp/test_smtp_door.py``, ``tests/dialogues/smtp-server``.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from posthouse.config.definitions.smtp import DATA_TIMEOUT, IDLE_TIMEOUT
from posthouse.core import status
from posthouse.core.errors import Fault, Unavailable
from posthouse.core.outcome import Outcome, defer
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.protocols.smtp.masking import SmtpMask
from posthouse.protocols.smtp.session import SmtpSession
from posthouse.protocols.smtp.types import (
    ConnectionEnding,
    DataChunk,
    DataEnded,
    DataRefused,
    DataRequested,
    Event,
    HelloReceived,
    MailRequested,
    ProtocolAbuse,
    RcptRequested,
    ServiceClass,
    StartTlsRequested,
    TransactionReset,
)
from posthouse.servers.door import Door, DoorContext, ListenerInfo
from posthouse.servers.smtp.configs import SessionConfigs, service_class
from posthouse.services.identity.authentication import Authenticator, SignIn
from posthouse.services.identity.client import ClientInfo, ListenerClass, TlsInfo
from posthouse.services.reception.reception import MailDecision, Reception
from posthouse.services.reception.transaction import Transaction, report_refusal
from posthouse.store.directory_rows import AccountRow

_CLASSES: Final = {
    ServiceClass.MX: ListenerClass.MX,
    ServiceClass.SUBMISSION: ListenerClass.SUBMISSION,
    ServiceClass.LMTP: ListenerClass.LMTP,
}
TOO_MANY_CONNECTIONS: Final = defer(
    "Too many connections, try again later", code=421, detail_code=status.CONGESTION, rule="door.limit"
)

GIVING_UP: Final = defer("Local error in processing, closing connection", code=421, rule="bug")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServices:
    """What the doors of one listener share."""

    reception: Reception
    authenticator: Authenticator
    configs: SessionConfigs


def make_services(listener: ListenerInfo, reception: Reception, authenticator: Authenticator) -> SmtpServices:
    """Return the services for a listener; its doors are made by ``SmtpDoor(listener, context, services)``."""
    return SmtpServices(reception=reception, authenticator=authenticator, configs=SessionConfigs(listener))


class SmtpDoor(Door):
    """One SMTP or LMTP connection."""

    touches_on_bytes = False

    def __init__(self, listener: ListenerInfo, context: DoorContext, services: SmtpServices) -> None:
        super().__init__(listener, context)
        self._services = services
        self._session: SmtpSession
        self._transaction: Transaction | None = None
        self._client: ClientInfo | None = None
        self._account: AccountRow | None = None
        self._tls: TlsInfo | None = None
        self._is_esmtp = True
        self._is_waiting = False  # for the answer of a service
        self._is_pumping = False
        self._is_paused = False
        self._is_leaving = False  # the server stops; go when the message at hand is done
        self._data_since = 0.0
        self._ended_at = 0.0  # when the data of the message at hand had come
        self._farewell = "ended"

    # ---- hooks of Door ----------------------------------------------------------------------------------------

    def on_open(self) -> None:
        """Greet."""
        self.idle_limit = self.settings.get(IDLE_TIMEOUT)
        self._session = SmtpSession(self._services.configs.get(self.context, is_loopback=self.is_loopback))
        mask = self.watch(SmtpMask)
        if mask is not None:
            self._session.observe(mask)
        if self.is_secure:
            self._note_tls()
        self._session.greet()
        self._flush()

    def on_bytes(self, data: bytes) -> None:
        """Go through what arrived."""
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
        """Begin anew inside TLS (RFC 3207 §4.2)."""
        self._note_tls()
        self._account = None
        self._session.tls_started()
        self._pump()

    def on_idle(self) -> None:
        """Say 421 to a silent client; a client that waits for us is not silent."""
        if self._is_waiting:
            self.touch()
            return
        self._farewell = "idle"
        self._session.time_out()
        self._pump()
        self.close("idle")

    def on_sweep(self, now: float) -> None:
        """Look at the time of the message at hand too."""
        super().on_sweep(now)
        if self._data_since and not self._is_waiting and now - self._data_since > self.settings.get(DATA_TIMEOUT):
            self._data_since = 0.0
            self.on_idle()

    def on_drain(self) -> None:
        """Say 421 now, or when the message at hand is done."""
        self._is_leaving = True
        if not self._is_waiting and self._data_since == 0.0:
            self._leave()

    def on_closed(self) -> None:
        """Drop the transaction, unless it is being committed: then it ends by itself."""
        if self._transaction is not None and not self._is_waiting:
            self._transaction.abort()
        self._transaction = None

    def refusal(self, reason: str) -> bytes:
        """421 with our name."""
        session = SmtpSession(self._services.configs.get(self.context, is_loopback=self.is_loopback))
        session.refuse(TOO_MANY_CONNECTIONS)
        return session.data_to_send()

    # ---- events -----------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Take events until bytes, an answer or a peer that reads are awaited, then send what there is to send."""
        if self._is_pumping:
            return
        self._is_pumping = True
        session = self._session
        try:
            while not self._is_waiting and not self._is_full:
                event = session.next_event()
                if event is None:
                    break
                self._touched = self.context.sweep.now
                _HANDLERS[type(event)](self, event)
        except Exception as error:
            self._give_up(error)
        finally:
            self._is_pumping = False
        self._flush()
        must_pause = self._is_full or (self._is_waiting and session.is_full)
        if must_pause is not self._is_paused:
            self._is_paused = must_pause
            (self.pause if must_pause else self.resume)()
        if self._is_leaving and not self._is_waiting and self._data_since == 0.0:
            self._leave()

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data:
            self.send(data)

    def _go_on(self) -> None:
        """An answer has come: take the next event, unless the loop that asked is still running."""
        self._is_waiting = False
        if not self._is_pumping and not self.is_closing:
            self._pump()

    def _on_hello(self, event: HelloReceived) -> None:
        self._is_esmtp = event.verb != "HELO"
        self._client = None

    def _on_mail(self, event: MailRequested) -> None:
        self._is_waiting = True
        self.run(
            self._services.reception.on_mail(self._client or self._make_client(), event.reverse_path, event.parameters),
            self._mail_judged,
        )

    def _mail_judged(self, decision: MailDecision | None, error: BaseException | None) -> None:
        if decision is None:
            self._session.answer(self._outcome_of(error, "mail"))
        else:
            self._transaction = decision.transaction
            self._session.answer(decision.outcome)
        self._go_on()

    def _on_rcpt(self, event: RcptRequested) -> None:
        if self._transaction is None:
            self._session.answer(self._outcome_of(None, "rcpt"))
            return
        self._is_waiting = True
        self.run(self._transaction.on_rcpt(event.address, event.parameters), self._rcpt_judged)

    def _rcpt_judged(self, outcome: Outcome | None, error: BaseException | None) -> None:
        self._session.answer(outcome if outcome is not None else self._outcome_of(error, "rcpt"))
        self._go_on()

    def _on_data(self, event: DataRequested) -> None:
        if self._transaction is None:
            self._session.answer(self._outcome_of(None, "data"))
            return
        self._data_since = self.context.sweep.now
        self._session.answer(self._transaction.on_data(self._session.with_protocol))

    def _on_chunk(self, event: DataChunk) -> None:
        if self._transaction is not None:
            self._transaction.on_content(event.data)

    def _on_data_ended(self, event: DataEnded) -> None:
        if self._transaction is None:
            self._answer_message((self._outcome_of(None, "data"),))
            return
        self._is_waiting = True
        self._ended_at = self.context.clock.monotonic()
        self.run(self._transaction.finish(), self._message_done, kept=True)

    def _message_done(self, outcomes: tuple[Outcome, ...] | None, error: BaseException | None) -> None:
        self._transaction = None
        self._data_since = 0.0
        took = self.context.clock.monotonic() - self._ended_at
        self.context.metrics.histogram("posthouse_message_acceptance_seconds").observe(took)
        self._answer_message(outcomes if outcomes is not None else (self._outcome_of(error, "data"),))
        self._go_on()

    def _answer_message(self, outcomes: tuple[Outcome, ...]) -> None:
        session = self._session
        if not session.config.is_lmtp:
            session.answer(outcomes[0])
            return
        granted = len(session.envelope.recipients)
        session.answer_recipients(outcomes if len(outcomes) == granted else outcomes[:1] * granted)

    def _on_data_refused(self, event: DataRefused) -> None:
        report_refusal(self.telemetry, self._client or self._make_client(), None, "", event.outcome)
        self._drop()

    def _on_reset(self, event: TransactionReset) -> None:
        self._drop()

    def _on_credentials(self, event: CredentialsOffered) -> None:
        self._is_waiting = True
        client = self._client or self._make_client()
        self.run(
            self._services.authenticator.verify(event, client, protocol="smtp"),
            lambda sign_in, error: self._signed_in(event, sign_in, error),
        )

    def _signed_in(self, event: CredentialsOffered, sign_in: SignIn | None, error: BaseException | None) -> None:
        if sign_in is None:
            self._session.answer_auth(self._outcome_of(error, "auth", code=454))
        else:
            self._account = sign_in.actor
            self._client = None
            self._report_sign_in(event, sign_in)
            self._session.answer_auth(sign_in.outcome)
        self._go_on()

    def _on_starttls(self, event: StartTlsRequested) -> None:
        self._flush()
        self.start_tls()

    def _on_abuse(self, event: ProtocolAbuse) -> None:
        self.telemetry.event("smtp.abuse", level="warning", kind=event.kind.value, peer=self.peer_host)

    def _on_ending(self, event: ConnectionEnding) -> None:
        self._drop()
        self._flush()
        self.close("quit" if event.is_quit else self._farewell)

    # ---- small things -----------------------------------------------------------------------------------------

    def _drop(self) -> None:
        self._data_since = 0.0
        if self._transaction is not None:
            self._transaction.abort()
            self._transaction = None

    def _leave(self) -> None:
        self._is_leaving = False
        self._farewell = "drain"
        self._session.shutdown()
        self._pump()
        self.close("drain")

    def _give_up(self, error: Exception) -> None:
        """An error where no command can be answered for itself: 421, so that the client keeps its mail."""
        self._outcome_of(error, "session")
        self._drop()
        self._session.answer(GIVING_UP)
        self._session.answer_auth(GIVING_UP)
        self._session.shutdown()
        self._flush()
        self.close("failed")

    def _make_client(self) -> ClientInfo:
        session = self._session
        self._client = ClientInfo(
            address=self.peer_host,
            local_address=self.local_host,
            port=self.peer_port,
            listener=self.listener.name,
            listener_class=_CLASSES[service_class(self.listener)],
            tls=self._tls,
            helo=session.hello_name,
            esmtp=self._is_esmtp,
            account=self._account,
            session=self.session_id,
        )
        return self._client

    def _note_tls(self) -> None:
        cipher = self._transport.get_extra_info("cipher") if self._transport is not None else None
        self._tls = TlsInfo(cipher[1], cipher[0]) if cipher else TlsInfo("TLS", "")
        self._client = None

    def _report_sign_in(self, event: CredentialsOffered, sign_in: SignIn) -> None:
        peer, mechanism = self.peer_host, event.mechanism
        if sign_in.account is not None:
            self.signed_in(sign_in.account.address)
            self.telemetry.event("auth.granted", account=sign_in.account.address, mechanism=mechanism, peer=peer)
        else:
            self.telemetry.event(
                "auth.refused",
                level="warning",
                login=event.login[:256],
                mechanism=mechanism,
                peer=peer,
                rule=sign_in.outcome.rule,
                reason=sign_in.outcome.detail or sign_in.outcome.public_text,
            )

    def _outcome_of(self, error: BaseException | None, where: str, *, code: int = 451) -> Outcome:
        """What an error of ours is for the peer: temporary, always; for the log: everything."""
        if isinstance(error, Fault) and error.outcome.is_temporary and code == 451:
            return error.outcome
        trace = "".join(traceback.format_exception(error)) if error is not None else ""
        self.telemetry.event(
            "message.failed", level="error", error=f"{where}: {type(error).__name__}", trace=trace, queue_id=""
        )
        if code != 451:
            return defer(
                "Temporary authentication failure",
                code=code,
                detail_code=status.TEMPORARY_AUTHENTICATION_FAILURE,
                rule="auth.unavailable",
            )
        return Unavailable(where=f"smtp.{where}").outcome


_HANDLERS: Final[dict[type[Event], Callable[[SmtpDoor, Any], None]]] = {
    HelloReceived: SmtpDoor._on_hello,  # noqa: SLF001  (the table of the class above)
    MailRequested: SmtpDoor._on_mail,  # noqa: SLF001
    RcptRequested: SmtpDoor._on_rcpt,  # noqa: SLF001
    DataRequested: SmtpDoor._on_data,  # noqa: SLF001
    DataChunk: SmtpDoor._on_chunk,  # noqa: SLF001
    DataEnded: SmtpDoor._on_data_ended,  # noqa: SLF001
    DataRefused: SmtpDoor._on_data_refused,  # noqa: SLF001
    TransactionReset: SmtpDoor._on_reset,  # noqa: SLF001
    CredentialsOffered: SmtpDoor._on_credentials,  # noqa: SLF001
    StartTlsRequested: SmtpDoor._on_starttls,  # noqa: SLF001
    ProtocolAbuse: SmtpDoor._on_abuse,  # noqa: SLF001
    ConnectionEnding: SmtpDoor._on_ending,  # noqa: SLF001
}
