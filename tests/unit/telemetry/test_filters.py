"""Which lines somebody wants to see."""

from __future__ import annotations

import pytest

from posthouse.telemetry.filters import LONGEST, LineFilter, stamp
from posthouse.telemetry.formats import make_json_formatter

NOW = 1_700_000_000.25
FORM = make_json_formatter()
LINE = FORM(
    NOW,
    "warning",
    "message.refused",
    {"session": "s-1", "queue_id": "1K0RD1", "from": "Carla@Elsewhere.example", "to": ["anna@example.test"], "n": 'q"'},
)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ({}, True),
        ({"event": "message"}, True),
        ({"event": "relay"}, False),
        ({"level": "warning"}, True),
        ({"level": "error"}, False),
        ({"session": "s-1"}, True),
        ({"session": "s-"}, False),
        ({"queue_id": "1k0rd1"}, True),
        ({"queue_id": "1K0RD"}, False),
        ({"address": "carla@"}, True),
        ({"address": "ANNA@example"}, True),
        ({"address": "message"}, False),
        ({"contains": "Elsewhere"}, True),
        ({"contains": 'q"'}, True),
        ({"contains": "nowhere"}, False),
        ({"since": NOW}, True),
        ({"since": NOW + 0.01}, False),
        ({"until": NOW}, False),
        ({"until": NOW + 0.01}, True),
        ({"event": "message", "level": "info", "session": "s-1", "address": "anna", "since": NOW - 1}, True),
    ],
)
def test_a_filter(wanted, matches) -> None:
    """All that is asked for must hold."""
    assert (LineFilter(**wanted).match(LINE) is not None) is matches


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"1", b'{"event":1}', b'{"a":1}', b"\xff", b'{"event":"x"}' + b" " * LONGEST, b"\0" * 99]
)
def test_what_is_no_event_matches_nothing(line) -> None:
    """Half a line, or a line of another program, is passed over."""
    assert LineFilter().match(line) is None


def test_stamps_sort_as_their_moments() -> None:
    """Times are compared as text."""
    moments = [0.0, 1.5, 1e9, 1_699_999_999.999, 1_700_000_000.0]
    assert sorted(map(stamp, reversed(moments))) == list(map(stamp, moments))
