"""What a transaction writes: trace lines, completion, reports, journey, hand-over; large messages; late refusals."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from posthouse.core import limits
from posthouse.core.address import parse_address
from posthouse.core.envelope import MailParameters, Notify, RcptParameters, Ret
from posthouse.core.ids import queue_id_time
from posthouse.core.outcome import Outcome
from posthouse.services.identity.client import ClientInfo, ListenerClass, TlsInfo
from posthouse.services.journey import steps
from posthouse.services.journey.story import Journey
from posthouse.store.rows import QueueRow
from posthouse.store.spool import Spool
from posthouse.store.values import Delivery, Note
from posthouse.testing.smtp_house import House

STRANGER = ClientInfo(
    address="192.0.2.1", helo="client.test", listener="mx", listener_class=ListenerClass.MX, session="s1"
)
MESSAGE = b"From: eve@far.test\r\nMessage-ID: <one@far.test>\r\nSubject: hi\r\n\r\nbody\r\n"


class RecordingHandOver:
    """Takes everything."""

    lease_owner = "worker-1"

    def __init__(self) -> None:
        self.taken: list[tuple[list[QueueRow], bytes | None]] = []

    def has_room(self, size: int = 0, destinations=()) -> bool:
        return True

    def lease_until(self) -> float:
        return 1_700_000_600.0

    def hand_over(self, rows: Any, content: bytes | None) -> None:
        self.taken.append((list(rows), content))


async def send(
    house: House,
    *recipients: str,
    client: ClientInfo = STRANGER,
    sender: str = "eve@far.test",
    content: bytes = MESSAGE,
    parameters: MailParameters | None = None,
    notify: Notify | None = None,
    piece: int = 100_000,
) -> list[Outcome]:
    """Send a message; return the outcomes of its recipients and then of its end."""
    reverse_path = parse_address(sender) if sender else None
    decision = await house.reception.on_mail(client, reverse_path, parameters or MailParameters())
    transaction = decision.transaction
    assert transaction is not None, decision.outcome
    outcomes = [
        await transaction.on_rcpt(parse_address(each), RcptParameters(notify=notify, orcpt=f"rfc822;{each}"))
        for each in recipients
    ]
    assert transaction.on_data("ESMTP").code == 354
    for start in range(0, len(content), piece):
        transaction.on_content(content[start : start + piece])
    return [*outcomes, *await transaction.finish()]


def octets(delivery: Delivery) -> bytes:
    content = delivery.email.content
    return content if isinstance(content, bytes) else b"".join(content.chunks())


async def test_one_recipient_is_filed_with_its_trace(tmp_path: Path) -> None:
    """The stored body starts with our Received line; Return-Path and Delivered-To are the filing's own."""
    house = House(tmp_path)
    outcomes = await send(house, "ann+x@house.test")
    assert [each.code for each in outcomes] == [250, 250]
    (delivery,) = house.deliveries()
    (filing,) = delivery.filings
    assert filing.prefix == b"Return-Path: <eve@far.test>\r\nDelivered-To: ann+x@house.test\r\n"
    assert filing.internal_date == int(house.clock.now())
    body = octets(delivery)
    assert body.startswith(b"Received: from client.test ([192.0.2.1])\r\n\tby mail.house.test with ESMTP id ")
    assert b"for <ann+x@house.test>" in body
    assert body.endswith(MESSAGE)
    assert delivery.email.facts.size == len(body)
    assert delivery.queue is None


async def test_several_recipients_are_not_named_in_the_trace(tmp_path: Path) -> None:
    """A Received line that named a blind copy would give it away."""
    house = House(tmp_path)
    await send(house, "ann@house.test", "bob@house.test", "sales@house.test")
    (delivery,) = house.deliveries()
    assert b"for <" not in octets(delivery)
    assert [filing.account for filing in delivery.filings] == [1, 2]


