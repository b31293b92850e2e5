"""From decisions to the values of one commit: results, journey, and the notices that tell of them.

A message's results and its DSN are written together, so that neither exists without the other. A notice that reaches
nobody (its reverse-path is refused by our own directory) leaves the results alone, and the journey says so.
Tests: ``tests/unit/services/relay/test_record.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from posthouse.core.address import Address, parse_address
from posthouse.core.clock import Clock
from posthouse.core.errors import SyntaxFault
from posthouse.core.ids import BodyId, QueueId
from posthouse.message.dsn import DsnWords, is_returned_whole
from posthouse.services.delivery.notice import Report, WritesReports
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.queue.bounce import Decision, Notice, NoticeKind, compose, dsn_recipients, gather, returns_whole
from posthouse.store.contract import Store
from posthouse.store.values import Change, Delivery, JourneyEntry, QueueResult, RecipientState

HEAD = 64 * 1024  # octets of a message from which its header section is taken
CHUNK = 256 * 1024

_KIND_NAMES = {NoticeKind.FAILURE: "failure", NoticeKind.DELAY: "delay", NoticeKind.RELAYED: "success"}
_STEPS = {
    RecipientState.DELIVERED: steps.DELIVERED,
    RecipientState.FAILED: steps.FAILED,
    RecipientState.WAITING: steps.ATTEMPTED,
}


class PlansNotices(Protocol):
    """``services.delivery.notice.NoticePlanner``."""

    async def plan_notice(
        self, content: bytes, to: Address, *, about: QueueId, kind: str = "failure"
    ) -> Delivery | None:
        """Return the value that delivers a notice, or None where it reaches nobody."""
        ...


def journey_entry(decision: Decision, now: float) -> JourneyEntry:
    """Return the step that tells of a decision."""
    attempt = decision.attempt
    record: dict[str, Any] = {"to": attempt.row.address, "host": attempt.host, "outcome": attempt.outcome.as_record()}
    if decision.result.state is RecipientState.FAILED and not attempt.row.reverse_path:
        record["note"] = "not bounced: the reverse-path is null"
    step = steps.EXPIRED if decision.expired else _STEPS[decision.result.state]
    return JourneyEntry(queue_id=attempt.row.queue_id, at=now, step=step, record=record)


def queue_result(decisions: Sequence[Decision], now: float) -> QueueResult:
    """Return the value that writes decisions with their journey."""
    journey = [journey_entry(decision, now) for decision in decisions]
    journey += [
        JourneyEntry(
            queue_id=decision.attempt.row.queue_id,
            at=now,
            step=steps.DELAYED,
            record={"to": decision.attempt.row.address},
        )
        for decision in decisions
        if decision.notice is NoticeKind.DELAY
    ]
    return QueueResult(results=tuple(decision.result for decision in decisions), journey=tuple(journey))


class NoticeWriter:
    """Writes decisions that owe somebody a notice.

    Args:
        store: where messages are read and results are written.
        planner: knows where a notice goes.
        queue_ids: makes the notices' Message-IDs unique.
        clock: tells the time.
        hostname: our name in the DSN.
        writer: has words for it; None for ours.
    """

    def __init__(
        self,
        store: Store,
        planner: PlansNotices,
        queue_ids: QueueIds,
        clock: Clock,
        *,
        hostname: str,
        writer: WritesReports | None = None,
    ) -> None:
        self._store = store
        self._planner = planner
        self._queue_ids = queue_ids
        self._clock = clock
        self._hostname = hostname
        self._writer = writer

    async def write(self, decisions: Sequence[Decision]) -> None:
        """Commit decisions of one message with the notices they owe. Raises StoreRefusal, Unavailable."""
        await self._store.commit(*await self.values(decisions))

    async def values(self, decisions: Sequence[Decision]) -> list[Change]:
        """Return what writes decisions of one message with the notices they owe, for one commit."""
        now = self._clock.now()
        values: list[Change] = [queue_result(decisions, now)]
        for notice in gather(decisions):
            delivery = await self._plan(notice, now)
            if delivery is not None:
                values.append(delivery)
        return values

    async def _plan(self, notice: Notice, now: float) -> Delivery | None:
        try:
            to = parse_address(notice.row.reverse_path)
        except SyntaxFault:
            return None
        original = await self._original(notice)
        content = compose(
            notice,
            queue_id=self._queue_ids.next(),
            hostname=self._hostname,
            now=now,
            original=original,
            words=await self._words(notice, original, now),
        )
        return await self._planner.plan_notice(content, to, about=notice.row.queue_id, kind=_KIND_NAMES[notice.kind])

    async def _words(self, notice: Notice, original: bytes, now: float) -> DsnWords | None:
        if self._writer is None:
            return None
        row = notice.row
        whole = is_returned_whole(original, full=returns_whole(notice), smtputf8=row.smtputf8)
        recipients = dsn_recipients(notice, now)
        return await self._writer.words(
            Report(to=row.reverse_path, recipients=recipients, arrival=row.received, is_whole=whole)
        )

    async def _original(self, notice: Notice) -> bytes:
        row = notice.row
        if returns_whole(notice):
            return await read_all(self._store, row.body, row.size)
        head = await self._store.read_body(row.body, 0, HEAD)
        end = head.find(b"\r\n\r\n")
        return head[: end + 4] if end >= 0 else head


async def read_all(store: Store, body: BodyId, size: int) -> bytes:
    """Return a whole body; for messages that may be held in memory."""
    pieces = []
    offset = 0
    while piece := await store.read_body(body, offset, max(size - offset, CHUNK)):
        pieces.append(piece)
        offset += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
