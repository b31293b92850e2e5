"""Commands made from operations: ``posthouse NOUN VERB``, the same for a home of this machine and a server elsewhere.

    definition -> arguments and options -> input -> order -> performer -> answer -> table, lines, JSON, a file

Every command that writes has ``--dry-run``, every one that destroys asks or takes ``--yes``, every one that prints has
``--json``. What one operation alone needs is in ``habits``. Tests: ``tests/unit/cli/test_generated.py``.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Final

import click
from click.core import ParameterSource

from posthouse.cli import answers
from posthouse.cli.common import confirm
from posthouse.cli.completing import completer_for
from posthouse.cli.files import opened_upload, refuse_existing, write_download
from posthouse.cli.habits import Habit, Told, habit_of
from posthouse.cli.parameters import input_of, parameters_of
from posthouse.cli.performing import Order, Performer, no_progress, performer_for
from posthouse.cli.progress import shown_progress
from posthouse.cli.target import TARGET_OPTIONS, said_in, target_of, target_options
from posthouse.services.administration.catalogue import NOUNS, operations_of
from posthouse.services.administration.operation import PAGE_MOST, Download, Effect, Operation, PageInput

_TARGET_NAMES: Final = frozenset(option for _, option, *_ in TARGET_OPTIONS)
_REVISED: Final = frozenset({"PATCH", "PUT", "DELETE"})
DRY_RUN_SAID: Final = "Nothing was changed: this was a dry run."


def command_for(noun: str) -> click.Command:
    """Return the command of a noun, with its verbs where it has any."""
    operations = operations_of(noun)
    if len(operations) == 1 and not operations[0].verb:
        return make_command(operations[0])
    plain = next((each for each in operations if habit_of(each).is_plain), None)
    group = _plain_group(noun, plain) if plain is not None else click.Group(noun, help=NOUNS[noun][1])
    for each in operations:
        group.add_command(make_command(each), each.verb)
    return group


def _plain_group(noun: str, operation: Operation[Any, Any]) -> click.Group:
    """Return a group whose noun alone means a verb, such as ``posthouse check``."""
    plain = make_command(operation)

    def run(context: click.Context, /, **values: Any) -> Any:
        if context.invoked_subcommand is None:
            assert plain.callback is not None, "it was made with one"
            return plain.callback(**values)
        misplaced = [
            each.opts[0]
            for each in plain.params
            if each.name and context.get_parameter_source(each.name) is ParameterSource.COMMANDLINE
        ]
        for option in misplaced:
            if option not in _TARGET_NAMES:
                raise click.UsageError(f"{option} goes after {context.invoked_subcommand}", context)
        return None

    return click.Group(
        noun,
        callback=click.pass_context(run),
        params=list(plain.params),
        help=plain.help,
        invoke_without_command=True,
    )


def make_command(operation: Operation[Any, Any]) -> click.Command:
    """Return the command of an operation."""
    habit = habit_of(operation)
    run = Run(operation, habit)
    return click.Command(
        operation.verb or operation.noun,
        callback=click.pass_context(run),
        params=[*parameters_of(operation, completer_for(operation)), *_common(operation, habit)],
        help=f"{operation.summary}\n\n{operation.explanation}".rstrip(),
        short_help=operation.summary,
    )


def _common(operation: Operation[Any, Any], habit: Habit) -> Iterator[click.Parameter]:
    if operation.upload:
        yield click.Argument(["_upload"], metavar="FILE", type=click.STRING)
    if habit.detour:
        yield click.Option(["_detour", habit.detour[0]], is_flag=True, help=habit.detour[1])
    if issubclass(operation.input, PageInput):
        yield click.Option(
            ["_limit", "--limit"], metavar="N", type=click.IntRange(min=1), default=habit.limit or None,
            help=f"Print so many at most{f' [default: {habit.limit}]' if habit.limit else ''}.",
        )  # fmt: skip
    is_file = operation.output is Download
    if is_file:
        yield click.Option(["_output", "--output"], metavar="FILE", help="Write to this file; - is standard output.")
    if operation.method in _REVISED and operation.writes:
        yield click.Option(
            ["_if_revision", "--if-revision"], metavar="N", type=click.IntRange(min=1),
            help="Only if nobody has changed it since you read this revision.",
        )  # fmt: skip
    if operation.writes:
        yield click.Option(["_dry_run", "--dry-run"], is_flag=True, help="Say what would be, and change nothing.")
    if operation.effect is Effect.DESTROY or is_file:
        explained = "Do not ask." if not is_file else "Replace a file that is there."
        yield click.Option(["_yes", "--yes"], is_flag=True, help=explained)
    if not is_file:
        yield click.Option(["_json", "--json"], is_flag=True, help="Print JSON: an object, or one a line for lists.")
    yield from target_options(hidden=True)


class Run:
    """What a command does."""

    def __init__(self, operation: Operation[Any, Any], habit: Habit) -> None:
        self._operation = operation
        self._habit = habit

    def __call__(self, context: click.Context, /, **values: Any) -> int:
        """Carry the operation out; return the exit code."""
        if values.get("_detour"):
            return self._detour(context, values)
        operation = self._operation
        asked = self._habit.asks
        given = input_of(operation, context, values, asked)
        target = target_of(said_in(context))
        if operation.effect is Effect.DESTROY and not values["_dry_run"]:
            confirm(self._question(values), yes=values["_yes"])
        with ExitStack() as stack:
            order = self._order(given, values, stack)
            performer = stack.enter_context(performer_for(target))
            code = self._carry_out(performer, order, values)
        if order.dry_run:
            click.echo(DRY_RUN_SAID, err=True)
        return code

    def _detour(self, context: click.Context, values: Mapping[str, Any]) -> int:
        assert self._habit.detour is not None, "only then is there such an option"
        verb = self._habit.detour[2]
        other = next(each for each in operations_of(self._operation.noun) if each.verb == verb)
        passed = {name: values[name] for name in ("_json", "_limit")}
        return Run(other, habit_of(other))(context, **passed)

    def _question(self, values: Mapping[str, Any]) -> str:
        named = [values[name] for name in self._operation.arguments if values.get(name)]
        what = " ".join([self._operation.noun, self._operation.verb, *map(str, named)])
        return f"{what}: {self._operation.summary} Go on?"

    def _order(self, given: Any, values: Mapping[str, Any], stack: ExitStack) -> Order:
        operation = self._operation
        upload = stack.enter_context(opened_upload(values["_upload"], operation.upload)) if operation.upload else None
        is_slow = operation.is_long or operation.upload or operation.output is Download
        is_told = is_slow and not (operation.output is Download and values.get("_output") in {None, "-"})
        title = f"{operation.noun} {operation.verb}".strip()
        return Order(
            operation=operation,
            given=given,
            dry_run=bool(values.get("_dry_run")),
            if_revision=values.get("_if_revision") or 0,
            upload=upload,
            progress=stack.enter_context(shown_progress(title)) if is_told else no_progress,
        )

    def _carry_out(self, performer: Performer, order: Order, values: Mapping[str, Any]) -> int:
        operation = self._operation
        if operation.output is Download:
            self._fetch(performer, order, values)
            return os.EX_OK
        if operation.streams:
            return self._follow(performer, order, as_json=values["_json"])
        if issubclass(operation.input, PageInput):
            return self._list(performer, order, values)
        answer = performer.answer(order)
        told = Told(answer=answer, order=order)
        if values["_json"]:
            self._print_json(answer)
        elif self._habit.show is not None:
            self._habit.show(told)
        elif answer:
            answers.print_object(answer, answers.item_model(operation.output), operation.columns)
        if self._habit.hint is not None and not order.dry_run:
            hint = self._habit.hint(told)
            if hint:
                click.echo(hint, err=True)
        return self._habit.code(told)

    def _print_json(self, answer: Mapping[str, Any]) -> None:
        if self._habit.rows:
            answers.print_lines(answer[self._habit.rows])
        elif answer:
            answers.print_json(answer)

    def _list(self, performer: Performer, order: Order, values: Mapping[str, Any]) -> int:
        most = values["_limit"]
        size = min(most, PAGE_MOST) if most else PAGE_MOST
        paged = Order(
            operation=order.operation, given=order.given.model_copy(update={"limit": size}), progress=order.progress
        )
        items: Iterator[Mapping[str, Any]] = performer.items(paged)
        items = itertools.islice(items, most) if most else items
        if values["_json"]:
            answers.print_lines(items)
            return os.EX_OK
        model = answers.item_model(self._operation.output)
        columns = answers.columns_of(model, self._operation.columns)
        if not answers.print_items(items, model, columns, self._habit.cells()):
            click.echo("(none)", err=True)
        return os.EX_OK

    def _follow(self, performer: Performer, order: Order, *, as_json: bool) -> int:
        try:
            for event in performer.events(order):
                if as_json or self._habit.line is None:
                    answers.print_json(event)
                else:
                    click.echo(self._habit.line(event))
        except KeyboardInterrupt:
            pass
        return os.EX_OK

    def _fetch(self, performer: Performer, order: Order, values: Mapping[str, Any]) -> None:
        from pathlib import Path

        output = values["_output"]
        if output not in {None, "-"}:
            refuse_existing(Path(output), replace=values["_yes"])  # before minutes of work
        made = performer.file(order)
        write_download(made.chunks, made.media_type, output=output, replace=values["_yes"])
