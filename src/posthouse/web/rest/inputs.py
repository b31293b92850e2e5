"""From a request to the input of an operation: path, query and body, each field from one place.

Fields named in the path come from there. Of what reads or removes, the rest come from the query; of what writes, from
a JSON object in the body; of what takes a file, from the query, because the body is the file. A field given twice, an
unknown one, a number that no database holds, a body that is not UTF-8 or not JSON: each is one answer that names it.
Tests: ``tests/unit/web/rest/test_rest_inputs.py``.
"""

from __future__ import annotations

import asyncio
import json
import types
import typing
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, get_args, get_origin
from urllib.parse import unquote_to_bytes

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from posthouse.services.administration.operation import Operation
from posthouse.web.rest.problems import Problem, malformed, of_validation

WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
RESERVED: Final = frozenset({"dry_run"})  # names in the query that are no fields
QUERY_SIZE: Final = 16_384
_LARGEST: Final = 2**63 - 1
_DEEPEST: Final = 64


def takes_body(operation: Operation[Any, Any]) -> bool:
    """Whether fields come in a JSON body."""
    return operation.method in WITH_BODY and not operation.upload


def path_fields(operation: Operation[Any, Any]) -> list[str]:
    """Return the fields that the path names, in order."""
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def rest_fields(operation: Operation[Any, Any]) -> list[str]:
    """Return the fields that come from the query or the body."""
    named = set(path_fields(operation))
    return [name for name in operation.input.model_fields if name not in named]


async def read_input(request: Request, operation: Operation[Any, Any], *, most: int, seconds: float) -> Any:
    """Return the validated input of an operation. Raises Problem."""
    given: dict[str, Any] = {}
    query = _query(request)
    if takes_body(operation):
        given |= await _json_body(request, most, seconds)
        unknown = set(query) - RESERVED
        if unknown:
            raise _unknown(unknown, "the query; fields of this operation come in the body")
    else:
        given |= _from_query(operation, query)
    named = path_fields(operation)
    twice = given.keys() & set(named)
    if twice:
        raise _unknown(twice, "there, because the path names it")
    for name in named:
        given[name] = _from_path(name, request.path_params[name])
    return validated(operation.input, given)


def validated(model: type[BaseModel], given: dict[str, Any]) -> Any:
    """Return a model's instance. Raises Problem: naming each field."""
    try:
        made = model.model_validate(given)
    except ValidationError as error:
        raise of_validation(error, model.model_fields) from None
    for name, value in made:
        if isinstance(value, int | float):  # those of a body were looked at, those of path and query are texts before
            _check(value, name, 0)
    return made


def flag(request: Request, name: str) -> bool:
    """Return a yes or no of the query. Raises Problem."""
    value = request.query_params.get(name, "false")
    if value not in {"true", "false"}:
        raise Problem(
            status=422,
            kind="invalid",
            detail=f"{name}: is {value[:40]!r}, not true or false",
            fields=[(name, "not true or false")],
        )
    return value == "true"


def _query(request: Request) -> dict[str, list[str]]:
    raw = request.scope["query_string"]
    if len(raw) > QUERY_SIZE:
        raise Problem(status=414, kind="too-much", detail=f"the query has more than {QUERY_SIZE} octets")
    found: dict[str, list[str]] = {}
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            found.setdefault(_text(name, "the query"), []).append(_text(value, "the query"))
    return found


def _text(raw: bytes | str, where: str) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise malformed(f"{where} is not UTF-8", "Encode text as UTF-8 before it is percent-encoded.") from None


def _from_path(name: str, raw: str) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        detail = "is not UTF-8"
        raise Problem(status=422, kind="invalid", detail=f"{name}: {detail}", fields=[(name, detail)]) from None


