"""Events: fields, levels, secrets. That every name is declared and used is seen to in tests/architecture."""

from __future__ import annotations

import pytest

from posthouse.telemetry.events import EVENTS
from posthouse.telemetry.log import HIDDEN
from posthouse.testing.telemetry import RecordingTelemetry


class Lines:
    """A writer that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.lost = 0

    def write(self, line: bytes) -> None:
        self.lines.append(line)


def test_fields_bound_and_given() -> None:
    """Bound fields come first and given ones win; a child adds to its parent's."""
    telemetry = RecordingTelemetry()
    child = telemetry.bind(session="s").bind(protocol="pop3")
    child.event("door.opened", peer="192.0.2.1", protocol="imap")
    assert telemetry.events == [
        ("door.opened", {"level": "info", "session": "s", "protocol": "imap", "peer": "192.0.2.1"})
    ]


@pytest.mark.parametrize("name", ["password", "secret", "token", "credentials"])
def test_secrets_are_hidden(name) -> None:
    """A field with the name of a secret never shows its value."""
    telemetry = RecordingTelemetry()
    telemetry.event("auth.refused", login="a", **{name: "hunter2"})
    assert telemetry.named("auth.refused")[0][name] == HIDDEN


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_explained(name) -> None:
    """Names have a topic, explanations are sentences."""
    topic, _, what = name.partition(".")
    assert topic
    assert what
    assert EVENTS[name].endswith(".")


def test_a_recorder_refuses_names_nobody_declared() -> None:
    """A test that meets an undeclared event fails."""
    with pytest.raises(AssertionError, match="not declared"):
        RecordingTelemetry().event("no.such_event")
