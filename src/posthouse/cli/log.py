"""``posthouse log``."""

from __future__ import annotations

import sys

import click
import orjson

from posthouse.cli.common import home_option
from posthouse.cli.control import follow_log
from posthouse.config.home import Home


@click.group()
def command() -> None:
    """Live events."""


@command.command()
@click.option("--event", default="", help="Only events whose name begins so, such as message or relay.sent.")
@click.option("--contains", default="", help="Only lines that contain this text, such as an address or a queue id.")
@click.option("--count", default=0, help="End after so many lines.")
@home_option
def tail(home: Home, event: str, contains: str, count: int) -> None:
    """Follow the events of a running server, until Ctrl-C."""
    shown = 0
    try:
        for line in follow_log(home):
            if contains.encode() not in line or not _is_event(line, event):
                continue
            sys.stdout.write(line.decode("utf-8", "replace") + "\n")
            sys.stdout.flush()
            shown += 1
            if shown == count:
                return
    except KeyboardInterrupt:
        return


def _is_event(line: bytes, prefix: str) -> bool:
    if not prefix:
        return True
    try:
        name = orjson.loads(line).get("event", "")
    except (orjson.JSONDecodeError, AttributeError):
        return prefix.encode() in line
    return str(name).startswith(prefix)
