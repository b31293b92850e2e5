"""Notices that we write ourselves (bounces, delays, confirmations): from their text to the value that delivers them.

A notice has the null reverse-path and is delivered like any mail: filed where its recipient is ours, queued where he
is not. One that reaches nobody is dropped, for a notice about a notice would never end (RFC 5321 §6.1, RFC 3464 §2).
The courier commits it together with the result that it tells of.
Tests: ``tests/unit/services/reception/test_transaction.py``.
"""

from __future__ import annotations

from posthouse.config.definitions.queue import BOUNCE_LIFETIME
from posthouse.config.settings import Settings
from posthouse.core.address import Address
from posthouse.core.clock import Clock
from posthouse.core.envelope import Notify, RcptParameters, Recipient
from posthouse.core.ids import QueueId, format_queue_id
from posthouse.message.scan import scan
from posthouse.message.trace import format_delivered_to, format_return_path
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.routing.decisions import Routed
from posthouse.services.routing.router import Router
from posthouse.store.values import Delivery, Filing, JourneyEntry, NewEmail, QueuedRecipient, QueueEntry

_NEVER = RcptParameters(notify=Notify.NEVER)  # RFC 3461 §5.2.9: a DSN about a DSN is not sent


class NoticePlanner:
    """Plans notices; one for each worker."""

    def __init__(self, router: Router, queue_ids: QueueIds, settings: Settings, clock: Clock) -> None:
        self._router = router
        self._queue_ids = queue_ids
        self._settings = settings
        self._clock = clock

    async def plan_notice(
        self, content: bytes, to: Address, *, about: QueueId, kind: str = "failure"
    ) -> Delivery | None:
        """Return the value that delivers a notice, or None where its recipient reaches nobody.

        Args:
            content: the whole message.
            to: the reverse-path of the message it tells of.
            about: the queue id of that message.
            kind: ``failure``, ``delay`` or ``success``, for the journey.

        Raises Unavailable where the directory cannot be read.
        """
        routed = await self._router.route(Recipient(to, _NEVER))
        if routed.refusal is not None:
            return None
        now = self._clock.now()
        queue_id = self._queue_ids.next()
        scanned = scan(content)
        return Delivery(
            email=NewEmail(content=content, facts=scanned.facts()),
            queue_id=queue_id,
            filings=_filings(routed, now),
            queue=self._queue_entry(routed, now),
            journey=(_entry(queue_id, now, routed, about, kind),),
        )

    def _queue_entry(self, routed: Routed, now: float) -> QueueEntry | None:
        if not routed.remote:
            return None
        recipients = tuple(
            QueuedRecipient(address=str(each.address), destination=each.destination, notify="NEVER", next_attempt=now)
            for each in routed.remote
        )
        return QueueEntry(
            reverse_path="",
            recipients=recipients,
            expires=now + self._settings.get(BOUNCE_LIFETIME),
            body_type="8BITMIME",
            smtputf8=not all(each.address.isascii() for each in recipients),
        )


def _filings(routed: Routed, now: float) -> tuple[Filing, ...]:
    return tuple(
        Filing(
            account=each.account.id,
            prefix=format_return_path("") + format_delivered_to(each.address),
            internal_date=int(now),
        )
        for each in routed.local
    )


def _entry(queue_id: QueueId, now: float, routed: Routed, about: QueueId, kind: str) -> JourneyEntry:
    to = str(routed.recipient.address)
    record = {
        "kind": kind,
        "about": format_queue_id(about),
        "to": to,
        "local": [each.account.address for each in routed.local],
        "remote": [[str(each.address), each.destination] for each in routed.remote],
    }
    return JourneyEntry(queue_id=queue_id, at=now, step=steps.NOTICE, record=record, keys=(to.lower(),))
