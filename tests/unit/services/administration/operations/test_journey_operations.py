"""Finding messages and telling their stories, for callers of every role."""

from __future__ import annotations

import pytest

from posthouse.core.ids import format_queue_id
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import journey
from tests.support.desks import caller_of, do
from tests.support.stores import EPOCH
from tests.support.stories import refused, submitted


@pytest.fixture
async def messages(desk):
    """Return the queue ids of three messages, an hour apart: of anna, of rita, and one refused for ben."""
    values = [
        submitted("anna@acme.test", "x@far.example", at=EPOCH, message_id="1@acme.test"),
        submitted("rita@rival.test", "x@far.example", at=EPOCH + 3600),
    ]
    no = refused("s@else.example", "ben@acme.test", at=EPOCH + 7200)
    await desk.store.commit(*values, no)
    desk.clock.advance(8000)
    return [format_queue_id(each) for each in (values[0].queue_id, values[1].queue_id, no.journey[0].queue_id)]


async def found(desk, caller=None, **given):
    """Return the queue ids that are found."""
    page = await do(desk, journey.find, *([caller] if caller else []), **given)
    return [item.queue_id for item in page.items]


@pytest.mark.parametrize(
    ("given", "which"),
    [
        ({}, (2, 1, 0)),
        ({"what": "x@far.example"}, (1, 0)),
        ({"what": "1@acme.test"}, (0,)),
        ({"what": "<1@acme.test>"}, (0,)),
        ({"what": "nobody@far.example"}, ()),
        ({"since": "90m"}, (2, 1)),
        ({"until": "90m"}, (0,)),
        ({"since": "2h", "until": "1h"}, (1,)),
        ({"since": "2023-11-14T23:00+00:00"}, (2, 1)),
    ],
)
async def test_messages_are_found(desk, messages, given, which) -> None:
    """By address, Message-ID and time; newest first."""
    assert await found(desk, **given) == [messages[number] for number in which]
    assert await found(desk, what=messages[1].lower()) == [messages[1]]


async def test_pages_go_on_where_the_last_ended(desk) -> None:
    """Also where many messages came within one microsecond, or a call looked at as many as it may."""
    ids = []
    for number in range(7):
        value = submitted("anna@acme.test", "x@far.example", at=EPOCH + number // 4)
        ids.append(format_queue_id(value.queue_id))
        await desk.store.commit(value)
    for limit in (1, 2, 3, 7):
        seen: list[str] = []
        cursor = ""
        while True:
            page = await do(desk, journey.find, limit=limit, cursor=cursor)
            seen += [item.queue_id for item in page.items]
            cursor = page.next
            if not cursor:
                break
        assert seen == sorted(ids, reverse=True)
    with pytest.raises(Refused, match="cursor"):
        await do(desk, journey.find, cursor="b2Rk")


async def test_little_is_found_among_much(desk, monkeypatch) -> None:
    """A call looks at so many messages and no more; the next goes on."""
    monkeypatch.setattr(journey, "_BATCH", 2)
    monkeypatch.setattr(journey, "_SCANNED", 2)
    mine = submitted("ben@acme.test", "x@far.example", at=EPOCH)
    await desk.store.commit(mine)
    for number in range(5):
        await desk.store.commit(submitted("rita@rival.test", "x@far.example", at=EPOCH + 1 + number))
    ben, cursor, calls = await caller_of(desk.store, "ben@acme.test"), "", 0
    seen: list[str] = []
    while not calls or cursor:
        page = await do(desk, journey.find, ben, cursor=cursor)
        seen += [item.queue_id for item in page.items]
        cursor, calls = page.next, calls + 1
    assert (seen, calls > 1) == ([format_queue_id(mine.queue_id)], True)


async def test_everybody_finds_what_concerns_him(desk, messages) -> None:
    """And is told no other story; the answer is the same as for one that is not there."""
    callers = {name: await caller_of(desk.store, name) for name in (
        "anna@acme.test", "ben@acme.test", "admin@acme.test", "boss@acme.test", "chief@rival.test", "zoe@sister.test",
    )}  # fmt: skip
    seen = {name.partition("@")[0]: await found(desk, caller) for name, caller in callers.items()}
    hers, ritas, no = messages
    assert seen == {"anna": [hers], "ben": [no], "admin": [no, hers], "boss": [no, hers], "chief": [ritas], "zoe": []}
    assert await found(desk, callers["admin@acme.test"], what="x@far.example") == [hers]
    with pytest.raises(Refused, match="nothing is known of") as refusal:
        await do(desk, journey.show, callers["admin@acme.test"], queue_id=ritas)
    assert refusal.value.kind is Kind.MISSING


async def test_a_story_is_told_with_its_reasons(desk, messages) -> None:
    """In words, and as it is stored."""
    told = await do(desk, journey.show, queue_id=messages[0])
    assert told.queue_id == messages[0]
    (step,) = told.steps
    assert (step.step, step.at, step.record["from"]) == ("received", EPOCH, "anna@acme.test")
    assert any("the client had signed in" in line for line in step.words)


@pytest.mark.parametrize("text", ["yesterday", "2h3", "9999-99-99", "-1d", "99999999999d"])
async def test_what_is_no_time_is_refused(desk, text) -> None:
    """With how one is written."""
    with pytest.raises(Refused, match="is not a time") as refusal:
        await do(desk, journey.find, since=text)
    assert refusal.value.field == "since"


async def test_what_is_no_queue_id_is_refused(desk) -> None:
    """With what one looks like."""
    with pytest.raises(Refused, match="13 letters"):
        await do(desk, journey.show, queue_id="odd")
