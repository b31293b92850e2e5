"""From JSON to the dataclasses of ``posthouse_client.api``: fields this version does not know are left out.

Tests: ``tests/unit/client/test_client_values.py``.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any

from posthouse_client.errors import Unreachable


def decode(kind: Any, value: Any) -> Any:
    """Return a value as a type that its annotation names. Raises Unreachable: where it is something else."""
    if value is None or kind is Any:
        return value
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return _decode_union(inside, value)
    if origin is list:
        return [decode(inside[0], each) for each in value]
    if origin is dict:
        return {name: decode(inside[1], each) for name, each in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return _made(kind, value)
    return value


def _decode_union(kinds: tuple[Any, ...], value: Any) -> Any:
    """Return a value as the first kind of a union that is built like it."""
    for kind in kinds:
        wants_list, wants_object = typing.get_origin(kind) is list, dataclasses.is_dataclass(kind)
        if wants_list == isinstance(value, list) and wants_object == isinstance(value, Mapping):
            return decode(kind, value)
    return value


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _made(kind: Any, value: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    told = {name: name.removesuffix("_") for name in hints}  # `from_` stands for `from`, which is no name in Python
    try:
        return kind(**{name: decode(hints[name], value[key]) for name, key in told.items() if key in value})
    except TypeError as error:
        raise Unreachable(f"the answer is not what was expected: {error}") from None
