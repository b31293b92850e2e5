"""Decisions after an attempt: state, next attempt, and who is told."""

from dataclasses import replace

import pytest

from posthouse.core import status
from posthouse.core.envelope import Notify
from posthouse.core.ids import make_queue_id
from posthouse.core.outcome import defer, done, reject
from posthouse.services.queue import bounce
from posthouse.services.queue.bounce import Attempt, NoticeKind, decide, gather, parse_notify, returns_whole
from posthouse.services.queue.schedule import QueuePolicy
from posthouse.store.rows import QueueRow
from posthouse.store.values import RecipientState

NOW = 1_700_000_000.0
ROW = QueueRow(
    queue_id=make_queue_id(int(NOW * 1e6), 1),
    number=1,
    address="b@example.org",
    destination="mx:example.org",
    state=RecipientState.WAITING,
    attempts=0,
    next_attempt=NOW,
    lease_owner="w1",
    lease_until=NOW + 900,
    last_reply="",
    notify="",
    orcpt="rfc822;B@example.org",
    delay_notified=False,
    reverse_path="a@house.test",
    ret="",
    envid="E1",
    body_type="7BIT",
    smtputf8=False,
    received=NOW - 60,
    expires=NOW + 86_400,
    size=1000,
    body=1,
)
OLD = replace(ROW, received=NOW - 5 * 3600)
SPENT = replace(ROW, expires=NOW)
GONE, BUSY, OK = reject("No such user", detail_code=status.BAD_MAILBOX), defer("Busy"), done()

TABLE = [
    # name, row, outcome, dsn passed on, state, notice
    ("delivered", ROW, OK, False, RecipientState.DELIVERED, None),
    ("delivered, success wanted", replace(ROW, notify="SUCCESS"), OK, False, RecipientState.DELIVERED, "RELAYED"),
    ("delivered, success is the next hop's duty", replace(ROW, notify="SUCCESS"), OK, True, "DELIVERED", None),
    ("delivered, null reverse-path", replace(ROW, notify="SUCCESS", reverse_path=""), OK, False, "DELIVERED", None),
    ("refused", ROW, GONE, False, RecipientState.FAILED, "FAILURE"),
    ("refused, failure not wanted", replace(ROW, notify="DELAY"), GONE, False, RecipientState.FAILED, None),
    ("refused, never", replace(ROW, notify="NEVER"), GONE, False, RecipientState.FAILED, None),
    ("refused, null reverse-path", replace(ROW, reverse_path=""), GONE, False, RecipientState.FAILED, None),
    ("deferred", ROW, BUSY, False, RecipientState.WAITING, None),
    ("deferred for long", OLD, BUSY, False, RecipientState.WAITING, "DELAY"),
    ("deferred for long, told", replace(OLD, delay_notified=True), BUSY, False, RecipientState.WAITING, None),
    ("deferred for long, failure only", replace(OLD, notify="FAILURE"), BUSY, False, RecipientState.WAITING, None),
    ("deferred for long, delay wanted", replace(OLD, notify="SUCCESS,DELAY"), BUSY, False, "WAITING", "DELAY"),
    ("deferred for long, null reverse-path", replace(OLD, reverse_path=""), BUSY, False, "WAITING", None),
    ("expired", SPENT, BUSY, False, RecipientState.FAILED, "FAILURE"),
    ("expired, null reverse-path", replace(SPENT, reverse_path=""), BUSY, False, RecipientState.FAILED, None),
]


@pytest.mark.parametrize(
    ("row", "outcome", "passed", "state", "notice"), [pytest.param(*r[1:], id=r[0]) for r in TABLE]
)
def test_decisions(row, outcome, passed, state, notice):
    """Each kind of end gives the state and the notice that RFC 3461 asks for."""
    decision = decide(Attempt(row, outcome, dsn_passed=passed), QueuePolicy(), NOW)
    assert decision.result.state is (RecipientState[state] if isinstance(state, str) else state)
    assert decision.notice is (NoticeKind[notice] if notice else None)


