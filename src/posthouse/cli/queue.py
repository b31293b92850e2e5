"""``posthouse queue``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click
import orjson

from posthouse.cli.common import confirm, home_option, json_option, print_list, print_object, with_tools
from posthouse.cli.times import ago, moment, until
from posthouse.config.home import Home
from posthouse.core.ids import QueueId, parse_queue_id
from posthouse.services.administration.faults import Refused

if TYPE_CHECKING:
    from posthouse.services.queue.control import QueueControls
    from posthouse.toolbox import Toolbox

COLUMNS = ("queue_id", "age", "size", "from", "to", "state", "next", "attempts", "last_reply")


class QueueIdType(click.ParamType[QueueId]):
    """A queue id as people see it."""

    name = "queue id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> QueueId:
        """Return the id, or fail with what one looks like."""
        try:
            return parse_queue_id(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


queue_id_argument = click.argument("queue_id", type=QueueIdType())
recipient_option = click.option("--recipient", "number", type=int, metavar="N", help="Only this recipient.")


@click.group()
def command() -> None:
    """Mail that waits for other servers."""


@command.command(name="list")
@click.option("--summary", is_flag=True, help="Count by destination instead.")
@json_option
@home_option
def list_(home: Home, summary: bool, as_json: bool) -> None:
    """List queued recipients, oldest message first."""

    async def action(tools: Any) -> None:
        if summary:
            rows = await tools.queue.summary()
            soon = [row | {"next": until(row["next_attempt"] - tools.clock.now())} for row in rows]
            print_list(rows if as_json else soon, ("destination", "state", "recipients", "next"), as_json=as_json)
            return
        if as_json:
            async for row in tools.queue.recipients():
                sys.stdout.write(orjson.dumps(row).decode() + "\n")
            return
        now = tools.clock.now()
        rows = [
            row | {"age": ago(now - row["received"]), "next": until(row["next_attempt"] - now)}
            async for row in tools.queue.recipients()
        ]
        print_list(rows, COLUMNS, as_json=False)

    with_tools(home, action)


@command.command()
@queue_id_argument
@json_option
@home_option
def show(home: Home, queue_id: QueueId, as_json: bool) -> None:
    """Show a queued message with its recipients."""
    found = with_tools(home, lambda tools: tools.queue.show(queue_id))
    if found is None:
        raise Refused(f"{_given(queue_id)} is not in the queue", "`posthouse journey show` may tell where it went.")
    if as_json:
        print_object(found, as_json=True)
        return
    recipients = found.pop("recipients")
    print_object(found | {"received": moment(found["received"]), "expires": moment(found["expires"])}, as_json=False)
    click.echo()
    rows = [row | {"next": moment(row["next_attempt"])} for row in recipients]
    print_list(rows, ("number", "to", "destination", "state", "attempts", "next", "last_reply"), as_json=False)


def _change(home: Home, what: Callable[[QueueControls], Coroutine[Any, Any, int]], done: str) -> None:
    _report(with_tools(home, lambda tools: what(tools.queue)), done)


def _report(changed: int, done: str) -> None:
    if not changed:
        raise Refused("nothing in the queue fits", "`posthouse queue list` shows what is there.")
    click.echo(f"{changed} recipient{'s' if changed != 1 else ''} {done}")


@command.command()
@click.argument("queue_id", type=QueueIdType(), required=False)
@click.option("--all", "everything", is_flag=True, help="The whole queue.")
@recipient_option
@home_option
def retry(home: Home, queue_id: QueueId | None, everything: bool, number: int | None) -> None:
    """Try again now."""
    if (queue_id is None) != everything:
        raise click.UsageError("Give a queue id or --all")
    _change(home, lambda queue: queue.retry(queue_id, number), "due now")


@command.command()
@queue_id_argument
@recipient_option
@home_option
def hold(home: Home, queue_id: QueueId, number: int | None) -> None:
    """Keep from being tried until released."""
    _change(home, lambda queue: queue.hold(queue_id, number), "held")


@command.command()
@queue_id_argument
@recipient_option
@home_option
def release(home: Home, queue_id: QueueId, number: int | None) -> None:
    """Let go what was held."""
    _change(home, lambda queue: queue.release(queue_id, number), "released")


@command.command()
@queue_id_argument
@recipient_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def remove(home: Home, queue_id: QueueId, number: int | None, yes: bool) -> None:
    """Delete from the queue and tell nobody."""
    confirm(f"Delete {_given(queue_id)} from the queue without telling its sender?", yes=yes)
    _change(home, lambda queue: queue.remove(queue_id, number), "removed")


@command.command()
@queue_id_argument
@recipient_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def bounce(home: Home, queue_id: QueueId, number: int | None, yes: bool) -> None:
    """Give up and tell the sender."""
    confirm(f"Return {_given(queue_id)} to its sender?", yes=yes)
    _report(with_tools(home, lambda tools: _bounce(tools, queue_id, number)), "returned")


async def _bounce(tools: Toolbox, queue_id: QueueId, number: int | None) -> int:
    return await (await tools.bouncing_queue()).bounce(queue_id, number)


def _given(queue_id: QueueId) -> str:
    from posthouse.core.ids import format_queue_id

    return format_queue_id(queue_id)