def _from_query(operation: Operation[Any, Any], query: dict[str, list[str]]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, values in query.items():
        if name in RESERVED:
            continue
        field = operation.input.model_fields.get(name)
        if field is not None and is_list(field.annotation):
            given[name] = values
        elif len(values) > 1:
            detail = "is given more than once"
            raise Problem(status=422, kind="invalid", detail=f"{name[:200]}: {detail}", fields=[(name[:200], detail)])
        else:
            given[name] = values[0]
    return given


def is_list(annotation: Any) -> bool:
    """Whether a field takes several values."""
    origin = get_origin(annotation)
    if origin in {typing.Union, types.UnionType}:
        return any(is_list(each) for each in get_args(annotation))
    if origin is typing.Annotated:
        return is_list(get_args(annotation)[0])
    return (origin or annotation) in {list, tuple, set, frozenset}


def _unknown(names: Iterable[str], where: str) -> Problem:
    fields = [
        (name[:200], f"is not taken from {where}" if "query" in where else f"is not taken {where}")
        for name in sorted(names)
    ]
    return Problem(status=422, kind="invalid", detail=f"{fields[0][0]}: {fields[0][1]}", fields=fields)


# ---- bodies ---------------------------------------------------------------------------------------------------


async def _json_body(request: Request, most: int, seconds: float) -> dict[str, Any]:
    body = await read_body(request, most, seconds)
    if not body and "content-type" not in request.headers:
        return {}
    require_type(request, "application/json")
    return parse_object(body) if body else {}


async def read_body(request: Request, most: int, seconds: float) -> bytes:
    """Return the body. Raises Problem: where it is too large or too slow."""
    chunks = []
    try:
        async with asyncio.timeout(seconds):
            async for chunk in limited(request, most, "rest.body_size"):
                chunks.append(chunk)  # noqa: PERF401  (awaits)
    except TimeoutError:
        detail = f"the body did not arrive within {seconds:g} seconds"
        raise Problem(status=408, kind="malformed", detail=detail, headers={"connection": "close"}) from None
    return b"".join(chunks)


async def limited(request: Request, most: int, setting: str) -> AsyncIterator[bytes]:
    """Yield the body as it comes. Raises Problem: where it is too large, or the client goes away."""
    length = request.headers.get("content-length", "0")
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
    try:
        if size <= most:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    break
                yield chunk
    except ClientDisconnect:
        raise malformed("the body ended before its time") from None
    if size > most:
        raise Problem(
            status=413,
            kind="too-much",
            detail=f"the body has more than {most} octets",
            remedy=f"Send less, or have {setting} raised.",
            headers={"connection": "close"},
        )


def require_type(request: Request, *allowed: str) -> None:
    """Raise Problem: 415, where the body's type is none of these."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in allowed:
        raise Problem(
            status=415,
            kind="media-type",
            detail=f"the body is {given[:100] or 'of no type'}",
            remedy=f"Send {' or '.join(allowed)}.",
            headers={"accept": ", ".join(allowed)},
        )


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body, strictly read. Raises Problem."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error.msg} at octet {error.pos + 1}") from None
    if not isinstance(found, dict):
        raise malformed("the body is not a JSON object", 'Send an object such as {"name": "value"}.')
    _check(found, "body", 0)
    _check_names(body)
    return found


def _check(value: Any, name: str, depth: int) -> None:
    """Refuse what is JSON and yet no value of ours: numbers beyond 64 bits, nesting without end."""
    if depth > _DEEPEST:
        raise malformed(f"the body is nested more than {_DEEPEST} deep")
    if isinstance(value, dict):
        for key, each in value.items():
            _check(each, key, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, name, depth + 1)
    elif (isinstance(value, int) and value > _LARGEST) or (isinstance(value, float) and abs(value) > 1e18):
        detail = "the number is too large"
        raise Problem(status=422, kind="invalid", detail=f"{name[:200]}: {detail}", fields=[(name[:200], detail)])


def _check_names(body: bytes) -> None:
    """Refuse an object that has a name twice: one of them would be silently lost."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in found:
            if name in made:
                detail = "is given twice"
                raise Problem(
                    status=422, kind="invalid", detail=f"{name[:200]}: {detail}", fields=[(name[:200], detail)]
                )
            made[name] = value
        return made

    json.loads(body, object_pairs_hook=pairs, parse_int=float)
