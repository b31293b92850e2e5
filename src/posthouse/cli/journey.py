"""``posthouse journey``."""

from __future__ import annotations

from typing import Any

import click

from posthouse.cli.common import home_option, json_option, print_list, print_object, safe, with_tools
from posthouse.cli.queue import queue_id_argument
from posthouse.cli.times import moment, since_text
from posthouse.config.home import Home
from posthouse.core.ids import QueueId, format_queue_id, queue_id_time
from posthouse.services.administration.faults import Refused


@click.group()
def command() -> None:
    """What happened to a message, and why."""


@command.command()
@click.argument("what", default="")
@click.option("--since", default="", help="Such as 2h, 3d, 2026-11-21 or 2026-11-21T10:00.")
@click.option("--until", "until_", default="", help="The same for the end.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@home_option
def find(home: Home, *, what: str, since: str, until_: str, limit: int, as_json: bool) -> None:
    """Find messages by queue id, Message-ID, address or time; newest first."""

    async def action(tools: Any) -> list[dict[str, Any]]:
        now = tools.clock.now()
        found = await tools.journey.find(what, since=since_text(since, now), until=since_text(until_, now), limit=limit)
        rows = []
        for queue_id in found:
            steps = await tools.journey.story(queue_id)
            rows.append(
                {
                    "queue_id": format_queue_id(queue_id),
                    "time": moment(queue_id_time(queue_id)),
                    "story": steps[0].words[0] if steps else "",
                    "last": steps[-1].step if steps else "",
                }
            )
        return rows

    print_list(with_tools(home, action), ("queue_id", "time", "last", "story"), as_json=as_json)


@command.command()
@queue_id_argument
@json_option
@home_option
def show(home: Home, queue_id: QueueId, as_json: bool) -> None:
    """Tell a message's story, each step with its reason."""
    steps = with_tools(home, lambda tools: tools.journey.story(queue_id))
    if not steps:
        raise Refused(f"nothing is known of {format_queue_id(queue_id)}", "Stories are kept for 30 days.")
    if as_json:
        story = [{"at": step.at, "step": step.step, **step.record} for step in steps]
        print_object({"queue_id": format_queue_id(queue_id), "steps": story}, as_json=True)
        return
    for step in steps:
        first, *rest = step.words
        click.echo(f"{moment(step.at)}  {safe(first)}")
        for line in rest:
            click.echo(f"{'':21}{safe(line)}")