async def test_the_journey_tells_the_reasons(tmp_path: Path) -> None:
    """One entry tells client, reasons and places, and can be found by each address and the Message-ID."""
    house = House(tmp_path)
    await send(house, "Team@house.test", "nobody@house.test", "x@gate.test")
    (delivery,) = house.deliveries()
    (entry,) = delivery.journey
    assert entry.step == steps.RECEIVED
    assert set(entry.keys) == {
        "eve@far.test",
        "<one@far.test>",
        "team@house.test",
        "nobody@house.test",
        "x@gate.test",
    }
    (told,) = await Journey(house.store).story(delivery.queue_id)
    size = delivery.email.facts.size
    assert told.words == (
        f"accepted from 192.0.2.1 (client.test) by ESMTP on mx: {size} octets from <eve@far.test>, Message-ID <one@far.test>",
        "granted <Team@house.test>, because the domain is ours (relay.own_domain)",
        "filed for ann@house.test",
        "queued for <out@far.test> by mx:far.test",
        "granted <x@gate.test>, because a route lets anyone send to that domain (relay.relay_domain)",
        "queued for <x@gate.test> by host:10.0.0.1:25",
        "refused <nobody@house.test>: 550 5.1.1 No such user here, because nobody has that address (recipient.unknown)",
    )


async def test_remote_recipients_are_queued_and_handed_over(tmp_path: Path) -> None:
    """Queue rows carry envelope, DSN parameters and lease, and the courier gets them after the commit."""
    hand_over = RecordingHandOver()
    house = House(tmp_path, hand_over=hand_over)
    parameters = MailParameters(ret=Ret.HDRS, envid="E1")
    await send(house, "team@house.test", "x@gate.test", parameters=parameters, notify=Notify.FAILURE | Notify.DELAY)
    (delivery,) = house.deliveries()
    entry = delivery.queue
    assert (entry.reverse_path, entry.ret, entry.envid) == ("eve@far.test", "HDRS", "E1")
    assert entry.expires == house.clock.now() + 5 * 86_400
    assert [(each.address, each.notify, each.orcpt) for each in entry.recipients] == [
        ("out@far.test", "FAILURE,DELAY", "rfc822;team@house.test"),
        ("x@gate.test", "FAILURE,DELAY", "rfc822;x@gate.test"),
    ]
    ((rows, content),) = hand_over.taken
    assert content == octets(delivery)
    assert [(row.number, row.address, row.destination) for row in rows] == [
        (0, "out@far.test", "mx:far.test"),
        (1, "x@gate.test", "host:10.0.0.1:25"),
    ]
    assert rows[0].lease_owner == entry.lease_owner == "worker-1"
    assert rows[0].received == queue_id_time(delivery.queue_id)


async def test_without_room_rows_have_no_lease(tmp_path: Path) -> None:
    """Where the courier has no room the rows wait in the store."""
    house = House(tmp_path)
    await send(house, "x@gate.test")
    (delivery,) = house.deliveries()
    assert (delivery.queue.lease_owner, delivery.queue.lease_until) == ("", 0.0)
    assert delivery.filings == ()


async def test_submission_completes_the_message(tmp_path: Path) -> None:
    """Date and Message-ID are added, Bcc is removed, all below our Received line (RFC 6409 §8)."""
    house = House(tmp_path)
    ann = await house.store.account("ann@house.test")
    client = ClientInfo(
        address="192.0.2.1",
        helo="laptop",
        listener_class=ListenerClass.SUBMISSION,
        account=ann,
        tls=TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    )
    content = b"From: ann@house.test\r\nBcc: secret@far.test,\r\n other@far.test\r\nSubject: hi\r\n\r\nbody\r\n"
    outcomes = await send(house, "secret@far.test", client=client, sender="ann@house.test", content=content)
    assert [each.code for each in outcomes] == [250, 250]
    (delivery,) = house.deliveries()
    body = octets(delivery)
    assert body.startswith(b"Received: ")
    assert b"Bcc" not in body
    assert b"other@far.test" not in body
    assert b"\r\nDate: " in body
    assert b"TLSv1.3" in body
    assert delivery.email.facts.message_id.endswith("@mail.house.test")
    assert body.endswith(b"Subject: hi\r\n\r\nbody\r\n")


