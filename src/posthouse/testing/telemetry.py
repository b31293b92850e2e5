"""A telemetry that remembers, for tests; it refuses event names that nobody declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posthouse.telemetry.events import EVENTS
from posthouse.telemetry.log import Telemetry


class _Recorder:
    threshold = 0

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def write(self, level: str, name: str, fields: Mapping[str, Any]) -> None:
        assert name in EVENTS, f"{name} is not declared in telemetry/events.py"
        self.events.append((name, {"level": level, **fields}))


class RecordingTelemetry(Telemetry):
    """Keeps every event as ``(name, fields)``; bound children record into the same list."""

    __slots__ = ("_recorder",)

    def __init__(self) -> None:
        self._recorder = _Recorder()
        super().__init__(self._recorder)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """All events so far, oldest first; ``level`` is among the fields."""
        return self._recorder.events

    @property
    def names(self) -> list[str]:
        """The names of all events so far."""
        return [name for name, _ in self._recorder.events]

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the fields of every event of that name."""
        return [fields for event, fields in self._recorder.events if event == name]
