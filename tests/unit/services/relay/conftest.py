"""What the relay's tests share: a queue in memory that keeps the store's promises about leases, and rows."""

from dataclasses import replace

import pytest

from posthouse.core.errors import Unavailable
from posthouse.core.ids import BodyId, make_queue_id
from posthouse.store.rows import QueueRow
from posthouse.store.values import ClaimRecipients, Delivery, QueueResult, RecipientState, ReleaseLeases
from posthouse.testing.clock import FakeClock

ENDED = {RecipientState.DELIVERED, RecipientState.FAILED, RecipientState.REMOVED}


class _Notices:
    def __init__(self):
        self.callbacks = []

    def on_queue(self, callback):
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def on_directory(self, callback):
        return lambda: None

    on_retry = on_directory

    def tell(self):
        for callback in list(self.callbacks):
            callback()


class MemoryQueue:
    """The part of ``Store`` that the courier uses, over a dict."""

    def __init__(self):
        self.rows = {}
        self.ended = {}
        self.bodies = {}
        self.journey = []
        self.deliveries = []
        self.notices = _Notices()
        self.route_rows = []
        self.failures = []  # exceptions that the next commits raise
        self.commits = []

    def put(self, content, *rows):
        for given in rows:
            row = replace(given, size=len(content))
            self.rows[row.queue_id, row.number] = row
            self.bodies[row.body] = content
        return [self.rows[row.queue_id, row.number] for row in rows]

    async def commit(self, *changes):
        if self.failures:
            raise self.failures.pop(0)
        self.commits.append(changes)
        results = [self.apply(change) for change in changes]
        return results[0] if len(results) == 1 else tuple(results)

    def apply(self, change):
        if isinstance(change, ClaimRecipients):
            return self.claim(change)
        if isinstance(change, ReleaseLeases):
            held = [key for key, row in self.rows.items() if row.lease_owner == change.owner]
            for key in held:
                self.rows[key] = replace(self.rows[key], lease_owner="", lease_until=0.0)
            return len(held)
        if isinstance(change, QueueResult):
            self.journey += change.journey
            for result in change.results:
                self.finish(result)
            return None
        assert isinstance(change, Delivery)
        self.deliveries.append(change)
        return None

    def claim(self, change):
        due = [
            row
            for row in self.rows.values()
            if row.state is RecipientState.WAITING
            and row.next_attempt <= change.now
            and row.lease_until <= change.now
            and row.destination not in change.skip_destinations
        ]
        claimed = []
        for row in sorted(due, key=lambda row: row.next_attempt)[: change.limit]:
            leased = replace(row, lease_owner=change.owner, lease_until=change.lease_until)
            self.rows[row.queue_id, row.number] = leased
            claimed.append(leased)
        return claimed

    def finish(self, result):
        key = (result.queue_id, result.number)
        row = self.rows.pop(key)
        row = replace(
            row,
            state=result.state,
            next_attempt=result.next_attempt,
            last_reply=result.reply,
            attempts=row.attempts + result.attempted,
            lease_owner="",
            lease_until=0.0,
            delay_notified=row.delay_notified or result.delay_notified,
        )
        (self.ended if result.state in ENDED else self.rows)[key] = row

    async def next_due(self):
        times = [
            max(row.next_attempt, row.lease_until) for row in self.rows.values() if row.state is RecipientState.WAITING
        ]
        return min(times, default=None)

    async def read_body(self, body, offset, length):
        return self.bodies[body][offset : offset + length]

    async def routes(self):
        return self.route_rows

    def away(self, times=1):
        self.failures += [Unavailable("disk full")] * times


class FakePlanner:
    """Remembers what notices were planned; ``answers`` are exceptions to raise or None for "reaches nobody"."""

    def __init__(self):
        self.planned = []
        self.answers = []

    async def plan_notice(self, content, to, *, about, kind="failure"):
        self.planned.append((content, str(to), about, kind))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return Delivery(email=None, queue_id=about)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def queue_store():
    return MemoryQueue()


@pytest.fixture
def planner():
    return FakePlanner()


@pytest.fixture
def make_row(clock):
    """Makes rows; the n-th message has queue id n."""

    def make(message=1, number=1, **more):
        fields = {
            "queue_id": make_queue_id(int(clock.now() * 1e6) + message, 1),
            "number": number,
            "address": f"r{number}@example.org",
            "destination": "mx:example.org",
            "state": RecipientState.WAITING,
            "attempts": 0,
            "next_attempt": clock.now(),
            "lease_owner": "",
            "lease_until": 0.0,
            "last_reply": "",
            "notify": "",
            "orcpt": "",
            "delay_notified": False,
            "reverse_path": "a@house.test",
            "ret": "",
            "envid": "",
            "body_type": "8BITMIME",
            "smtputf8": False,
            "received": clock.now(),
            "expires": clock.now() + 432_000,
            "size": 0,
            "body": BodyId(message),
        }
        return QueueRow(**{**fields, **more})

    return make
