"""From the fields of an operation's input to the arguments and options of a command, and back to the input.

A field named in ``arguments`` is taken by its place, every other is an option; an enumeration is a choice, a list may
be given several times, what may be left as it is has ``--x/--no-x``. Secrets are read from files or asked for, never
taken as a value. What pydantic has to say of a value becomes one line that names the option.
Tests: ``tests/unit/cli/test_parameters.py``.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem
from pydantic import BaseModel, SecretStr, ValidationError, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from posthouse.cli.files import ask_secret, first_line
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.operation import Operation, PageInput

PAGING: Final = frozenset({"limit", "cursor"})
_OPPOSITES: Final = {"disabled": "enabled"}
_METAVARS: Final = {
    "ADDRESS": {"address", "catch_all", "postmaster", "abuse", "member", "account", "further", "new_address"},
    "DOMAIN": {"domain", "alias_of"},
    "OFFICE": {"office"},
    "HOST": {"host", "outbound", "time_source"},
    "TIME": {"since", "until"},
}
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


class Shape(enum.Enum):
    """What a field takes."""

    TEXT = "text"
    SIZE = "size"
    NUMBER = "number"
    BOOL = "bool"
    CHOICE = "choice"
    SECRET = "secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a field takes, and how often."""

    shape: Shape
    choices: tuple[str, ...] = ()
    is_list: bool = False
    is_open: bool = False  # None leaves it as it is


def kind_of(field: FieldInfo) -> Kind:
    """Return what a field takes."""
    return _kind(field.annotation, tuple(field.metadata))


def _kind(annotation: Any, metadata: tuple[Any, ...]) -> Kind:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        more = [each for one in inside[1:] for each in (one.metadata if isinstance(one, FieldInfo) else [one])]
        return _kind(inside[0], (*metadata, *more))
    if origin in {typing.Union, types.UnionType}:
        of = next(each for each in inside if each is not type(None))
        found = _kind(of, metadata)
        return Kind(shape=found.shape, choices=found.choices, is_list=found.is_list, is_open=True)
    if origin in {list, tuple}:
        found = _kind(inside[0], ())
        return Kind(shape=found.shape, choices=found.choices, is_list=True)
    if origin is Literal:
        return Kind(shape=Shape.CHOICE, choices=tuple(str(each) for each in inside if each != ""))
    return _plain_kind(annotation, metadata)


def _plain_kind(annotation: Any, metadata: tuple[Any, ...]) -> Kind:
    if isinstance(annotation, type):
        if issubclass(annotation, enum.Enum):
            return Kind(shape=Shape.CHOICE, choices=tuple(str(each.value) for each in annotation))
        if issubclass(annotation, SecretStr):
            return Kind(shape=Shape.SECRET)
        if issubclass(annotation, bool):
            return Kind(shape=Shape.BOOL)
        if issubclass(annotation, int | float):
            is_size = any(isinstance(each, WithJsonSchema) for each in metadata)
            return Kind(shape=Shape.SIZE if is_size else Shape.NUMBER)
    return Kind(shape=Shape.TEXT)


def option_name(name: str) -> str:
    """Return the option of a field."""
    return "--" + name.replace("_", "-")


def fields_of(operation: Operation[Any, Any]) -> dict[str, FieldInfo]:
    """Return the fields that a command takes."""
    is_page = issubclass(operation.input, PageInput)
    return {name: field for name, field in operation.input.model_fields.items() if not (is_page and name in PAGING)}


def parameters_of(operation: Operation[Any, Any], complete: Callable[[str], Completer | None]) -> list[click.Parameter]:
    """Return the arguments and options of an operation's fields; ``complete`` gives what completes a field."""
    fields = fields_of(operation)
    made: list[click.Parameter] = [_argument(name, fields[name], complete(name)) for name in operation.arguments]
    for name, field in fields.items():
        if name not in operation.arguments:
            made += _options(name, field, complete(name))
    return made


def _argument(name: str, field: FieldInfo, complete: Completer | None) -> click.Argument:
    kind = kind_of(field)
    return click.Argument(
        [name],
        required=field.is_required() and (not kind.is_list or _takes_one(field)),
        nargs=-1 if kind.is_list else 1,
        type=click.Choice(kind.choices) if kind.choices else click.STRING,
        shell_complete=complete,
    )


def _takes_one(field: FieldInfo) -> bool:
    """Whether a list may not be empty."""
    return any(getattr(each, "min_length", 0) for each in field.metadata)