@pytest.mark.parametrize("content", [b"", b"\r\nbody\r\n", b"no header at all\r\n", b"Subject: only a header\r\n"])
async def test_submission_of_odd_messages(tmp_path: Path, content: bytes) -> None:
    """Messages without header or body are completed too, and nothing of them is lost."""
    house = House(tmp_path)
    ann = await house.store.account("ann@house.test")
    client = ClientInfo(address="192.0.2.1", listener_class=ListenerClass.SUBMISSION, account=ann)
    outcomes = await send(house, "bob@house.test", client=client, sender="ann@house.test", content=content)
    assert outcomes[-1].code == 250
    (delivery,) = house.deliveries()
    assert octets(delivery).endswith(content)
    assert delivery.email.facts.message_id


async def test_large_messages_go_through_the_spool(tmp_path: Path) -> None:
    """A message over the inline limit is spooled with its trace line; the spool is closed after the commit."""
    house = House(tmp_path)
    seen: list[bytes] = []
    original = house.store.commit

    async def commit(*changes: Any) -> Any:
        assert isinstance(changes[0].email.content, Spool)
        seen.append(octets(changes[0]))
        return await original(*changes)

    house.store.commit = commit
    content = MESSAGE + b"x" * 78 * (limits.INLINE_BODY * 3 // 78) + b"\r\n"
    outcomes = await send(house, "ann@house.test", content=content, piece=65_536)
    assert outcomes[-1].code == 250
    assert seen[0].startswith(b"Received: ")
    assert seen[0].endswith(content)
    (delivery,) = house.deliveries()
    assert delivery.email.facts.size == len(seen[0])
    assert delivery.email.facts.message_id == "one@far.test"
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240  (a folder of the test's own)
    with pytest.raises(ValueError, match="closed"):
        delivery.email.content.read(0, 1)


SPOOL_FAILURES = {"disk full": (errno.ENOSPC, 452), "quota": (errno.EDQUOT, 452), "broken": (errno.EIO, 451)}


@pytest.mark.parametrize("name", SPOOL_FAILURES)
async def test_a_spool_that_cannot_be_written_defers(tmp_path: Path, name: str) -> None:
    """A failing spool is answered after the data has ended, and nothing is written."""
    number, code = SPOOL_FAILURES[name]
    house = House(tmp_path)

    class FullSpool(Spool):
        def write(self, data: Any) -> None:
            raise OSError(number, "no")

    house.store.new_spool = lambda: FullSpool(tmp_path)
    outcomes = await send(house, "ann@house.test", content=b"x" * (limits.INLINE_BODY * 2))
    assert outcomes[-1].code == code
    assert house.deliveries() == []


async def test_a_scan_that_breaks_defers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception while a message is examined is 451, reported, and leaves nothing."""

    def broken(content: bytes) -> Any:
        raise ZeroDivisionError("private")

    monkeypatch.setattr("posthouse.services.reception.transaction.scan", broken)
    house = House(tmp_path)
    outcomes = await send(house, "ann@house.test")
    assert (outcomes[-1].code, outcomes[-1].enhanced) == (451, "4.3.0")
    assert "private" not in outcomes[-1].public_text
    (event,) = house.telemetry.named("message.failed")
    assert event["error"] == "ZeroDivisionError"
    assert house.store.commits == []


async def test_success_is_reported_where_asked(tmp_path: Path) -> None:
    """NOTIFY=SUCCESS for a local mailbox gets a DSN in the same commit, with the null reverse-path (RFC 3461 §5.2.6)."""
    house = House(tmp_path)
    await send(house, "ann@house.test", sender="bob@house.test", notify=Notify.SUCCESS)
    ((message, report),) = house.store.commits
    assert message.filings[0].account == 1
    assert report.filings[0].account == 2
    assert report.filings[0].prefix.startswith(b"Return-Path: <>\r\n")
    text = octets(report)
    assert b"Action: delivered" in text
    assert b"ann@house.test" in text
    assert report.journey[0].step == steps.NOTICE


async def test_a_dead_target_of_an_alias_bounces(tmp_path: Path) -> None:
    """The living targets get the message, and the sender hears of the dead one."""
    house = House(tmp_path)
    outcomes = await send(house, "half@house.test", sender="bob@house.test")
    assert outcomes[-1].code == 250
    ((message, report),) = house.store.commits
    assert [filing.account for filing in message.filings] == [1]
    assert b"Action: failed" in octets(report)
    assert b"nobody@house.test" in octets(report)
    assert b"Status: 5.1.1" in octets(report)


NO_REPORTS = {
    "null reverse-path": {"sender": ""},
    "NOTIFY=NEVER": {"sender": "bob@house.test", "notify": Notify.NEVER},
    "a sender that reaches nobody": {"sender": "ghost@house.test"},
}


@pytest.mark.parametrize("name", NO_REPORTS)
async def test_no_report_is_owed(tmp_path: Path, name: str) -> None:
    """Bounces of bounces, unwanted ones and undeliverable ones are not written."""
    house = House(tmp_path)
    await send(house, "half@house.test", **NO_REPORTS[name])
    assert [len(changes) for changes in house.store.commits] == [1]


async def test_a_report_to_a_remote_sender_is_queued(tmp_path: Path) -> None:
    """The bounce of a stranger's message goes to the queue with the null reverse-path."""
    house = House(tmp_path)
    await send(house, "half@house.test")
    ((_, report),) = house.store.commits
    assert report.queue.reverse_path == ""
    assert [(each.address, each.notify) for each in report.queue.recipients] == [("eve@far.test", "NEVER")]


async def test_one_loop_among_several_is_bounced(tmp_path: Path) -> None:
    """A recipient whose mailbox the message has seen is reported; the others get it."""
    house = House(tmp_path)
    content = b"Delivered-To: bob@house.test\r\n" + MESSAGE
    outcomes = await send(house, "ann@house.test", "bob@house.test", content=content)
    assert outcomes[-1].code == 250
    ((message, report),) = house.store.commits
    assert [filing.account for filing in message.filings] == [1]
    assert b"Status: 5.4.6" in octets(report)


async def test_a_loop_is_told_in_the_journey(tmp_path: Path) -> None:
    """A message refused for its hops leaves its story and nothing else."""
    house = House(tmp_path, settings={"smtp.received_hops": "10"})
    outcomes = await send(house, "ann@house.test", content=b"Received: x\r\n" * 11 + MESSAGE)
    assert (outcomes[-1].code, outcomes[-1].enhanced) == (554, "5.4.6")
    ((note,),) = house.store.commits
    assert isinstance(note, Note)
    (told,) = await Journey(house.store).story(note.journey[0].queue_id)
    assert told.words[0].startswith("refused for <ann@house.test> from <eve@far.test>: 554 5.4.6 ")
    assert told.words[0].endswith("(loop.received); the setting is smtp.received_hops")


async def test_ten_hops_are_no_loop(tmp_path: Path) -> None:
    """Our own Received line does not count against the limit."""
    house = House(tmp_path, settings={"smtp.received_hops": "10"})
    outcomes = await send(house, "ann@house.test", content=b"Received: x\r\n" * 10 + MESSAGE)
    assert outcomes[-1].code == 250


async def test_queue_ids_never_repeat(tmp_path: Path) -> None:
    """Messages of one microsecond have different ids, in order."""
    house = House(tmp_path)
    for _ in range(3):
        await send(house, "ann@house.test")
    found = [delivery.queue_id for delivery in house.deliveries()]
    assert sorted(set(found)) == found


OVER_QUOTA = {
    "room": ("small@house.test", 100, 250),
    "no room for that much": ("small@house.test", 5_000, 452),
    "full already": ("full@house.test", 0, 452),
    "no quota": ("ann@house.test", 10_000_000, 250),
}


@pytest.mark.parametrize("name", OVER_QUOTA)
async def test_quota_at_rcpt(tmp_path: Path, name: str) -> None:
    """A mailbox without room for what MAIL announced is deferred at RCPT."""
    address, size, code = OVER_QUOTA[name]
    house = House(tmp_path)
    decision = await house.reception.on_mail(STRANGER, None, MailParameters(size=size))
    assert decision.transaction is not None
    outcome = await decision.transaction.on_rcpt(parse_address(address), RcptParameters())
    assert outcome.code == code


async def test_quota_by_fact(tmp_path: Path) -> None:
    """A single recipient without room for what really came is refused, not deferred for ever."""
    outcomes = await send(House(tmp_path), "small@house.test", content=MESSAGE + b"x" * 2_000 + b"\r\n")
    assert (outcomes[-1].code, outcomes[-1].enhanced) == (552, "5.2.2")
