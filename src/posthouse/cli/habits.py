"""What single operations do otherwise than all: how they are shown, which exit code they have, what they ask for.

Everything here is about a terminal; what an operation does and gives is in its definition.
Tests: ``tests/unit/cli/test_commands.py``, ``tests/unit/cli/test_check_printing.py``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import click

from posthouse.cli import answers, check_view
from posthouse.cli.performing import Order
from posthouse.cli.tables import Table, aligned, safe
from posthouse.cli.times import ago, moment, rounded_size, until
from posthouse.services.administration.operation import Operation

Cells = Mapping[str, tuple[str, answers.Cell]]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and what was asked."""

    answer: Mapping[str, Any]
    order: Order


def _good(_: Told) -> int:
    return os.EX_OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a command differs from others.

    Attributes:
        show: prints the answer for people.
        rows: the list in the answer that ``--json`` prints a line each.
        code: the exit code after an answer.
        hint: a line for people on standard error; "" for none.
        cells: makes columns of a table with another head and text: ``{column: (head, text)}``.
        line: an event as a line for people.
        asks: secrets that are asked for at a terminal although nobody said so.
        limit: how many items are printed where nobody says; 0 for all.
        is_plain: the noun alone means this verb.
        detour: an option, its help, and the verb that it stands for.
    """

    show: Callable[[Told], None] | None = None
    rows: str = ""
    code: Callable[[Told], int] = _good
    hint: Callable[[Told], str] | None = None
    cells: Callable[[], Cells] = dict
    line: Callable[[Mapping[str, Any]], str] | None = None
    asks: frozenset[str] = frozenset()
    limit: int = 0
    is_plain: bool = False
    detour: tuple[str, str, str] | None = None


def habit_of(operation: Operation[Any, Any]) -> Habit:
    """Return the habit of an operation; most have none."""
    return _HABITS.get(operation.name, _NONE)


# ---- accounts -------------------------------------------------------------------------------------------------------


def _without_password(told: Told) -> str:
    if told.answer["has_password"]:
        return ""
    return f"Nobody can sign in yet: posthouse account set {told.answer['address']} --password-file FILE"


def _held(told: Told) -> str:
    if told.order.given.now:
        return ""
    address = told.order.given.address
    return f"It is kept for a while: posthouse account restore {address} has it back, account purge destroys it."


# ---- settings -------------------------------------------------------------------------------------------------------


def _value(told: Told) -> None:
    click.echo(safe(told.answer["value"]))


def _change_cells() -> Cells:
    return {"at": ("at", lambda item: moment(item["at"]))}


def _differences(told: Told) -> None:
    shown = told.answer
    Table(["action", "subject", "field", "before", "after"]).print(
        [each[name] if isinstance(each[name], str) else _short(each[name]) for name in _DIFFERENCE]
        for each in shown["differences"]
    )
    verb = "would differ" if told.order.dry_run else "changed"
    click.echo(f"{shown['objects']} objects, {shown['changed']} {verb}")


_DIFFERENCE: Final = ("action", "subject", "field", "before", "after")


def _short(value: Any) -> str:
    return "" if value is None else answers.text_of(value)


# ---- the queue ------------------------------------------------------------------------------------------------------


def _queue_cells() -> Cells:
    now = time.time()
    return {
        "received": ("age", lambda item: ago(now - item["received"])),
        "size": ("size", lambda item: str(item["size"])),
        "next_attempt": ("next", lambda item: until(item["next_attempt"] - now)),
    }


def _message(told: Told) -> None:
    shown = told.answer
    times = {name: moment(shown[name]) for name in ("received", "expires")}
    envelope = {name: shown[name] for name in ("queue_id", "from")} | times | {"size": shown["size"]}
    aligned((name.replace("_", " "), str(value)) for name, value in (envelope | {"envid": shown["envid"]}).items())
    click.echo()
    columns = ("number", "to", "destination", "state", "attempts", "next_attempt", "last_reply")
    model = None
    cells: Cells = {"next_attempt": ("next", lambda item: moment(item["next_attempt"]))}
    answers.print_items(shown["recipients"], model, columns, cells)


def _steered(done: str) -> Habit:
    def show(told: Told) -> None:
        count = told.answer["recipients"]
        click.echo(f"{count} recipient{'' if count == 1 else 's'} {done}")

    return Habit(show=show)


def _story(told: Told) -> None:
    for step in told.answer["steps"]:
        first, *rest = step["words"] or [step["step"]]
        click.echo(f"{moment(step['at'])}  {safe(first)}")
        for line in rest:
            click.echo(f"{'':21}{safe(line)}")


# ---- the server -----------------------------------------------------------------------------------------------------


def _status(told: Told) -> None:
    shown, now = told.answer, time.time()
    store = shown["store"]
    aligned(
        [
            ("home", shown["home"]),
            ("hostname", shown["hostname"]),
            ("serving", answers.text_of(shown["serving"])),
            ("store", f"{rounded_size(store['octets'])}, {rounded_size(store['free_octets'])} free"),
        ]
    )
    click.echo("\nListeners")
    answers.print_items(shown["listeners"], None, ("listener", "protocol", "bind", "tls", "sessions"), {})
    click.echo("\nWorkers")
    cells: Cells = {
        "seconds": ("up", lambda item: ago(item["seconds"])),
        "sessions": ("sessions", lambda item: str(sum(item["sessions"].values()))),
    }
    columns = ("worker", "pid", "seconds", "sessions", "queue_in_flight", "duties")
    _or_none(answers.print_items(shown["workers"], None, columns, cells))
    click.echo("\nQueue")
    cells = {"next_attempt": ("next", lambda item: until(item["next_attempt"] - now))}
    waiting = ("destination", "state", "recipients", "next_attempt")
    _or_none(answers.print_items(shown["queue"], None, waiting, cells))


def _or_none(count: int) -> None:
    if not count:
        click.echo("(none)", err=True)


def _verified(told: Told) -> None:
    findings = told.answer["findings"]
    if not findings:
        click.echo("The store is sound.")
        return
    columns = ("invariant", "where", "detail", "remedy", "repaired")
    answers.print_items(findings, None, columns if told.order.given.repair else columns[:-1], {})


def _imported(told: Told) -> None:
    shown = told.answer
    became = "would become" if told.order.dry_run else "became"
    records = f"{shown['records']} records of {safe(shown['source'])}"
    click.echo(f"What {became} of {records}, in {shown['seconds']:g} seconds")
    kinds = [{"kind": kind, **counts} for kind, counts in shown["counts"].items()]
    names = [name for name in ("kind", "made", "changed", "present", "refused") if any(name in each for each in kinds)]
    answers.print_items(kinds, None, names, {})
    if shown["problems"]:
        click.echo(f"\nWrong, and left out: {shown['problem_count']}")
        for each in shown["problems"][:_LISTED]:
            click.echo(safe(f"  {each['where']}: {'. '.join(filter(None, (each['detail'], each['remedy'])))}"))
        _and_more(shown["problem_count"], len(shown["problems"]))
    if shown["left_out"]:
        click.echo(f"\nWithout a place here: {shown['left_out_count']}")
        for each in shown["left_out"][:_LISTED]:
            first = [f"{example['what']} ({example['where']})" for example in each["examples"][:_EXAMPLES]]
            more = f", and {each['count'] - len(first)} more" if each["count"] > len(first) else ""
            click.echo(safe(f"  {', '.join(first)}{more}: {each['why']}"))
        _and_more(len(shown["left_out"]), len(shown["left_out"]))
    if not shown["complete"]:
        click.echo("\nIt was stopped; import the same file again, and it goes on.")


def _and_more(count: int, kept: int) -> None:
    if count > _LISTED:
        click.echo(f"  and {count - _LISTED} more; `--json` has the first {kept}")


def _event(event: Mapping[str, Any]) -> str:
    fields = " ".join(f"{name}={answers.text_of(value)}" for name, value in event["fields"].items())
    return safe(f"{event['ts']} {event['level']:<7} {event['event']} {fields}".rstrip())


_LISTED: Final = 20  # of each kind of trouble in an import
_EXAMPLES: Final = 3
_NONE: Final = Habit()
_QUEUE_SUMMARY: Final = ("--summary", "Count by destination instead.", "summary")
_HABITS: Final[dict[str, Habit]] = {
    "account.add": Habit(asks=frozenset({"password"}), hint=_without_password),
    "account.remove": Habit(hint=_held),
    "shared.remove": Habit(),
    "setting.get": Habit(show=_value),
    "setting.history": Habit(limit=50, cells=_change_cells),
    "audit.list": Habit(limit=100),
    "apply": Habit(show=_differences),
    "undo": Habit(show=_differences),
    "event.follow": Habit(line=_event),
    "queue.list": Habit(cells=_queue_cells, detour=_QUEUE_SUMMARY),
    "queue.summary": Habit(cells=_queue_cells),
    "queue.show": Habit(show=_message),
    "queue.hold": _steered("held"),
    "queue.release": _steered("released"),
    "queue.retry": _steered("due now"),
    "queue.remove": _steered("removed"),
    "queue.bounce": _steered("returned"),
    "journey.find": Habit(limit=50),
    "journey.show": Habit(show=_story),
    "status": Habit(show=_status, code=lambda told: os.EX_OK if told.answer["serving"] else os.EX_UNAVAILABLE),
    "verify": Habit(
        show=_verified, rows="findings", code=lambda told: os.EX_OK if told.answer["is_sound"] else os.EX_DATAERR
    ),
    **{
        f"import.{kind}": Habit(show=_imported)
        for kind in ("csv", "hmailserver", "ldif", "mailenable", "postfix", "system")
    },
    "check.run": Habit(
        show=lambda told: check_view.print_report(told.answer), rows="findings", is_plain=True,
        code=lambda told: check_view.code_of(told.answer),
    ),
    "check.relay": Habit(
        show=lambda told: check_view.print_report(told.answer), rows="findings",
        code=lambda told: check_view.code_of(told.answer),
    ),
    "check.dns": Habit(show=lambda told: check_view.print_records(told.answer), rows="records"),
    "check.mx": Habit(show=lambda told: check_view.print_exchangers(told.answer)),
    "check.sign-in": Habit(
        show=lambda told: check_view.print_steps(told.answer),
        code=lambda told: os.EX_OK if told.answer["is_signed_in"] else os.EX_NOPERM,
    ),
}  # fmt: skip
