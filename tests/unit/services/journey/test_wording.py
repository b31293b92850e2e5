"""Each step of a story in words; old and broken records are told too."""

from __future__ import annotations

import pytest

from posthouse.core.ids import format_queue_id, parse_queue_id
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.journey.story import Journey
from posthouse.services.journey.wording import tell
from posthouse.store.values import JourneyEntry, Note
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory

OUTCOME = {"code": 550, "enhanced": "5.1.1", "text": "No such user", "rule": "relay.reply"}

TOLD = {
    "a bounce": (
        steps.NOTICE,
        {"kind": "failure", "about": "0ABC", "to": "a@b", "local": ["a@b"], "remote": []},
        ["a bounce about 0ABC was written to <a@b>", "filed for a@b"],
    ),
    "a delivery": (
        steps.DELIVERED,
        {"to": "a@b", "host": "mx.b", "outcome": {"code": 250, "enhanced": "2.0.0", "text": "Ok"}},
        ["delivered to <a@b> by mx.b: 250 2.0.0 Ok"],
    ),
    "a failure": (
        steps.FAILED,
        {"to": "a@b", "outcome": OUTCOME},
        ["given up for <a@b>: 550 5.1.1 No such user, because the other server said so (relay.reply)"],
    ),
    "an attempt with more fields": (
        steps.ATTEMPTED,
        {"to": "a@b", "next": 5, "none": None},
        ["not yet delivered to <a@b> (next 5)"],
    ),
    "an administrator's hand": (steps.HELD, {"to": "a@b", "by": "root"}, ["held for <a@b> by root"]),
    "a step nobody knows": ("dreamt", {"of": "mail"}, ["dreamt of mail"]),
    "an empty step": ("dreamt", {}, ["dreamt"]),
}


@pytest.mark.parametrize("name", TOLD)
def test_steps_are_told(name: str) -> None:
    """A step is told in the words of its row."""
    step, record, lines = TOLD[name]
    assert tell(step, record) == lines


@pytest.mark.parametrize("step", steps.ALL)
def test_empty_records_are_told_as_well_as_can_be(step: str) -> None:
    """A record without fields still gives a line."""
    assert tell(step, {})[0]


async def test_a_queue_id_is_found_as_it_is_shown() -> None:
    """What a person copies from a reply finds its message, in any case."""
    store, clock = MemoryDirectory(), FakeClock()
    queue_id = QueueIds(clock, 3).next()
    entry = JourneyEntry(queue_id=queue_id, at=clock.now(), step=steps.HELD, record={"to": "a@b"})
    await store.commit(Note(journey=(entry,)))
    text = format_queue_id(queue_id)
    assert parse_queue_id(text) == queue_id
    assert await Journey(store).find(text.lower()) == [queue_id]


def test_queue_ids_rise_when_the_clock_goes_back() -> None:
    """A clock that is set back does not make ids repeat."""

    class BackClock(FakeClock):
        times = iter([5.0, 4.0, 3.0])

        def now(self) -> float:
            return next(self.times)

    ids = QueueIds(BackClock(), 1)
    found = [ids.next() for _ in range(3)]
    assert found == sorted(set(found))
