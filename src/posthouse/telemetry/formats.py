"""The forms a log line may have, and the opening of outputs: a form, a target, a level, a choice of events.

``json`` for programs: ``ts`` (UTC, milliseconds), ``level``, ``event``, then the fields in the order they were given.
``console`` for people. Four forms are made for tools of others, and leave out the events that these do not know:
``postfix`` (pflogsumm and its like), ``w3c`` and ``activity`` (conversations), ``awstats`` (a line for each delivery).
Tests: ``tests/unit/telemetry/test_formats.py``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from posthouse.core.clock import Clock
from posthouse.telemetry.activity import ActivityFormatter
from posthouse.telemetry.awstats import format_awstats
from posthouse.telemetry.journal import JournalFormatter, JournalWriter
from posthouse.telemetry.log import Formatter, Telemetry
from posthouse.telemetry.output import Output, Outputs, Writer
from posthouse.telemetry.postfix import PostfixFormatter
from posthouse.telemetry.rotation import Rotation
from posthouse.telemetry.syslog import SyslogFormatter, SyslogWriter
from posthouse.telemetry.w3c import W3C_HEADER, format_w3c
from posthouse.telemetry.writer import BufferedWriter

FORMATS = ("json", "console", "postfix", "w3c", "activity", "awstats")


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
        "w3c": lambda: format_w3c,
        "activity": ActivityFormatter,
        "awstats": lambda: format_awstats,
    }
    return makers[form]()


class OutputSpec(Protocol):
    """One output as ``posthouse.toml`` describes it (``config.file.OutputConfig``), with an absolute path."""

    @property
    def format(self) -> str:
        """One of ``FORMATS``."""
        ...

    @property
    def target(self) -> str:
        """``stdout``, ``stderr``, ``journald[:PATH]``, ``syslog[:ADDRESS]`` or a path."""
        ...

    @property
    def level(self) -> str:
        """The least important events."""
        ...

    @property
    def events(self) -> Sequence[str]:
        """Beginnings of names; see ``telemetry.output``."""
        ...

    @property
    def rotate_size(self) -> int:
        """Octets that a file may have; 0 for any number."""
        ...

    @property
    def rotate_daily(self) -> bool:
        """Whether each day begins a file."""
        ...

    @property
    def keep_files(self) -> int:
        """How many rotated files are kept; 0 for all."""
        ...

    @property
    def keep_days(self) -> int:
        """For how many days they are kept; 0 for ever."""
        ...

    @property
    def compress(self) -> bool:
        """Whether they are compressed."""
        ...


def open_outputs(clock: Clock, specs: Sequence[OutputSpec], *, hostname: str = "localhost") -> Outputs:
    """Open all outputs. Raises OSError: where a file cannot be opened."""
    return Outputs(clock, [_open_output(clock, spec, hostname) for spec in specs], make_json_formatter())


def _open_output(clock: Clock, spec: OutputSpec, hostname: str) -> Output:
    formatter = make_formatter(spec.format, hostname=hostname, colour=_is_terminal(spec.target))
    kind, _, address = spec.target.partition(":")
    if kind == "syslog":
        formatter = SyslogFormatter(formatter, hostname)
    elif kind == "journald":
        formatter = JournalFormatter(formatter if spec.format != "json" else format_words)

    def dropped(lines: int) -> bytes:
        return formatter(clock.now(), "warning", "log.dropped", {"lines": lines})

    writer: Writer
    if kind == "syslog":
        writer = SyslogWriter(address, dropped)
    elif kind == "journald":
        writer = JournalWriter(address, dropped)
    else:
        header = W3C_HEADER if spec.format == "w3c" else b""
        writer = BufferedWriter(spec.target, dropped, rotation=_rotation(spec), header=header, now=clock.now)
    return Output(formatter, writer, spec.level, spec.events)


def _rotation(spec: OutputSpec) -> Rotation:
    return Rotation(
        size=spec.rotate_size,
        daily=spec.rotate_daily,
        keep_files=spec.keep_files,
        keep_days=spec.keep_days,
        compress=spec.compress,
    )


def format_words(_now: float, _level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
    """Return ``event key=value ...``: the text of an entry whose fields are kept beside it."""
    words = " ".join(f"{key}={value}" for key, value in fields.items() if key != "trace")
    return f"{name} {words}".rstrip().encode("utf-8", "replace") + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    format: str
    target: str
    level: str
    events: Sequence[str] = ()
    rotate_size: int = 0
    rotate_daily: bool = False
    keep_files: int = 0
    keep_days: int = 0
    compress: bool = False


def open_telemetry(
    clock: Clock, *, target: str = "stderr", form: str = "json", level: str = "info", hostname: str = "localhost"
) -> tuple[Telemetry, Outputs]:
    """Open a log of one output and return the root Telemetry with its outputs (to start, flush, reopen and close).

    Raises OSError: where the file cannot be opened.
    """
    outputs = open_outputs(clock, (_Spec(format=form, target=target, level=level),), hostname=hostname)
    return Telemetry(outputs), outputs


def _is_terminal(target: str) -> bool:
    return target in {"stdout", "stderr"} and os.isatty(1 if target == "stdout" else 2)
