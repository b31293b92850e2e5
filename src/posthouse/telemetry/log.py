"""``Telemetry``: where every room reports what happened, as one event with a name and fields.

An event costs a few microseconds: a level test, one dictionary, one orjson call and an append to the writer's list
(``telemetry.writer``). Fields are plain values (text, numbers, booleans, lists of them). Values of fields whose name
says that they are secret are replaced; bytes are shown as text. Reporting never raises: a line that cannot be formatted
or written is counted as lost, and mail goes on. Tests: ``tests/unit/telemetry``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

LEVELS: Final[dict[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SECRET: Final = frozenset({"password", "secret", "token", "credentials", "initial_response", "private_key"})
HIDDEN: Final = "[hidden]"


class Sink(Protocol):
    """Takes finished events: the writer to a file, or a recorder in tests."""

    threshold: int

    def write(self, level: str, name: str, fields: Mapping[str, Any]) -> None:
        """Take one event. Never raises."""
        ...


class Telemetry:
    """Reports events with the fields bound to it. Cheap to bind: one for each session is right.

    Args:
        sink: where events go.
        bound: fields that every event carries, such as ``session``.
    """

    __slots__ = ("_bound", "_sink")

    def __init__(self, sink: Sink, bound: Mapping[str, Any] | None = None) -> None:
        self._sink = sink
        self._bound: dict[str, Any] = dict(bound or {})

    def event(self, name: str, /, *, level: str = "info", **fields: Any) -> None:
        """Report an event.

        Args:
            name: one of ``telemetry.events.EVENTS``.
            level: ``debug``, ``info``, ``warning`` or ``error``.
            fields: plain values; they win over bound ones of the same name.
        """
        if LEVELS[level] < self._sink.threshold:
            return
        if not _SECRET.isdisjoint(fields):
            fields = {key: HIDDEN if key in _SECRET else value for key, value in fields.items()}
        self._sink.write(level, name, {**self._bound, **fields} if self._bound else fields)

    def bind(self, **fields: Any) -> Telemetry:
        """Return a Telemetry whose events carry these fields too."""
        return Telemetry(self._sink, {**self._bound, **fields})

    def wants(self, level: str) -> bool:
        """Return whether events of that level are kept, for callers whose fields are dear to compute."""
        return LEVELS[level] >= self._sink.threshold


class NullSink:
    """Keeps nothing."""

    threshold = 100

    def write(self, level: str, name: str, fields: Mapping[str, Any]) -> None:
        """Forget the event."""


def null_telemetry() -> Telemetry:
    """Return a Telemetry that keeps nothing, for tools and benchmarks."""
    return Telemetry(NullSink())


class Formatter(Protocol):
    """Makes a line of an event; b"" leaves it out."""

    def __call__(self, now: float, level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
        """Return the line with its line end."""
        ...
