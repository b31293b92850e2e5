"""Whose mail it is: what callers of every role see of the queue and of stories."""

from __future__ import annotations

import pytest

from posthouse.services.administration.call import Call
from posthouse.services.administration.mail_reach import MailReach
from posthouse.services.journey import steps
from posthouse.store.directory_values import PutAddress, PutDomain
from posthouse.store.values import Note
from tests.support.desks import ON_MACHINE, caller_of, make_desk, people
from tests.support.stories import entry, message, refused, submitted, to

CALLERS = {
    "root": "root@own.test", "boss": "boss@acme.test", "admin": "admin@acme.test", "anna": "anna@acme.test",
    "ben": "ben@acme.test", "zoe": "zoe@sister.test", "rita": "rita@rival.test", "chief": "chief@rival.test",
}  # fmt: skip

# name, message, who sees which of its queued recipients; nobody else sees any
QUEUED = [
    (
        "sent by one of ours",
        submitted("anna@acme.test", "x@far.example", "y@far.example"),
        {"root": "xy", "boss": "xy", "admin": "xy", "anna": "xy"},
    ),
    (
        "from a machine that may relay, with an address of ours",
        message("anna@acme.test", to("x@far.example", "x@far.example", rule="relay.network")),
        {"root": "x", "boss": "x", "admin": "x", "anna": "x"},
    ),
    (
        "from a stranger who says he is of acme, forwarded for rita",
        message("anna@acme.test", to("rita@rival.test", "x@far.example")),
        {"root": "x", "rita": "x", "chief": "x"},
    ),
    (
        "from a stranger to ben and zoe, both forwarded",
        message("s@else.example", to("ben@acme.test", "x@far.example"), to("zoe@sister.test", "y@far.example")),
        {"root": "xy", "boss": "xy", "admin": "x", "ben": "x", "zoe": "y"},
    ),
    (
        "for anna's name with a detail",
        message("s@else.example", to("anna+shop@acme.test", "x@far.example")),
        {"root": "x", "boss": "x", "admin": "x", "anna": "x"},
    ),
]


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk with the usual people."""
    await people(store)
    return make_desk(store, store_clock, tmp_path)


async def reach(desk, name) -> MailReach:
    """Return what a caller sees."""
    caller = ON_MACHINE if name == "machine" else await caller_of(desk.store, CALLERS[name])
    return MailReach(Call(caller=caller, desk=desk))


@pytest.mark.parametrize(("case", "value", "seen"), QUEUED, ids=[row[0] for row in QUEUED])
async def test_recipients_in_the_queue_are_seen_by_those_they_concern(desk, case, value, seen) -> None:
    """The people of whoever sent it, and those for whom it was forwarded; nobody by a reverse-path he made up."""
    del case
    await desk.store.commit(value)
    rows = await desk.store.queue_rows()
    for name in CALLERS:
        found = await (await reach(desk, name)).visible(rows)
        assert "".join(row.address[0] for row in found) == seen.get(name, ""), name
    assert await (await reach(desk, "machine")).visible(rows) == rows


async def test_a_message_whose_beginning_is_forgotten_is_the_servers(desk) -> None:
    """Nobody else can be told whose it is."""
    value = submitted("anna@acme.test", "x@far.example")
    await desk.store.commit(type(value)(email=value.email, queue_id=value.queue_id, queue=value.queue))
    rows = await desk.store.queue_rows()
    assert await (await reach(desk, "anna")).visible(rows) == []
    assert await (await reach(desk, "root")).visible(rows) == rows


async def story(desk, name, value):
    """Return what a caller sees of a message's story."""
    queue_id = value.journey[0].queue_id
    return await (await reach(desk, name)).narrowed(await desk.store.journey(queue_id))


