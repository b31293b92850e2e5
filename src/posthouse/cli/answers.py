"""From answers of operations to what a person reads: values by what the description says of them, JSON as it is.

Sizes are rounded, moments are local time, lists are joined; what an operation alone needs is in ``habits``.
Tests: ``tests/unit/cli/test_answers.py``.
"""

from __future__ import annotations

import datetime as dt
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click
import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from posthouse.cli.tables import Table, aligned
from posthouse.cli.times import moment, rounded_size

Item = Mapping[str, Any]
Cell = Callable[[Item], str]


def print_json(value: Any) -> None:
    """Print a value on a line."""
    sys.stdout.write(orjson.dumps(value, default=str).decode() + "\n")


def item_model(output: Any) -> type[BaseModel] | None:
    """Return the model of what a list has, or of the answer itself; None for files."""
    if not (isinstance(output, type) and issubclass(output, BaseModel)):
        return None
    if "items" in output.model_fields and "next" in output.model_fields:
        inside = typing.get_args(output.model_fields["items"].annotation)
        return inside[0] if inside else None
    return output


def columns_of(model: type[BaseModel] | None, wanted: Sequence[str]) -> list[str]:
    """Return the columns of a table: those wanted, else all that are no lists of objects."""
    if wanted or model is None:
        return list(wanted)
    return [name for name, field in model.model_fields.items() if not _is_nested(field)]


def _is_nested(field: FieldInfo) -> bool:
    return any(isinstance(each, type) and issubclass(each, BaseModel) for each in typing.get_args(field.annotation))


def text_of(value: Any, field: FieldInfo | None = None) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and field is not None:
        return _number(value, field)
    if isinstance(value, str):
        return _local(value) if field is not None and dt.datetime in _types(field) else value
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {text_of(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text_of(each) for each in value)
    return str(value)


def _types(field: FieldInfo) -> set[Any]:
    return {field.annotation, *typing.get_args(field.annotation)}


def _number(value: float, field: FieldInfo) -> str:
    told = field.description or ""
    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("unit") == "octets":
        return rounded_size(int(value)) if value or "0 means" not in told else "none"
    if not value and "0 means any" in told:
        return "none"
    if "seconds since the epoch" in told:
        return moment(value) if value else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _local(text: str) -> str:
    try:
        return moment(dt.datetime.fromisoformat(text).timestamp())
    except ValueError:
        return text


# ---- lists ----------------------------------------------------------------------------------------------------------


def print_items(
    items: Iterable[Item],
    model: type[BaseModel] | None,
    columns: Sequence[str],
    cells: Mapping[str, tuple[str, Cell]],
) -> int:
    """Print a table; return how many rows it has. ``cells`` gives columns another head and another text."""
    fields = model.model_fields if model is not None else {}
    heads = [cells[name][0] if name in cells else name.replace("_", " ") for name in columns]
    rows = (
        [cells[name][1](item) if name in cells else text_of(item.get(name), fields.get(name)) for name in columns]
        for item in items
    )
    return Table(heads).print(rows)


def print_lines(items: Iterable[Item]) -> int:
    """Print JSON Lines; return how many."""
    count = 0
    for count, item in enumerate(items, 1):  # noqa: B007  (the count of the last one)
        print_json(item)
    return count


# ---- one thing ------------------------------------------------------------------------------------------------------


def print_object(answer: Item, model: type[BaseModel] | None, columns: Sequence[str] = ()) -> None:
    """Print one thing: a line for each field, then a table for each list of objects in it."""
    fields = model.model_fields if model is not None else {}
    texts = {name: _in_lines(value, fields.get(name)) for name, value in answer.items() if not _is_table(value)}
    aligned((name.replace("_", " "), text) for name, text in texts.items() if text)  # what is empty says nothing
    for name, value in answer.items():
        if _is_table(value):
            click.echo(f"\n{name.replace('_', ' ').capitalize()}")
            inside = next((each for each in _models(fields.get(name))), None)
            print_items(value, inside, _shared(columns, inside) or columns_of(inside, ()) or list(value[0]), {})


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _models(field: FieldInfo | None) -> Iterator[type[BaseModel]]:
    for each in typing.get_args(field.annotation) if field is not None else ():
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each


def _shared(columns: Sequence[str], model: type[BaseModel] | None) -> list[str]:
    """Return the columns an operation names, where they are those of the list in its answer."""
    if model is None or not set(columns) <= set(model.model_fields):
        return []
    return list(columns)


def _in_lines(value: Any, field: FieldInfo | None) -> str:
    """Return a value; a list of long texts with a line each."""
    if isinstance(value, list) and sum(len(str(each)) for each in value) > 70:
        return "\n".join(text_of(each) for each in value)
    return text_of(value, field)
