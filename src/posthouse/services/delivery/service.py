"""The one commit: a message filed in every local mailbox and queued for every remote recipient, or nothing of it.

After the commit the fresh queue rows, already leased, are handed to this worker's courier, and one event is reported.
Invariant: when ``deliver`` returns, the message is on stable storage; when it raises, nothing of it is.
Tests: ``tests/unit/services/reception/test_transaction.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from posthouse.config.definitions.queue import BOUNCE_LIFETIME, LIFETIME
from posthouse.config.settings import Settings
from posthouse.core.ids import format_queue_id, queue_id_time
from posthouse.services.delivery.accepted import Accepted
from posthouse.services.delivery.allowance import Allowances
from posthouse.services.delivery.plan import filings, queued_recipients, received_entry
from posthouse.services.delivery.report import Reporter
from posthouse.services.queue.handover import HandOver
from posthouse.store.contract import Store
from posthouse.store.rows import QueueRow
from posthouse.store.values import Change, Delivered, Delivery, NewEmail, QueuedRecipient, QueueEntry, RecipientState
from posthouse.telemetry.log import Telemetry

TOLD: Final = 100  # local recipients that an event names


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryParts:
    """What the service needs; made in the composition root."""

    store: Store
    settings: Settings
    hand_over: HandOver
    reporter: Reporter
    telemetry: Telemetry


class DeliveryService:
    """Commits accepted messages."""

    def __init__(self, parts: DeliveryParts) -> None:
        self._store = parts.store
        self._settings = parts.settings
        self._hand_over = parts.hand_over
        self._reporter = parts.reporter
        self._telemetry = parts.telemetry
        self._allowances = Allowances(parts.settings)

    async def deliver(self, accepted: Accepted) -> None:
        """Commit one message. Raises StoreRefusal, Unavailable: nothing was written."""
        delivery = Delivery(
            email=NewEmail(content=accepted.content, facts=accepted.facts),
            queue_id=accepted.queue_id,
            filings=filings(accepted),
            queue=self._queue_entry(accepted),
            journey=(received_entry(accepted),),
        )
        beside: list[Change] = self._allowances.spent(accepted)
        if accepted.late_refusals or _asks_for_report(accepted):
            beside.extend(await self._reporter.plan(accepted))
        if beside:
            results = await self._store.commit(delivery, *beside)
            self._after(accepted, delivery, results[0])
            return
        self._after(accepted, delivery, await self._store.commit(delivery))

    def _queue_entry(self, accepted: Accepted) -> QueueEntry | None:
        recipients = queued_recipients(accepted)
        if not recipients:
            return None
        parameters = accepted.parameters
        lifetime = LIFETIME if accepted.reverse_path is not None else BOUNCE_LIFETIME
        has_room = self._hand_over.has_room(accepted.facts.size, [each.destination for each in recipients])
        return QueueEntry(
            reverse_path=str(accepted.reverse_path) if accepted.reverse_path is not None else "",
            recipients=recipients,
            expires=accepted.at + self._settings.get(lifetime),
            ret=parameters.ret.value if parameters.ret is not None else "",
            envid=parameters.envid or "",
            body_type=parameters.body.value,
            smtputf8=parameters.smtputf8,
            lease_owner=self._hand_over.lease_owner if has_room else "",
            lease_until=self._hand_over.lease_until() if has_room else 0.0,
        )

    def _after(self, accepted: Accepted, delivery: Delivery, result: Delivered) -> None:
        entry = delivery.queue
        if entry is not None and entry.lease_owner:
            content = accepted.content if isinstance(accepted.content, bytes) else None
            self._hand_over.hand_over(_rows(accepted, entry, result), content)
        self._report(accepted, delivery)

    def _report(self, accepted: Accepted, delivery: Delivery) -> None:
        client = accepted.client
        fields: dict[str, Any] = {
            "session": client.session,
            "queue_id": format_queue_id(accepted.queue_id),
            "from": str(accepted.reverse_path) if accepted.reverse_path is not None else "",
            "peer": client.address,
            "size": accepted.facts.size,
            "recipients": len(accepted.recipients),
            "to": [str(each.routed.recipient.address) for each in accepted.recipients[:TOLD] if each.routed.local],
            "filed": len(delivery.filings),
            "queued": len(delivery.queue.recipients) if delivery.queue is not None else 0,
            "message_id": accepted.facts.message_id,
        }
        self._telemetry.event("message.received", **fields)
        if self._telemetry.wants("debug"):
            for recipient in accepted.recipients:
                for local in recipient.routed.local:
                    self._telemetry.event(
                        "message.filed",
                        level="debug",
                        queue_id=fields["queue_id"],
                        to=str(recipient.routed.recipient.address),
                        account=local.account.address,
                    )


def _asks_for_report(accepted: Accepted) -> bool:
    return any(recipient.routed.recipient.parameters.notify is not None for recipient in accepted.recipients)


def _rows(accepted: Accepted, entry: QueueEntry, result: Delivered) -> list[QueueRow]:
    """The rows as the store has just written them, so that nobody needs to read them back."""
    return [_row(accepted, entry, result, number, each) for number, each in enumerate(entry.recipients)]


def _row(accepted: Accepted, entry: QueueEntry, result: Delivered, number: int, recipient: QueuedRecipient) -> QueueRow:
    return QueueRow(
        queue_id=accepted.queue_id,
        number=number,
        address=recipient.address,
        destination=recipient.destination,
        state=RecipientState.WAITING,
        attempts=0,
        next_attempt=recipient.next_attempt,
        lease_owner=entry.lease_owner,
        lease_until=entry.lease_until,
        last_reply="",
        notify=recipient.notify,
        orcpt=recipient.orcpt,
        delay_notified=False,
        reverse_path=entry.reverse_path,
        ret=entry.ret,
        envid=entry.envid,
        body_type=entry.body_type,
        smtputf8=entry.smtputf8,
        received=queue_id_time(accepted.queue_id),
        expires=entry.expires,
        size=accepted.facts.size,
        body=result.body,
    )