def test_a_deferred_recipient_waits_as_the_schedule_says():
    """The next attempt is after the first delay, and not before the moment the host is asked again."""
    assert decide(Attempt(ROW, BUSY), QueuePolicy(), NOW).result.next_attempt == NOW + 300
    assert decide(Attempt(ROW, BUSY, not_before=NOW + 999), QueuePolicy(), NOW).result.next_attempt == NOW + 999
    early = decide(Attempt(ROW, BUSY, counts=False, not_before=NOW + 5), QueuePolicy(), NOW)
    assert early.result.next_attempt == NOW + 5
    assert not early.result.attempted


def test_soft_bounce_keeps_what_would_be_returned():
    """With soft_bounce on a permanent refusal waits, as long as the lifetime lasts."""
    policy = QueuePolicy(soft_bounce=True)
    assert decide(Attempt(ROW, GONE), policy, NOW).result.state is RecipientState.WAITING
    assert decide(Attempt(SPENT, GONE), policy, NOW).result.state is RecipientState.FAILED


def test_the_reply_names_the_host():
    """The queue shows who said what."""
    decision = decide(Attempt(ROW, GONE, host="mx.example.org"), QueuePolicy(), NOW)
    assert decision.result.reply == "mx.example.org: 550 5.1.1 No such user"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Notify.DEFAULT),
        ("NEVER", Notify.NEVER),
        ("SUCCESS,FAILURE", Notify.SUCCESS | Notify.FAILURE),
        ("delay", Notify.DELAY),
        ("nonsense", Notify.NEVER),
    ],
)
def test_notify_is_read(text, wanted):
    """NOTIFY's words become flags."""
    assert parse_notify(text) == wanted


def test_recipients_of_a_message_share_a_notice():
    """One notice for each message and kind, with all recipients it speaks of."""
    other = replace(ROW, queue_id=make_queue_id(int(NOW * 1e6) + 1, 1))
    attempts = [Attempt(ROW, GONE), Attempt(replace(ROW, number=2), GONE), Attempt(OLD, BUSY), Attempt(other, GONE)]
    notices = gather(decide(attempt, QueuePolicy(), NOW) for attempt in attempts)
    assert [(notice.kind.name, len(notice.decisions)) for notice in notices] == [
        ("FAILURE", 2),
        ("DELAY", 1),
        ("FAILURE", 1),
    ]


def test_how_much_is_returned():
    """A failure returns the whole message; RET=HDRS, size and the other kinds return the header section."""
    (failure,) = gather([decide(Attempt(ROW, GONE), QueuePolicy(), NOW)])
    assert returns_whole(failure)
    assert not returns_whole(replace(failure, row=replace(ROW, ret="HDRS")))
    assert not returns_whole(replace(failure, row=replace(ROW, size=bounce.MAX_RETURNED + 1)))
    assert not returns_whole(replace(failure, kind=NoticeKind.DELAY))


def test_the_dsn_is_composed_from_the_decisions(monkeypatch):
    """What goes into the DSN: status, diagnostic, and for an expired recipient 4.4.7."""
    seen = {}
    monkeypatch.setattr(bounce, "compose_dsn", lambda **fields: seen.update(fields) or b"DSN")
    (notice,) = gather([decide(Attempt(SPENT, BUSY, host="mx.test"), QueuePolicy(), NOW)])
    queue_id = make_queue_id(5, 1)
    assert bounce.compose(notice, queue_id=queue_id, hostname="house.test", now=NOW, original=b"M") == b"DSN"
    (recipient,) = seen["recipients"]
    assert (recipient.status, recipient.action, recipient.remote_mta) == ("4.4.7", "failed", "mx.test")
    assert recipient.diagnostic == "451 4.3.0 Busy"
    assert seen["to_address"] == "a@house.test"
    assert seen["full"]
    assert seen["envid"] == "E1"
