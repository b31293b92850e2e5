"""What every noun shares: the home option, a store that is open while a command runs, printing."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from posthouse.config.home import DEFAULT_HOME, HOME_VARIABLE, Home
from posthouse.services.administration.faults import Refused

if TYPE_CHECKING:
    from posthouse.toolbox import Toolbox

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def home_option(function: F) -> F:
    """Give a command ``--home`` and hand it the ``Home`` as its first argument."""

    @click.option("--home", "home_text", metavar="DIR", help="The server's home.")
    @click.pass_context
    @functools.wraps(function)
    def wrapped(context: click.Context, /, *args: Any, home_text: str | None, **kwargs: Any) -> Any:
        return function(find_home(home_text or context.find_root().obj), *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def find_home(text: str | None) -> Home:
    """Return the home: the option, else the environment, else the default."""
    return Home(Path(text or os.environ.get(HOME_VARIABLE) or DEFAULT_HOME).absolute())


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
        click.echo(orjson.dumps(fields, default=str).decode())
        return
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        click.echo(f"{name.replace('_', ' ') + ':':<{width + 2}} {_text(value)}")


def print_list(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print many things: JSON Lines, or a table of the columns named."""
    if as_json:
        for row in rows:
            sys.stdout.write(orjson.dumps(row, default=str).decode() + "\n")
        return
    cells = [[_text(row[column]) for column in columns] for row in rows]
    if not cells:
        click.echo("(none)", err=True)
        return
    heads = [column.replace("_", " ") for column in columns]
    widths = [max(len(line[place]) for line in [heads, *cells]) for place in range(len(columns))]
    for line in [heads, *cells]:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is destroyed, unless ``--yes`` was given. Without a terminal the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes to do it without being asked")
    click.confirm(question, abort=True)


def read_password(password_file: str | None, *, prompt: bool) -> bytes | None:
    """Return the password from a file, ``-`` for standard input, or asked for at the terminal; None where not given."""
    if password_file == "-":
        return sys.stdin.buffer.readline()
    if password_file is not None:
        return _first_line(password_file)
    if prompt and sys.stdin.isatty():
        text: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return text.encode()
    return None


def _first_line(path: str) -> bytes:
    try:
        return Path(path).read_bytes().split(b"\n", 1)[0]
    except OSError as error:
        raise Refused(
            f"the password file {path} cannot be read: {error.strerror}",
            "Name a file whose first line is the password, or - for standard input.",
            exit_code=os.EX_NOINPUT,
        ) from None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return safe(str(value))


def safe(text: str) -> str:
    """Return a text that cannot steer the administrator's terminal, whatever a peer put into it."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)
