"""Messages that we write ourselves (bounces, delays, what people are told): from their text to what delivers them.

A notice has the null reverse-path and is delivered like any mail: filed where its recipient is ours, queued where he
is not. One that reaches nobody is dropped, for a notice about a notice would never end (RFC 5321 §6.1, RFC 3464 §2).
The courier commits it together with the result that it tells of.
Tests: ``tests/unit/services/reception/test_transaction.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from posthouse.config.definitions.queue import BOUNCE_LIFETIME
from posthouse.config.settings import Settings
from posthouse.core.address import Address
from posthouse.core.clock import Clock
from posthouse.core.envelope import Notify, RcptParameters, Recipient
from posthouse.core.ids import QueueId, format_queue_id
from posthouse.message.dsn import DsnRecipient, DsnWords
from posthouse.message.scan import scan
from posthouse.message.trace import format_delivered_to, format_return_path
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.routing.decisions import Routed
from posthouse.services.routing.router import Router
from posthouse.store.values import Delivery, Filing, JourneyEntry, NewEmail, QueuedRecipient, QueueEntry

_NEVER = RcptParameters(notify=Notify.NEVER)  # RFC 3461 §5.2.9: a DSN about a DSN is not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that is to be put into words: to whom, about which recipients, of one kind all of them.

    ``arrival`` is when the message came in; ``is_whole`` whether the report returns all of it.
    """

    to: str
    recipients: Sequence[DsnRecipient]
    arrival: float
    is_whole: bool


class WritesReports(Protocol):
    """Says in the administrator's words, and the sender's language, what a report tells."""

    async def words(self, report: Report) -> DsnWords | None:
        """Return the words; None for those of ``message.dsn``. Raises Unavailable."""
        ...


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
        routed = await self.route(to)
        return self.planned(content, [routed], kind=kind, about=format_queue_id(about)) if routed is not None else None

    async def route(self, to: Address) -> Routed | None:
        """Return where a message of ours for an address goes; None where it reaches nobody. Raises Unavailable."""
        routed = await self._router.route(Recipient(to, _NEVER))
        return routed if routed.refusal is None else None

    def planned(self, content: bytes, routed: Sequence[Routed], *, kind: str, about: str = "") -> Delivery:
        """Return the value that delivers one message to all these recipients, each told of in the journey.

        Args:
            content: the whole message.
            routed: where each goes.
            kind: what the message is, for the journey.
            about: the queue id of the message it tells of; "" where it tells of none.
        """
        now = self._clock.now()
        queue_id = self._queue_ids.next()
        facts = scan(content).facts()
        journey = [_entry(queue_id, now, each, about, kind) for each in routed]
        if facts.message_id:
            journey[0] = replace(journey[0], keys=(*journey[0].keys, f"<{facts.message_id}>"))
        return Delivery(
            email=NewEmail(content=content, facts=facts),
            queue_id=queue_id,
            filings=_filings(routed, now),
            queue=self._queue_entry(routed, now),
            journey=tuple(journey),
        )

    def _queue_entry(self, routed: Sequence[Routed], now: float) -> QueueEntry | None:
        found = {str(each.address): each.destination for one in routed for each in one.remote}
        if not found:
            return None
        recipients = tuple(
            QueuedRecipient(address=address, destination=destination, notify="NEVER", next_attempt=now)
            for address, destination in found.items()
        )
        return QueueEntry(
            reverse_path="",
            recipients=recipients,
            expires=now + self._settings.get(BOUNCE_LIFETIME),
            body_type="8BITMIME",
            smtputf8=not all(each.address.isascii() for each in recipients),
        )


def _filings(routed: Sequence[Routed], now: float) -> tuple[Filing, ...]:
    found = {each.account.id: each for one in routed for each in one.local}
    return tuple(
        Filing(
            account=account,
            prefix=format_return_path("") + format_delivered_to(each.address),
            internal_date=int(now),
        )
        for account, each in found.items()
    )


def _entry(queue_id: QueueId, now: float, routed: Routed, about: str, kind: str) -> JourneyEntry:
    to = str(routed.recipient.address)
    record = {
        "kind": kind,
        "about": about,
        "to": to,
        "local": [each.account.address for each in routed.local],
        "remote": [[str(each.address), each.destination] for each in routed.remote],
    }
    return JourneyEntry(queue_id=queue_id, at=now, step=steps.NOTICE, record=record, keys=(to.lower(),))
