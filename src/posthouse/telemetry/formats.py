"""The forms a log line may have: ``json`` for programs, ``console`` for people, ``postfix`` for tools made for it.

JSON Lines: ``ts`` (UTC, milliseconds), ``level``, ``event``, then the fields in the order they were given. The Postfix
form renders the events that tools such as pflogsumm count, in the shape of Postfix's own lines, and leaves the others
out. Tests: ``tests/unit/telemetry/test_formats.py``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from posthouse.core.clock import Clock
from posthouse.telemetry.log import EventSink, Formatter, Telemetry
from posthouse.telemetry.postfix import PostfixFormatter
from posthouse.telemetry.writer import BufferedWriter

FORMATS = ("json", "console", "postfix")


def _plain(value: Any) -> Any:
    """Make a plain value of what orjson does not know."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def make_json_formatter() -> Formatter:
    """Return a formatter of JSON Lines; it keeps the text of the current second."""
    second, prefix = -1, ""

    def format_json(now: float, level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
        nonlocal second, prefix
        whole = int(now)
        if whole != second:
            second, prefix = whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        ts = f"{prefix}.{int((now - whole) * 1000):03d}Z"
        record = {"ts": ts, "level": level, "event": name, **fields}
        try:
            return orjson.dumps(record, _plain, orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # a lone surrogate or an integer above 64 bits
            return orjson.dumps(
                {key: _harmless(value) for key, value in record.items()}, _plain, orjson.OPT_APPEND_NEWLINE
            )

    return format_json


def _harmless(value: Any) -> Any:
    return str(value).encode("utf-8", "replace").decode("utf-8")


def make_console_formatter(*, colour: bool) -> Formatter:
    """Return a formatter for a terminal, made with structlog's renderer."""
    from structlog.dev import ConsoleRenderer

    renderer = ConsoleRenderer(colors=colour, pad_event_to=22)

    def format_console(now: float, level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
        at = time.strftime("%H:%M:%S", time.localtime(now))
        line: str = renderer(None, level, {"timestamp": at, "level": level, "event": name, **fields})
        return line.encode("utf-8", "replace") + b"\n"

    return format_console


def make_formatter(form: str, *, hostname: str = "localhost", colour: bool = False) -> Formatter:
    """Return the formatter of that name; see ``FORMATS``. Raises KeyError: for another."""
    makers: dict[str, Callable[[], Formatter]] = {
        "json": make_json_formatter,
        "console": lambda: make_console_formatter(colour=colour),
        "postfix": lambda: PostfixFormatter(hostname, os.getpid()),
    }
    return makers[form]()


def open_telemetry(
    clock: Clock, *, target: str = "stderr", form: str = "json", level: str = "info", hostname: str = "localhost"
) -> tuple[Telemetry, BufferedWriter]:
    """Open the log and return the root Telemetry with its writer (to start, flush, reopen and close).

    Raises OSError: where the file cannot be opened.
    """
    formatter = make_formatter(form, hostname=hostname, colour=_is_terminal(target))
    writer = BufferedWriter(target, lambda lines: formatter(clock.now(), "warning", "log.dropped", {"lines": lines}))
    return Telemetry(EventSink(clock, formatter, writer, level)), writer


def _is_terminal(target: str) -> bool:
    return target in {"stdout", "stderr"} and os.isatty(1 if target == "stdout" else 2)
