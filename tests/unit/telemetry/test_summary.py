"""The summary of a day."""

from __future__ import annotations

import dataclasses

import orjson

from posthouse.telemetry.formats import make_json_formatter
from posthouse.telemetry.summary import Summary, TopCounter, summarise, summary_text

NOW = 1_700_000_000.0
FORM = make_json_formatter()


def line(name: str, level: str = "info", at: float = NOW, **fields) -> bytes:
    """Return a line of the log."""
    return FORM(at, level, name, fields).rstrip(b"\n")


LINES = [
    line("message.received", at=NOW - 1, size=1, to=["before@x.test"]),
    line(
        "message.received",
        size=100,
        filed=2,
        queued=1,
        peer="192.0.2.1",
        to=["a@x.test", "b@x.test"],
        **{"from": "s@y"},
    ),
    line("message.received", size=50, filed=1, queued=0, peer="", to=["a@x.test"], **{"from": ""}),
    line("message.refused", code=550, rule="relay.denied"),
    line("message.refused", code=450, rule="recipient.unknown"),
    line("message.refused", code="many", rule="odd"),
    line("relay.sent", to="z@far.test"),
    line("relay.deferred", reply="451 4.3.0 later"),
    line("relay.failed", reply="550 5.1.1 no\x1b[2J"),
    line("auth.granted"),
    line("auth.refused", level="warning", peer="192.0.2.9"),
    line("auth.refused", level="warning", peer="192.0.2.9"),
    line("door.closed", protocol="smtp"),
    line("door.failed", level="error"),
    line("message.failed", level="error"),
    b"{half",
    line("door.closed", at=NOW + 100, protocol="smtp"),
]


def test_a_day() -> None:
    """Everything is counted once, between the two moments."""
    found = summarise(LINES, since=NOW, until=NOW + 100)
    assert (found.received, found.received_octets, found.filed, found.queued) == (2, 150, 3, 1)
    assert (found.sent, found.deferred, found.bounced, found.failed) == (1, 1, 1, 1)
    assert (found.refused, found.refused_for_now) == (1, 1)
    assert found.refused_by_reason == [("recipient.unknown (450)", 1), ("relay.denied (550)", 1)]
    assert found.recipients == [("a@x.test", 2), ("b@x.test", 1), ("z@far.test", 1)]
    assert found.senders == [("<>", 1), ("s@y", 1)]
    assert found.clients == [("192.0.2.1", 1), ("this machine", 1)]
    assert (found.signed_in, found.sign_in_failures) == (1, 2)
    assert found.sign_in_failures_by_client == [("192.0.2.9", 2)]
    assert (found.sessions, found.sessions_by_protocol) == (1, [("smtp", 1)])
    assert found.problems == [("door.failed", 1), ("message.failed", 1)]
    orjson.dumps(dataclasses.asdict(found))


def test_the_report_for_people() -> None:
    """Numbers first, then the lists that are not empty; what peers said cannot steer a terminal."""
    text = summary_text(summarise(LINES, since=NOW, until=NOW + 100), "Mail on 2023-11-14")
    assert text.startswith("Mail on 2023-11-14\n==================\n\n         2  messages received (0.0 MiB)\n")
    assert "550 5.1.1 no?[2J" in text
    assert "\x1b" not in text
    assert "Senders" not in summary_text(Summary(since=0, until=1), "Nothing")


def test_a_top_counter_is_exact_while_there_is_room() -> None:
    """And its largest are right beyond that, within the error it tells."""
    counter = TopCounter(10)
    for number in range(19):
        counter.add(f"rare {number}")
    assert counter.error == 0
    for number in range(10_000):
        counter.add("frequent", 2)
        counter.add(f"rare {number}")
    ((first, count), *_) = counter.top(1)
    assert first == "frequent"
    assert 20_000 <= count <= 20_000 + counter.error
    assert len(counter.top(1000)) <= 20
