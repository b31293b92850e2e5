"""Several outputs at once, followers, and what happens where one of them fails."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.telemetry.formats import make_json_formatter
from posthouse.telemetry.log import LEVELS, Telemetry, null_telemetry
from posthouse.telemetry.output import Choice, Output, Outputs
from posthouse.testing.clock import FakeClock


class Lines:
    """A writer that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.lost = self.lost_total = 0
        self.calls: list[str] = []

    def write(self, line: bytes) -> None:
        self.lines.append(line)

    def start(self, loop) -> None:
        self.calls.append("start")

    def flush(self) -> None:
        self.calls.append("flush")

    def reopen(self) -> None:
        self.calls.append("reopen")

    def close(self) -> None:
        self.calls.append("close")


def name_only(now, level, name, fields) -> bytes:
    """Format an event as its name."""
    return name.encode()


def outputs(*parts: Output) -> Outputs:
    """Return outputs of these parts."""
    return Outputs(FakeClock(), parts, make_json_formatter())


@pytest.mark.parametrize(
    ("words", "name", "wanted"),
    [
        ([], "door.opened", True),
        (["message", "relay."], "message.received", True),
        (["message", "relay."], "relay.sent", True),
        (["relay."], "message.received", False),
        (["!conversation"], "conversation.smtp", False),
        (["!conversation"], "door.opened", True),
        (["message", "!message.refused"], "message.refused", False),
        (["message", "!message.refused"], "message.received", True),
    ],
)
def test_a_choice_of_events(words, name, wanted) -> None:
    """Beginnings of names choose; those with an exclamation mark leave out."""
    choice = Choice(words)
    assert [choice(name), choice(name)] == [wanted, wanted]


def test_each_output_has_its_level_and_its_events() -> None:
    """An event goes where it is wanted and nowhere else."""
    everything, warnings, relay = Lines(), Lines(), Lines()
    telemetry = Telemetry(
        outputs(
            Output(name_only, everything, "debug"),
            Output(name_only, warnings, "warning"),
            Output(name_only, relay, "info", ["relay"]),
        )
    )
    telemetry.event("door.opened", level="debug")
    telemetry.event("relay.sent")
    telemetry.event("door.idle", level="error")
    assert everything.lines == [b"door.opened", b"relay.sent", b"door.idle"]
    assert warnings.lines == [b"door.idle"]
    assert relay.lines == [b"relay.sent"]


def test_what_nobody_wants_is_dropped_early_but_counted_from_info_on() -> None:
    """Metrics do not depend on the level of the log."""
    lines = Lines()
    made = outputs(Output(name_only, lines, "error"))
    telemetry = Telemetry(made)
    assert [telemetry.wants(level) for level in LEVELS] == [False, True, True, True]
    telemetry.event("relay.sent")
    assert lines.lines == []
    assert made.metrics.counter("posthouse_relay_attempts_total", "sent").value == 1
    assert not null_telemetry().wants("error")


def test_an_event_that_cannot_be_formatted_is_counted() -> None:
    """A failing form neither reaches the caller nor keeps other outputs from the event."""

    def broken(now, level, name, fields) -> bytes:
        raise RuntimeError

    first, second = Lines(), Lines()
    made = outputs(Output(broken, first), Output(name_only, second))
    Telemetry(made).event("door.opened")
    assert (first.lines, first.lost, made.lost_total) == ([], 1, 1)
    assert second.lines == [b"door.opened"]


def test_followers_get_json_whatever_the_outputs_write() -> None:
    """Following at debug shows what no output keeps, and ends when it is told to."""
    made = outputs(Output(name_only, Lines(), "warning"))
    telemetry = Telemetry(made)
    seen: list[bytes] = []
    quiet: list[bytes] = []
    end = made.follow(seen.append, "debug")
    end_quiet = made.follow(quiet.append, level="error")
    telemetry.event("door.opened", level="debug", peer="x")
    assert b'"event":"door.opened"' in seen[0]
    assert quiet == []
    end()
    end_quiet()
    telemetry.event("door.opened", level="debug")
    assert len(seen) == 1
    assert not telemetry.wants("debug")


async def test_followers_get_blocks_on_a_loop() -> None:
    """With a loop lines go to followers together, and the rest when the log is flushed."""
    made = outputs(Output(name_only, Lines()))
    made.start(asyncio.get_running_loop())
    seen: list[bytes] = []
    made.follow(seen.append)
    telemetry = Telemetry(made)
    telemetry.event("door.idle")
    telemetry.event("door.idle")
    assert seen == []
    made.flush()
    assert seen[0].count(b"\n") == 2


async def test_the_life_of_outputs_is_that_of_their_writers() -> None:
    """Start, flush, reopen and close reach every writer."""
    lines = [Lines(), Lines()]
    made = outputs(*(Output(name_only, each) for each in lines))
    made.start(asyncio.get_running_loop())
    made.flush()
    made.reopen()
    made.close()
    assert [each.calls for each in lines] == [["start", "flush", "reopen", "close"]] * 2
