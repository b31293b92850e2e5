"""Collects what attempts came to, and commits it in groups.

While one commit is under way results gather; then all of them go in the next one. Results that owe a notice are
written message by message, together with the notice, many at once. Nothing is forgotten: where the store cannot write
now the results are kept and tried again, and if this process dies first, the lease ends and the attempt is repeated
(at least once). A message whose notice cannot be planned for a reason of ours waits in the queue; it is never lost.

Tests: ``tests/unit/services/relay/test_record.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.core.errors import Fault, Unavailable
from posthouse.core.ids import QueueId, format_queue_id
from posthouse.core.outcome import defer
from posthouse.services.queue.bounce import Attempt, Decision, decide, describe, format_reply
from posthouse.services.queue.schedule import queue_policy
from posthouse.services.relay.notices import NoticeWriter, queue_result
from posthouse.store.contract import Store, StoreRefusal
from posthouse.store.rows import QueueRow
from posthouse.store.values import QueueResult, RecipientResult, RecipientState
from posthouse.telemetry.log import Telemetry

NOTICES_AT_ONCE = 64
NOTICE_PAUSE = 300.0  # seconds until a recipient whose notice could not be made is judged again
STORE_PAUSE = 1.0  # seconds until results are tried again after the store could not write
NOT_RECORDED = defer("Local error in processing", rule="relay.record")

_EVENTS = {
    RecipientState.DELIVERED: ("relay.sent", "info"),
    RecipientState.WAITING: ("relay.deferred", "info"),
    RecipientState.FAILED: ("relay.failed", "info"),
}


class Recorder:
    """Writes results; one for each courier.

    Args:
        store: where results go.
        notices: writes those that owe a notice.
        settings: schedule, lifetime, soft bounce.
        clock: tells the time.
        telemetry: where each result is reported.
    """

    def __init__(
        self, store: Store, notices: NoticeWriter, settings: Settings, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._store = store
        self._notices = notices
        self._settings = settings
        self._clock = clock
        self._telemetry = telemetry
        self._plain: list[Decision] = []
        self._noticed: dict[QueueId, list[Decision]] = {}
        self._given_back: list[RecipientResult] = []
        self._task: asyncio.Task[None] | None = None
        self.pause = STORE_PAUSE

    def add(self, attempts: Sequence[Attempt]) -> None:
        """Take the attempts of a transaction; quick, never waits."""
        now = self._clock.now()
        policy = queue_policy(self._settings)
        for attempt in attempts:
            decision = decide(attempt, policy, now)
            self._report(decision, now)
            if decision.notice is None:
                self._plain.append(decision)
            else:
                self._noticed.setdefault(attempt.row.queue_id, []).append(decision)
        self._wake()

    def give_back(self, rows: Sequence[QueueRow], *, at: float) -> None:
        """Give leases back without an attempt, so that anybody may claim the recipients from ``at`` on."""
        self._given_back += [
            RecipientResult(
                queue_id=row.queue_id,
                number=row.number,
                state=RecipientState.WAITING,
                next_attempt=at,
                reply=row.last_reply,
                attempted=False,
            )
            for row in rows
        ]
        self._wake()

    def _wake(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write_all())
            self._task.add_done_callback(self._ended)

    async def drained(self) -> None:
        """Return when everything that was added is on stable storage (or refused by it)."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._telemetry.event("relay.record_failed", level="error", error=repr(error), results=self._waiting())

    def _waiting(self) -> int:
        return len(self._plain) + sum(map(len, self._noticed.values()))

    async def _write_all(self) -> None:
        # The tail of the loop runs without suspension, so an ``add`` after the last look finds no task and makes one.
        while self._plain or self._noticed or self._given_back:
            if self._given_back:
                await self._write_given_back()
            if self._plain:
                batch, self._plain = self._plain, []
                await self._write_plain(batch)
            groups = [self._noticed.pop(key) for key in list(self._noticed)[:NOTICES_AT_ONCE]]
            if groups:
                await asyncio.gather(*(self._write_noticed(group) for group in groups))

    async def _write_plain(self, batch: list[Decision]) -> None:
        try:
            await self._store.commit(queue_result(batch, self._clock.now()))
        except StoreRefusal as refusal:
            if len(batch) == 1:
                self._refused(batch, refusal)
                return
            for decision in batch:
                await self._write_plain([decision])
        except Unavailable as fault:
            await self._store_away(fault)
            self._plain = batch + self._plain

    async def _write_given_back(self) -> None:
        batch, self._given_back = self._given_back, []
        try:
            await self._store.commit(QueueResult(results=tuple(batch)))
        except Fault as fault:  # the leases end by themselves
            self._telemetry.event("relay.record_failed", level="warning", error=fault.detail, results=len(batch))

    async def _write_noticed(self, group: list[Decision]) -> None:
        try:
            await self._notices.write(group)
        except Unavailable as fault:
            await self._store_away(fault)
            self._noticed[group[0].attempt.row.queue_id] = group + self._noticed.get(group[0].attempt.row.queue_id, [])
        except Exception as error:
            # The notice cannot be made (a refusal of the store, an error of ours): the recipients wait and are judged
            # again at the next attempt, for without the notice they must not end.
            self._refused(group, error)
            self._plain += [self._without_notice(decision) for decision in group]

    def _without_notice(self, decision: Decision) -> Decision:
        attempt, result = decision.attempt, decision.result
        if result.state is RecipientState.DELIVERED:
            return Decision(attempt, result)  # sending it again would be worse than a confirmation that is missing
        waiting = Attempt(attempt.row, NOT_RECORDED.because(describe(attempt)), attempt.host, counts=attempt.counts)
        later = RecipientResult(
            queue_id=result.queue_id,
            number=result.number,
            state=RecipientState.WAITING,
            next_attempt=self._clock.now() + NOTICE_PAUSE,
            reply=result.reply,
            attempted=attempt.counts,
        )
        return Decision(waiting, later)

    async def _store_away(self, fault: Fault) -> None:
        self._telemetry.event("relay.record_failed", level="warning", error=fault.detail, results=self._waiting())
        await asyncio.sleep(self.pause)

    def _refused(self, group: Sequence[Decision], error: Exception) -> None:
        detail = error.detail if isinstance(error, Fault) else repr(error)
        row = group[0].attempt.row
        self._telemetry.event(
            "relay.record_failed",
            level="error",
            queue_id=format_queue_id(row.queue_id),
            error=detail,
            results=len(group),
        )

    def _report(self, decision: Decision, now: float) -> None:
        name, level = _EVENTS[decision.result.state]
        if not self._telemetry.wants(level):
            return
        attempt = decision.attempt
        self._telemetry.event(
            name,
            level=level,
            queue_id=format_queue_id(attempt.row.queue_id),
            **{"from": attempt.row.reverse_path},
            to=attempt.row.address,
            size=attempt.row.size,
            relay=attempt.host,
            delay=now - attempt.row.received,
            enhanced=attempt.outcome.enhanced,
            reply=format_reply(attempt.outcome),
        )
        if decision.result.state is RecipientState.FAILED and not attempt.row.reverse_path:
            self._telemetry.event(
                "queue.bounce_dropped", queue_id=format_queue_id(attempt.row.queue_id), to=attempt.row.address
            )
