"""``posthouse status``."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Any

import click

from posthouse.cli.common import home_option, json_option, print_list, print_object, with_tools
from posthouse.cli.control import ask_workers
from posthouse.cli.times import ago, rounded_size, until
from posthouse.config.file import Configuration
from posthouse.config.home import Home


@click.command()
@json_option
@home_option
def command(home: Home, as_json: bool) -> int:
    """Show listeners, workers, sessions, the queue and the store. The exit code is 69 where no server answers."""
    workers = ask_workers(home)

    async def action(tools: Any) -> dict[str, Any]:
        return {
            "home": str(home.path),
            "hostname": tools.configuration.hostname,
            "serving": bool(workers),
            "listeners": _listeners(tools.configuration, workers),
            "workers": workers,
            "queue": await tools.queue.summary(),
            "store": _store(home, tools.configuration),
            "now": tools.clock.now(),
        }

    found = with_tools(home, action)
    now = found.pop("now")
    if as_json:
        print_object(found, as_json=True)
    else:
        _print(found, now)
    return os.EX_OK if workers else os.EX_UNAVAILABLE


def _listeners(configuration: Configuration, workers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "listener": one.name,
            "protocol": one.protocol,
            "bind": [str(bind) for bind in one.bind],
            "tls": one.tls,
            "sessions": sum(worker["sessions"].get(one.name, 0) for worker in workers),
        }
        for one in configuration.listeners
    ]


def _store(home: Home, configuration: Configuration) -> dict[str, Any]:
    path = configuration.in_home(configuration.store_url.removeprefix("sqlite:///"))
    used = 0
    for name in (str(path), f"{path}-wal"):
        with contextlib.suppress(OSError):
            used += os.stat(name).st_size  # noqa: PTH116  (a name, not a path with a suffix)
    return {"url": configuration.store_url, "octets": used, "free_octets": shutil.disk_usage(home.path).free}


def _print(found: dict[str, Any], now: float) -> None:
    print_object({key: found[key] for key in ("home", "hostname", "serving")}, as_json=False)
    store = found["store"]
    click.echo(f"store:     {rounded_size(store['octets'])}, {rounded_size(store['free_octets'])} free")
    click.echo("\nListeners")
    print_list(found["listeners"], ("listener", "protocol", "bind", "tls", "sessions"), as_json=False)
    click.echo("\nWorkers")
    workers = [row | {"sessions": sum(row["sessions"].values()), "up": ago(row["seconds"])} for row in found["workers"]]
    print_list(workers, ("worker", "pid", "up", "sessions", "queue_in_flight", "duties"), as_json=False)
    click.echo("\nQueue")
    queue = [row | {"next": until(row["next_attempt"] - now)} for row in found["queue"]]
    print_list(queue, ("destination", "state", "recipients", "next"), as_json=False)
