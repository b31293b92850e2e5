"""``posthouse status``."""

from __future__ import annotations

import os
from typing import Any

import click

from posthouse.cli.common import home_option, json_option, print_list, print_object, with_tools
from posthouse.cli.control import ask_workers
from posthouse.cli.times import until
from posthouse.config.home import Home


@click.command()
@json_option
@home_option
def command(home: Home, as_json: bool) -> int:
    """Show workers, sessions and the queue. The exit code is 69 where no server answers."""
    workers = ask_workers(home)

    async def action(tools: Any) -> dict[str, Any]:
        return {
            "home": str(home.path),
            "hostname": tools.configuration.hostname,
            "serving": bool(workers),
            "workers": workers,
            "queue": await tools.queue.summary(),
            "now": tools.clock.now(),
        }

    found = with_tools(home, action)
    now = found.pop("now")
    if as_json:
        print_object(found, as_json=True)
    else:
        _print(found, now)
    return os.EX_OK if workers else os.EX_UNAVAILABLE


def _print(found: dict[str, Any], now: float) -> None:
    print_object({key: found[key] for key in ("home", "hostname", "serving")}, as_json=False)
    click.echo("\nWorkers")
    workers = [
        row | {"sessions": ", ".join(f"{name} {count}" for name, count in sorted(row["sessions"].items()))}
        for row in found["workers"]
    ]
    print_list(workers, ("worker", "pid", "sessions", "queue_in_flight"), as_json=False)
    click.echo("\nQueue")
    queue = [row | {"next": until(row["next_attempt"] - now)} for row in found["queue"]]
    print_list(queue, ("destination", "state", "recipients", "next"), as_json=False)
