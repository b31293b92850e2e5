"""One mail transaction, from its reverse-path to the one commit (RFC 5321 §3.3, RFC 2033 §4.2).

    on_rcpt ... on_data -> on_content ... -> finish        abort at any moment

``finish`` answers for the message, or in LMTP for each recipient in the order they were granted. It never raises: a
failure of ours is 451 4.3.0 and leaves nothing written. What fails for some recipients of an SMTP message, after they
were granted, is reported to the reverse-path in the same commit. Tests: ``tests/unit/services/reception``.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from posthouse.config.definitions.queue import SOFT_BOUNCE
from posthouse.config.definitions.smtp import HIDE_CLIENT, RECEIVED_HOPS
from posthouse.config.settings import Settings
from posthouse.core.address import Address
from posthouse.core.clock import Clock
from posthouse.core.envelope import MailParameters, RcptParameters, Recipient
from posthouse.core.errors import Fault, Unavailable
from posthouse.core.ids import QueueId, format_queue_id
from posthouse.core.outcome import Outcome, done
from posthouse.message.facts import MessageFacts
from posthouse.message.headers import HeaderIndex
from posthouse.message.scan import scan
from posthouse.message.trace import format_received, hop_count
from posthouse.services.delivery.accepted import Accepted, AcceptedRecipient
from posthouse.services.delivery.service import DeliveryService
from posthouse.services.identity.client import ClientInfo, ListenerClass
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.reception.content import IncomingContent, complete_head
from posthouse.services.reception.loops import TOO_MANY_HOPS, delivered_before, without_loops
from posthouse.services.reception.recipients import RecipientRules
from posthouse.services.reception.room import RoomKeeper
from posthouse.services.reception.senders import TOO_BIG
from posthouse.services.routing.decisions import Refusal
from posthouse.store.contract import Store
from posthouse.store.spool import Spool
from posthouse.store.values import JourneyEntry, Note
from posthouse.telemetry.log import Telemetry

REFUSALS_TOLD: Final = 100  # refused recipients that a message's journey names

SEND_DATA = done("Start mail input; end with <CRLF>.<CRLF>", code=354)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionParts:
    """What every transaction of a worker shares; made by ``reception.Reception``."""

    hostname: str
    store: Store
    settings: Settings
    clock: Clock
    telemetry: Telemetry
    queue_ids: QueueIds
    recipients: RecipientRules
    delivery: DeliveryService


class Transaction:
    """One mail transaction; made by ``Reception.on_mail``, dropped after ``finish`` or ``abort``."""

    __slots__ = (
        "_accepted",
        "_at",
        "_client",
        "_content",
        "_parameters",
        "_parts",
        "_protocol",
        "_refused",
        "_reverse_path",
        "_sender_is_ours",
        "queue_id",
    )

    def __init__(
        self,
        parts: TransactionParts,
        client: ClientInfo,
        reverse_path: Address | None,
        parameters: MailParameters,
        *,
        sender_is_ours: bool,
    ) -> None:
        self._parts = parts
        self._client = client
        self._reverse_path = reverse_path
        self._parameters = parameters
        self._sender_is_ours = sender_is_ours
        self._accepted: list[AcceptedRecipient] = []
        self._refused: list[Refusal] = []
        self._content: IncomingContent | None = None
        self._protocol = ""
        self._at = 0.0
        self.queue_id: QueueId | None = None

    async def on_rcpt(self, address: Address, parameters: RcptParameters) -> Outcome:
        """Return the outcome of RCPT; a granted recipient is kept. Raises Unavailable."""
        decision = await self._parts.recipients.judge(
            self._client,
            Recipient(address, parameters),
            self._reverse_path,
            sender_is_ours=self._sender_is_ours,
            size=self._parameters.size or 0,
        )
        if decision.routed is not None:
            self._accepted.append(AcceptedRecipient(decision.outcome, decision.routed))
            return decision.outcome
        outcome = soften(decision.outcome, self._parts.settings)
        if len(self._refused) < REFUSALS_TOLD:
            self._refused.append(Refusal(str(address), outcome))
        report_refusal(self._parts.telemetry, self._client, self._reverse_path, str(address), outcome)
        return outcome

    def on_data(self, protocol: str) -> Outcome:
        """Begin to take content; ``protocol`` is the ``with`` word of the trace line."""
        self._protocol = protocol
        self._at = self._parts.clock.now()
        self.queue_id = self._parts.queue_ids.next()
        self._content = IncomingContent(self._parts.store.new_spool, self._finish_head)
        return SEND_DATA

    def on_content(self, data: bytes) -> None:
        """Take a piece of the mail data."""
        assert self._content is not None
        self._content.write(data)

    async def finish(self) -> tuple[Outcome, ...]:
        """File and queue the message; return one outcome, in LMTP one for each granted recipient. Never raises."""
        try:
            outcomes = await self._finish()
        except Fault as fault:
            outcomes = self._for_all(fault.outcome)
        except Exception as error:
            self._report_failure(error)
            outcomes = self._for_all(Unavailable(type(error).__name__, where="reception.finish").outcome)
        finally:
            self.abort()
        return outcomes

    def abort(self) -> None:
        """Drop what is held."""
        if self._content is not None:
            self._content.close()
            self._content = None

    # -- the end of data ----------------------------------------------------------------------------------------

    async def _finish(self) -> tuple[Outcome, ...]:
        assert self._content is not None
        assert self.queue_id is not None
        content = self._content.take()
        if isinstance(content, bytes):
            facts, hops, before = examine(content)
        else:
            facts, hops, before = await asyncio.to_thread(_examine_spool, content)
        if hops > self._parts.settings.get(RECEIVED_HOPS):
            return await self._refuse(TOO_MANY_HOPS)
        sender = self._client.account
        if sender is not None and not self._parts.recipients.room.takes(sender, facts.size):
            return await self._refuse(TOO_BIG)
        recipients, outcomes = await self._settle(before, facts.size)
        kept = tuple(each for each, outcome in zip(recipients, outcomes, strict=True) if outcome is None)
        if not kept:
            return await self._refuse(*(outcome for outcome in outcomes if outcome is not None))
        await self._parts.delivery.deliver(self._as_accepted(content, facts, kept, outcomes))
        await self._warn(kept, facts.size)
        accepted = done(f"Ok: queued as {format_queue_id(self.queue_id)}")
        if self._is_lmtp:
            return tuple(accepted if outcome is None else outcome for outcome in outcomes)
        return (accepted,)

    async def _settle(self, before: frozenset[str], size: int) -> tuple[list[AcceptedRecipient], list[Outcome | None]]:
        """What the content says about recipients that were granted; an outcome where one is refused after all."""
        recipients = self._accepted
        if before:
            recipients = [replace(each, routed=without_loops(each.routed, before)) for each in recipients]
        room = self._parts.recipients.room
        recipients = [await self._with_room(room, each, size) for each in recipients]
        return recipients, [each.routed.refusal for each in recipients]

    async def _with_room(self, room: RoomKeeper, recipient: AcceptedRecipient, size: int) -> AcceptedRecipient:
        routed = await room.without_full(recipient.routed, size)
        return recipient if routed is recipient.routed else replace(recipient, routed=routed)

    async def _warn(self, recipients: tuple[AcceptedRecipient, ...], size: int) -> None:
        """Warn owners whose mailboxes fill; the message is delivered, whatever comes of it."""
        try:
            for each in recipients:
                await self._parts.recipients.room.after_delivery(each.routed.local, size)
        except Fault as fault:
            self._parts.telemetry.event("account.quota_warning_failed", level="warning", error=fault.detail)

    def _as_accepted(
        self,
        content: bytes | Spool,
        facts: MessageFacts,
        kept: tuple[AcceptedRecipient, ...],
        outcomes: Sequence[Outcome | None],
    ) -> Accepted:
        assert self.queue_id is not None
        late = [refusal for each in kept for refusal in each.routed.refusals]
        if not self._is_lmtp and len(kept) < len(outcomes):
            late += [
                Refusal(str(each.routed.recipient.address), outcome)
                for each, outcome in zip(self._accepted, outcomes, strict=True)
                if outcome is not None
            ]
        return Accepted(
            queue_id=self.queue_id,
            at=self._at,
            client=self._client,
            protocol=self._protocol,
            reverse_path=self._reverse_path,
            parameters=self._parameters,
            recipients=kept,
            late_refusals=tuple(late),
            refused=tuple(self._refused),
            content=content,
            facts=facts,
        )

    async def _refuse(self, *outcomes: Outcome) -> tuple[Outcome, ...]:
        """Refuse the whole message, and tell it in the journey; a journey that cannot be written changes nothing."""
        assert self.queue_id is not None
        told = [str(each.routed.recipient.address) for each in self._accepted]
        softened = tuple(soften(outcome, self._parts.settings) for outcome in outcomes)
        report_refusal(self._parts.telemetry, self._client, self._reverse_path, ", ".join(told[:10]), softened[0])
        record = {"from": _text(self._reverse_path), "client": self._client.address, "to": told[:REFUSALS_TOLD]}
        entry = JourneyEntry(
            queue_id=self.queue_id,
            at=self._at,
            step=steps.REFUSED,
            record={**record, "outcome": softened[0].as_record()},
            keys=tuple(address.lower() for address in told[:REFUSALS_TOLD]),
        )
        try:
            await self._parts.store.commit(Note(journey=(entry,)))
        except Fault:
            pass
        return softened if self._is_lmtp and len(softened) == len(self._accepted) else self._for_all(softened[0])

    # -- small things -------------------------------------------------------------------------------------------

    @property
    def _is_lmtp(self) -> bool:
        return self._client.listener_class is ListenerClass.LMTP

    def _for_all(self, outcome: Outcome) -> tuple[Outcome, ...]:
        return (outcome,) * (len(self._accepted) if self._is_lmtp else 1)

    @property
    def _hides_client(self) -> bool:
        account = self._client.account
        return account is not None and self._parts.settings.get(HIDE_CLIENT, account=account.address)

    def _finish_head(self, head: bytes) -> bytes:
        """Put our trace line above the message, and complete what a client of ours submitted."""
        client = self._client
        assert self.queue_id is not None
        queue_id = format_queue_id(self.queue_id)
        only = str(self._accepted[0].routed.recipient.address) if len(self._accepted) == 1 else ""
        received = format_received(
            helo=client.helo,
            client_name="",
            client_address="" if self._hides_client else client.address,
            by=self._parts.hostname,
            protocol=self._protocol,
            queue_id=queue_id,
            at=self._at,
            for_recipient=only,
            tls=f"{client.tls.version} {client.tls.cipher}" if client.tls is not None else "",
        )
        if client.account is not None:
            message_id = f"{queue_id.lower()}@{self._parts.hostname}"
            head = complete_head(head, date=self._at, message_id=message_id)
        return received + head

    def _report_failure(self, error: Exception) -> None:
        self._parts.telemetry.event(
            "message.failed",
            level="error",
            session=self._client.session,
            queue_id=format_queue_id(self.queue_id) if self.queue_id is not None else "",
            error=type(error).__name__,
            trace="".join(traceback.format_exception(error)),
        )


def examine(content: bytes) -> tuple[MessageFacts, int, frozenset[str]]:
    """Scan a message once: its facts, its Received lines beside our own, where it was delivered to before."""
    scanned = scan(content)
    headers: HeaderIndex = scanned.headers
    return scanned.facts(), hop_count(headers) - 1, delivered_before(headers)


def _examine_spool(spool: Spool) -> tuple[MessageFacts, int, frozenset[str]]:
    with spool.map() as content:
        scanned = scan(content)
        found = scanned.facts(), hop_count(scanned.headers) - 1, delivered_before(scanned.headers)
        del scanned
        return found


def soften(outcome: Outcome, settings: Settings) -> Outcome:
    """Return a permanent refusal as a temporary one where ``queue.soft_bounce`` says so."""
    if not outcome.is_permanent or not settings.get(SOFT_BOUNCE):
        return outcome
    return replace(outcome, code=450, setting="queue.soft_bounce", detail=f"softened from {outcome.code}")


def report_refusal(
    telemetry: Telemetry, client: ClientInfo, reverse_path: Address | None, to: str, outcome: Outcome
) -> None:
    """Log a refusal with its reason."""
    telemetry.event(
        "message.refused",
        **{"from": _text(reverse_path)},
        session=client.session,
        to=to,
        peer=client.address,
        helo=client.helo,
        **outcome.as_record(),
    )


def _text(path: Address | None) -> str:
    return str(path) if path is not None else ""