def _options(name: str, field: FieldInfo, complete: Completer | None) -> list[click.Option]:
    kind, explained = kind_of(field), _explained(field)
    if kind.shape is Shape.SECRET:
        file = f"{option_name(name)}-file"
        what = "Its first line is the secret; - is standard input."
        return [
            click.Option([f"_{name}_file", file], metavar="FILE", help=f"{explained} {what}"),
            click.Option([f"_{name}_ask", option_name(name)], is_flag=True, help="Ask for it at the terminal."),
        ]
    if kind.shape is Shape.BOOL:
        return [_flag(name, field, explained)]
    options = [
        click.Option(
            [name, option_name(name)],
            type=click.Choice(kind.choices) if kind.choices else click.STRING,
            metavar=None if kind.choices else _metavar(name, kind),
            multiple=kind.is_list,
            required=field.is_required() and not kind.is_list,
            help=explained + (" May be given several times." if kind.is_list else ""),
            shell_complete=complete,
        )
    ]
    if kind.is_list and kind.is_open:
        options.append(
            click.Option(
                [f"_{name}_none", f"--no-{name.replace('_', '-')}"], is_flag=True, help="Make that list empty."
            )
        )
    return options


def _flag(name: str, field: FieldInfo, explained: str) -> click.Option:
    if field.default is False:
        return click.Option([name, option_name(name)], is_flag=True, help=explained)
    opposite = _OPPOSITES.get(name, f"no-{name.replace('_', '-')}")
    return click.Option([name, f"{option_name(name)}/--{opposite}"], default=None, help=explained)


def _metavar(name: str, kind: Kind) -> str:
    if kind.shape is Shape.SIZE:
        return "SIZE"
    if kind.shape is Shape.NUMBER:
        return "N"
    return next((metavar for metavar, names in _METAVARS.items() if name in names), "TEXT")


def _explained(field: FieldInfo) -> str:
    told = field.description or ""
    value = field.default.value if isinstance(field.default, enum.Enum) else field.default
    if value in {None, "", False, PydanticUndefined} if not isinstance(value, list) else not value:
        return told
    if value is True:
        return f"{told} [default: yes]"
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return f"{told} [default: {shown}]"


# ---- back -----------------------------------------------------------------------------------------------------------


def input_of(
    operation: Operation[Any, Any], context: click.Context, values: Mapping[str, Any], asked: frozenset[str]
) -> BaseModel:
    """Return the input that a command line gives; ``asked`` are secrets asked for although nobody said so.

    Raises Refused: one line that names the argument or option; click.UsageError: where a secret is missing.
    """
    given: dict[str, Any] = {}
    for name, field in fields_of(operation).items():
        kind = kind_of(field)
        if kind.shape is Shape.SECRET:
            secret = _secret(name, field, values, is_asked=name in asked)
            if secret is not None:
                given[name] = secret
        elif values.get(f"_{name}_none"):
            given[name] = []
        elif context.get_parameter_source(name) is ParameterSource.COMMANDLINE and values[name] not in {None, ()}:
            given[name] = list(values[name]) if kind.is_list else values[name]
    try:
        found: BaseModel = operation.input.model_validate(given)
    except ValidationError as error:
        remedy = f"`{context.command_path} --help` shows how."
        raise Refused(_in_words(error, operation), remedy) from None
    return found


def _secret(name: str, field: FieldInfo, values: Mapping[str, Any], *, is_asked: bool) -> str | None:
    path = values.get(f"_{name}_file")
    if path is not None:
        return first_line(path, name.replace("_", " ")).decode("utf-8", "surrogateescape")
    must = bool(values.get(f"_{name}_ask")) or field.is_required()
    if not must and not is_asked:
        return None
    found = ask_secret(name.replace("_", " ").capitalize())
    if found is None and must:
        raise click.UsageError(
            f"There is no terminal to ask for the {name.replace('_', ' ')}: give {option_name(name)}-file FILE"
        )
    return found


def _in_words(error: ValidationError, operation: Operation[Any, Any]) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    shown = name.upper() if name in operation.arguments else option_name(name)
    if name in fields_of(operation) and kind_of(fields_of(operation)[name]).shape is Shape.SECRET:
        shown += "-file"
    if first["type"] == "missing":
        return f"{shown} is missing"
    message = first["msg"].removeprefix("Value error, ")
    return f"{shown}: {message[:1].lower()}{message[1:]}"
