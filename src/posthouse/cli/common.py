"""What hand-written nouns share: the home option, a store that is open while a command runs, printing."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from posthouse.cli.tables import Table, aligned, safe
from posthouse.cli.target import Wish, home_of, said_in
from posthouse.config.home import Home

if TYPE_CHECKING:
    from posthouse.toolbox import Toolbox

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["confirm", "home_option", "json_option", "print_list", "print_object", "record", "safe", "with_tools"]


def home_option(function: F) -> F:
    """Give a command ``--home`` and hand it the ``Home`` as its first argument; it works on this machine only."""

    @click.option("--home", "_home", metavar="DIR", help="The server's home.")
    @click.pass_context
    @functools.wraps(function)
    def wrapped(context: click.Context, /, *args: Any, _home: str | None, **kwargs: Any) -> Any:
        wish = said_in(context)
        if wish.is_remote:
            raise click.UsageError(f"{context.command_path} works on the machine itself, not on a server elsewhere")
        return function(home_of(wish), *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def find_home(text: str | None) -> Home:
    """Return the home: what was said, else the environment, else the default."""
    return home_of(Wish(home=text))


def json_option(function: F) -> F:
    """Give a command ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON: an object, or one a line for lists.")(
        function
    )


def with_tools(home: Home, action: Callable[[Toolbox], Coroutine[Any, Any, T]]) -> T:
    """Open the home's store, run the action, close. Raises Fault."""
    from posthouse.toolbox import opened_toolbox

    async def run() -> T:
        async with opened_toolbox(home) as tools:
            return await action(tools)

    return asyncio.run(run())


def record(value: Any) -> dict[str, Any]:
    """Return the fields of a row as plain values."""
    plain = (
        dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else dict(value)
    )
    return {key: item.value if isinstance(item, enum.Enum) else item for key, item in plain.items()}


def print_object(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: a JSON object, or a line for each field."""
    if as_json:
        import orjson

        sys.stdout.write(orjson.dumps(fields, default=str).decode() + "\n")
        return
    aligned((name.replace("_", " "), _text(value)) for name, value in fields.items())


def print_list(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print many things: JSON Lines, or a table of the columns named."""
    if as_json:
        import orjson

        for row in rows:
            sys.stdout.write(orjson.dumps(row, default=str).decode() + "\n")
        return
    cells = ([_text(row[column]) for column in columns] for row in rows)
    if not Table([column.replace("_", " ") for column in columns]).print(cells):
        click.echo("(none)", err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is destroyed, unless ``--yes`` was given. Without a terminal the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes to do it without being asked")
    click.confirm(safe(question), abort=True, err=True)


def read_password(password_file: str | None, *, prompt: bool) -> bytes | None:
    """Return the password from a file, ``-`` for standard input, or asked for at the terminal; None where not given."""
    from posthouse.cli.files import ask_secret, first_line

    if password_file is not None:
        return first_line(password_file, "password")
    text = ask_secret("Password") if prompt else None
    return text.encode() if text is not None else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