async def test_blind_copies_stay_blind(desk) -> None:
    """Of a stranger's message everybody sees his own recipients, where they lead, and no others."""
    value = message(
        "s@else.example",
        to("ben@acme.test", local=("ben@acme.test",)),
        to("zoe@sister.test", "y@far.example"),
        to("rita@rival.test", local=("rita@rival.test",)),
        account="",
    )
    queue_id = value.queue_id
    later = [
        entry(queue_id, steps.ATTEMPTED, {"to": "y@far.example", "host": "mx"}),
        entry(queue_id, steps.HELD, {"to": "y@far.example", "by": "root"}),
    ]
    await desk.store.commit(value, Note(journey=tuple(later)))
    (mine,) = await story(desk, "ben", value)
    assert [each["to"] for each in mine.record["recipients"]] == ["ben@acme.test"]
    assert "rita" not in " ".join(mine.words) + str(mine.record)
    assert [each.step for each in await story(desk, "zoe", value)] == [steps.RECEIVED, steps.ATTEMPTED, steps.HELD]
    office = await story(desk, "boss", value)
    assert [each["to"] for each in office[0].record["recipients"]] == ["ben@acme.test", "zoe@sister.test"]
    assert len(office) == 3
    assert len((await story(desk, "root", value))[0].record["recipients"]) == 3


async def test_a_sender_sees_the_whole_story(desk) -> None:
    """He wrote to all of them; whoever got it does not learn as whom the sender signed in."""
    value = message(
        "anna@acme.test",
        to("x@far.example", "x@far.example", rule="relay.authenticated"),
        to("rita@rival.test", local=("rita@rival.test",), rule="relay.authenticated"),
        account="anna@acme.test",
    )
    await desk.store.commit(value)
    for name in ("anna", "admin", "boss", "root"):
        assert len((await story(desk, name, value))[0].record["recipients"]) == 2, name
    (got,) = await story(desk, "rita", value)
    assert ("account" in got.record, len(got.record["recipients"])) == (False, 1)
    assert await story(desk, "ben", value) == []


async def test_refusals_are_told_to_those_they_were_for(desk) -> None:
    """Each his own recipients; in a beginning too."""
    whole = refused("s@else.example", "ben@acme.test", "rita@rival.test")
    await desk.store.commit(whole)
    (told,) = await story(desk, "admin", whole)
    assert told.record["to"] == ["ben@acme.test"]
    assert await story(desk, "zoe", whole) == []
    part = message("s@else.example", to("rita@rival.test", local=("rita@rival.test",)))
    part.journey[0].record["refused"] = [["ben@acme.test", {"code": 550}]]
    await desk.store.commit(part)
    (told,) = await story(desk, "ben", part)
    assert (told.record["recipients"], len(told.record["refused"])) == ([], 1)


async def test_a_notice_is_of_whom_it_goes_to(desk) -> None:
    """And of those who administer him."""
    value = message("", to("x@far.example", "x@far.example"))
    record = {"kind": "failure", "about": "A", "to": "zoe@sister.test", "local": ["zoe@sister.test"], "remote": []}
    notice = entry(value.queue_id, steps.NOTICE, record)
    await desk.store.commit(Note(journey=(notice,)))
    assert [each.step for each in await story(desk, "zoe", value)] == [steps.NOTICE]
    assert len(await story(desk, "boss", value)) == 1
    assert await story(desk, "admin", value) == []


async def test_own_addresses_are_all_that_lead_to_the_account(desk) -> None:
    """Further addresses, names of the domain, details; not those of others, and nothing that is no address."""
    await desk.store.commit(
        PutAddress(address="ann@acme.test", account="anna@acme.test"),
        PutDomain(name="acme.example", alias_of="acme.test"),
    )
    mine = await reach(desk, "anna")
    for address in ("anna@acme.test", "ann@acme.test", "ANN@ACME.TEST", "anna+x@acme.example"):
        assert await mine.is_his(address), address
    for address in ("ben@acme.test", "anna@far.example", "anna", "", "@acme.test"):
        assert not await mine.is_his(address), address
    assert await (await reach(desk, "admin")).is_his("whoever@acme.example")
