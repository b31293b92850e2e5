"""The courier on the real store and on uvloop: queued, relayed, bounced with a real DSN, and nothing left behind."""

import asyncio
import email
import email.policy

import pytest
from assemble import RelayParts, build_courier
from peer import Peer

from posthouse.config.settings import Settings
from posthouse.message.scan import scan
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.relay.hosts import Self
from posthouse.store.sqlite.engine import SqliteStore
from posthouse.store.values import Delivery, NewEmail, QueuedRecipient, QueueEntry
from posthouse.telemetry.log import null_telemetry
from posthouse.testing.clock import FakeClock
from posthouse.testing.resolver import FakeResolver

uvloop = pytest.importorskip("uvloop")
CONTENT = b"From: me@house.test\r\nSubject: hello\r\n\r\nbody\r\n"


async def _relay(home):
    clock = FakeClock()
    (home / "run").mkdir()
    store = SqliteStore(home / "store.db", worker=1, home=home, clock=clock)
    await store.open()
    peer = await Peer(**{"rcpt_to:<bad": "550 5.1.1 No such user"}).start()
    notices = []

    class Planner:
        async def plan_notice(self, content, to, *, about, kind="failure"):
            notices.append(content)

    ids = QueueIds(clock, 1)
    courier = build_courier(
        RelayParts(
            store=store,
            settings=Settings(),
            clock=clock,
            telemetry=null_telemetry(),
            resolver=FakeResolver({}, {"peer.test": ["127.0.0.1"]}),
            planner=Planner(),
            queue_ids=ids,
            own=Self("house.test"),
            lease_owner="w1",
        )
    )
    await courier.start()
    queue_id = ids.next()
    recipients = tuple(
        QueuedRecipient(
            address=f"{name}@example.org", destination=f"host:peer.test:{peer.port}", next_attempt=clock.now()
        )
        for name in ("good", "bad")
    )
    await store.commit(
        Delivery(
            email=NewEmail(content=CONTENT, facts=scan(CONTENT).facts()),
            queue_id=queue_id,
            queue=QueueEntry(reverse_path="me@house.test", recipients=recipients, expires=clock.now() + 999),
        )
    )
    async with asyncio.timeout(5):
        while await store.next_due() is not None:  # noqa: ASYNC110  (the store has no event for this)
            await asyncio.sleep(0.005)
    await courier.stop()
    await peer.stop()
    told = sorted(entry.step for entry in await store.journey(queue_id))
    findings = await store.verify()
    await store.close()
    return peer, notices, told, findings


def test_a_message_goes_out_and_its_failure_comes_back(tmp_path):
    """One recipient is delivered, the other one is told of in a DSN that a mail reader understands."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        peer, notices, told, findings = runner.run(_relay(tmp_path))
    assert peer.messages == [CONTENT]
    assert told == [steps.DELIVERED, steps.FAILED]
    assert findings == []
    (notice,) = notices
    report = email.message_from_bytes(notice, policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    assert report["To"] == "me@house.test"
    assert b"5.1.1" in notice
    assert b"bad@example.org" in notice
    assert b"good@example.org" not in notice.split(b"message/delivery-status")[1]
    assert b"Subject: hello" in notice
