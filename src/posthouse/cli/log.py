"""``posthouse log``: live events, events from the files, the summary of a day.

Tests: ``tests/unit/cli/test_log_commands.py``, ``tests/interop/test_metrics_merged.py``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from posthouse.cli.common import home_option, json_option, safe
from posthouse.cli.control import follow_log
from posthouse.cli.times import since_text
from posthouse.config.home import Home
from posthouse.services.administration.faults import Refused

if TYPE_CHECKING:
    from posthouse.telemetry.filters import LineFilter

F = TypeVar("F", bound=Callable[..., Any])
_LEVELS = ("debug", "info", "warning", "error")


@click.group()
def command() -> None:
    """Live events, events from the log files, and the summary of a day."""


def filter_options(function: F) -> F:
    """Give a command the options that choose lines, and hand it a ``LineFilter``."""
    options = (
        click.option("--event", default="", help="Only events whose name begins so, such as message or relay.sent."),
        click.option("--level", type=click.Choice(_LEVELS), default=None, help="Only events of this level and above."),
        click.option("--session", default="", help="Only events of this session."),
        click.option("--account", "--address", "address", default="", help="Only events about an address with this."),
        click.option("--queue-id", default="", help="Only events of this message."),
        click.option("--contains", default="", help="Only lines that contain this text."),
    )

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from posthouse.telemetry.filters import LineFilter

        words: dict[str, Any] = {name: kwargs.pop(name) or "" for name in _FILTER_WORDS}
        return function(*args, wanted=LineFilter(**words), **kwargs)

    made: Any = wrapped
    for option in reversed(options):
        made = option(made)
    return made  # type: ignore[no-any-return]


_FILTER_WORDS = ("event", "level", "session", "address", "queue_id", "contains")


@command.command()
@filter_options
@click.option("--count", type=click.IntRange(min=0), default=0, help="End after so many lines.")
@home_option
def tail(home: Home, wanted: LineFilter, count: int) -> None:
    """Follow the events of a running server, until Ctrl-C.

    With --level debug you see events that the log leaves out.
    """
    shown = 0
    try:
        for line in follow_log(home, level=wanted.level or "info"):
            if wanted.match(line) is None:
                continue
            _show(line)
            shown += 1
            if shown == count:
                return
    except KeyboardInterrupt:
        return


@command.command()
@filter_options
@click.option("--since", default="", metavar="TIME", help="From when on: 2h, 3d, 2026-11-21 or 2026-11-21T10:00.")
@click.option("--until", default="", metavar="TIME", help="Up to when.")
@click.option("--file", "file", type=click.Path(path_type=Path), default=None, help="Another log than this server's.")
@click.option("--count", type=click.IntRange(min=0), default=0, help="End after so many lines.")
@home_option
def search(home: Home, *, wanted: LineFilter, since: str, until: str, file: Path | None, count: int) -> None:
    """Show events from the log file and its rotated files, oldest first.

    It reads the first output of posthouse.toml that writes JSON to a file.
    """
    from posthouse.telemetry.archive import read_lines

    now = time.time()
    wanted = dataclasses.replace(wanted, since=since_text(since, now), until=since_text(until, now))
    shown = 0
    for line in read_lines(file or log_file(home), since=wanted.since, trouble=_complain):
        if wanted.match(line) is not None:
            _show(line)
            shown += 1
            if shown == count:
                return


@command.command()
@click.option("--day", default="today", metavar="DAY", help="today, yesterday, or a date such as 2026-11-21.")
@click.option("--top", type=click.IntRange(1, 1000), default=10, help="How many of each list are shown.")
@click.option("--file", "file", type=click.Path(path_type=Path), default=None, help="Another log than this server's.")
@json_option
@home_option
def summary(home: Home, day: str, top: int, file: Path | None, *, as_json: bool) -> None:
    """Show what happened on a day: mail received, sent and refused, sign-ins, the busiest addresses and clients."""
    import orjson

    from posthouse.telemetry.archive import read_lines
    from posthouse.telemetry.summary import summarise, summary_text

    date = _day(day)
    since, until = (_midnight(each) for each in (date, date + dt.timedelta(days=1)))
    lines = read_lines(file or log_file(home), since=since, trouble=_complain)
    found = summarise(lines, since=since, until=until, top=top)
    if as_json:
        sys.stdout.write(orjson.dumps({"day": date.isoformat(), **dataclasses.asdict(found)}).decode() + "\n")
    else:
        sys.stdout.write(summary_text(found, f"Mail on {date.isoformat()}"))


def _day(text: str) -> dt.date:
    today = dt.datetime.now().astimezone().date()
    if text in {"today", "yesterday"}:
        return today - dt.timedelta(days=text == "yesterday")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is not a day: write today, yesterday or 2026-11-21") from None


def _midnight(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time()).astimezone().timestamp()


def log_file(home: Home) -> Path:
    """Return the path of the first JSON log of a home. Raises Refused: where it has none."""
    from posthouse.config.file import load_configuration

    configuration = load_configuration(home.file)
    for output in configuration.log.all_outputs:
        if output.is_file and output.format == "json":
            return configuration.in_home(output.target)
    raise Refused(
        f"{home.file} writes no JSON log to a file",
        "Add an output with a path as its target, or name a file with --file.",
        exit_code=78,
    )


def _show(line: bytes) -> None:
    sys.stdout.write(safe(line.decode("utf-8", "replace")) + "\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    click.echo(f"posthouse: {safe(text)}", err=True)
