"""The OpenAPI 3.1 description of the API, made from the operations.

``operationId`` is the operation's name. ``x-posthouse-role``, ``-scope`` and ``-effect`` say what a call takes, does.
``python -m posthouse.web.rest.description`` renews ``docs/openapi.json``; a test says when that is due. Tests:
``tests/unit/web/rest/test_description.py``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from posthouse import __version__
from posthouse.services.administration.catalogue import NOUNS, all_operations
from posthouse.services.administration.operation import Download, Nothing, Operation, PageInput
from posthouse.services.administration.operations.job import Job
from posthouse.services.administration.reach import Reach
from posthouse.web.rest import inputs
from posthouse.web.rest.answers import BASE
from posthouse.web.rest.problems import MEDIA_TYPE

FILE: Final = Path(__file__).parents[4] / "docs" / "openapi.json"
REFERENCE: Final = "#/components/schemas/{model}"
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "A reference to the page that explains this kind of problem."},
        "title": {"type": "string", "description": "The kind, in words."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "detail": {"type": "string", "description": "What is wrong and where, in one line."},
        "remedy": {"type": "string", "description": "What to do about it."},
        "field": {"type": "string", "description": "The field of the request to blame."},
        "fields": {
            "type": "array",
            "description": "All fields to blame.",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "id": {"type": "string", "description": "Under what an error of the server is logged."},
    },
}
# status -> when; those every operation may give
_ALWAYS: Final = {
    "400": "The request is not well formed.",
    "401": "No credential was sent, or it is not good.",
    "403": "The role, the reach or the scopes of the caller do not allow this.",
    "404": "There is no such thing.",
    "405": "The path does not take this method.",
    "409": "What is there does not allow it: it exists already, is in use, or a limit is reached.",
    "422": "A field cannot be used.",
    "429": "Too many failed sign-ins.",
    "500": "The server met an error of its own.",
    "503": "The server cannot do it now; Retry-After says when to try again.",
}
_FORMS: Final = {"406": "No form of the answer is acceptable.", "414": "The query is too long."}
_WRITES: Final = {"412": "It was changed since the version that If-Match names."}
_BODY: Final = {
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The body is of a type that is not taken.",
}
_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A random text: the same request with the same key is done once and answered alike each time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}
_IF_MATCH: Final[dict[str, Any]] = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the version that is to be changed; 412 where it is another by now.",
    "schema": {"type": "string", "maxLength": 200},
}
_DRY_RUN: Final[dict[str, Any]] = {
    "name": "dry_run",
    "in": "query",
    "description": "Whether to say only what would be, and change nothing.",
    "schema": {"type": "boolean", "default": False},
}


class _Schemas(GenerateJsonSchema):
    """JSON Schema without titles, which repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Say no."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model without its title."""
        made = super().model_schema(schema)
        made.pop("title", None)
        return made


def describe(operations: Sequence[Operation[Any, Any]]) -> dict[str, Any]:
    """Return the description of these operations."""
    schemas = _Components(operations)
    paths: dict[str, dict[str, Any]] = {}
    for each in sorted(operations, key=lambda one: (one.path, one.method)):
        paths.setdefault(BASE + each.path, {})[each.method.lower()] = _operation(each, schemas)
    nouns = sorted({each.noun for each in operations})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Posthouse administration",
            "version": __version__,
            "description": "Everything an administrator does. The manual is docs/api.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"password": []}],
        "tags": [{"name": noun, "description": NOUNS[noun][1] if noun in NOUNS else noun} for noun in nouns],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **schemas.definitions},
            "responses": {
                f"Problem{status}": _problem(text)
                for status, text in sorted((_ALWAYS | _FORMS | _WRITES | _BODY).items())
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token, see `token.add`."},
                "password": {"type": "http", "scheme": "basic", "description": "An account's address and password."},
            },
        },
    }


def as_bytes(description: dict[str, Any]) -> bytes:
    """Return the text of a description."""
    return json.dumps(description, indent=1, ensure_ascii=False, sort_keys=False).encode() + b"\n"


class _Components:
    """The schemas of all inputs and outputs, by what they are called in the description."""

    def __init__(self, operations: Sequence[Operation[Any, Any]]) -> None:
        models: dict[tuple[type[BaseModel], Any], None] = {(Job, "serialization"): None}
        for each in operations:
            models[(each.input, "validation")] = None
            if each.output not in {Download, Nothing}:
                models[(each.output, "serialization")] = None
        self.references, made = models_json_schema(list(models), ref_template=REFERENCE, schema_generator=_Schemas)
        self.definitions: dict[str, Any] = dict(sorted(made.get("$defs", {}).items()))
        self._inputs = {each.input for each in operations}

    def input(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the schema of an input."""
        return self._resolved(self.references[(model, "validation")])

    def output(self, model: Any) -> JsonSchemaValue:
        """Return the reference to an output."""
        return self.references[(model, "serialization")]

    def _resolved(self, reference: JsonSchemaValue) -> dict[str, Any]:
        name: str = reference["$ref"].rpartition("/")[2]
        found: dict[str, Any] = self.definitions[name]
        return found


def _operation(each: Operation[Any, Any], schemas: _Components) -> dict[str, Any]:
    schema = schemas.input(each.input)
    made: dict[str, Any] = {
        "operationId": each.name,
        "tags": [each.noun],
        "summary": each.summary,
        "parameters": _parameters(each, schema),
        "responses": _responses(each, schemas),
        "x-posthouse-role": each.rule.least.name.lower(),
        "x-posthouse-scope": f"{each.noun}:{'write' if each.writes else 'read'}",
        "x-posthouse-effect": each.effect.value,
        "x-posthouse-target": _reach(each),
    }
    if each.explanation:
        made["description"] = each.explanation
    if each.is_long:
        made["x-posthouse-job"] = True
    body = _body(each, schema)
    if body:
        made["requestBody"] = body
    if not made["parameters"]:
        del made["parameters"]
    return made


def _reach(each: Operation[Any, Any]) -> str:
    """Return what the operation's target is, as far as it does not depend on the input."""
    try:
        target = each.rule.target(each.input.model_construct())
    except AttributeError:  # it is named by a field that the input does not have by default
        return _named_reach(each)
    reach: Reach = target.reach
    return reach.value


def _named_reach(each: Operation[Any, Any]) -> str:
    class _Anything:
        def __getattr__(self, name: str) -> str:
            return "a@b.example"

    try:
        return str(each.rule.target(_Anything()).reach.value)
    except (AttributeError, TypeError, ValueError):
        return "own"


def _parameters(each: Operation[Any, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    properties: dict[str, Any] = schema.get("properties", {})
    made = [_parameter(name, properties[name], "path", required=True) for name in inputs.path_fields(each)]
    if not inputs.takes_body(each):
        needed = set(schema.get("required", ()))
        made += [
            _parameter(name, properties[name], "query", required=name in needed) for name in inputs.rest_fields(each)
        ]
    if each.writes:
        made += [_DRY_RUN, _KEY, _IF_MATCH]
    return made


def _parameter(name: str, schema: dict[str, Any], place: str, *, required: bool) -> dict[str, Any]:
    bare = {key: value for key, value in schema.items() if key != "description"}
    if place == "path" and bare.get("type") == "string":
        bare["minLength"] = max(1, bare.get("minLength", 1))  # an empty part is another path
    made = {"name": name, "in": place, "required": required, "schema": _without_null(bare)}
    if "description" in schema:
        made["description"] = schema["description"]
    return made


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema for a parameter, which may be left out and cannot be null."""
    kinds = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if not kinds or len(kinds) == len(schema["anyOf"]):
        return schema
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
    return rest | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def _body(each: Operation[Any, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if each.upload:
        octets = {"schema": {"type": "string", "format": "binary"}}
        return {"required": True, "content": {each.upload: octets, "application/octet-stream": octets}}
    named = inputs.rest_fields(each)
    if not inputs.takes_body(each) or not named:
        return {}
    fields = {name: schema["properties"][name] for name in named}
    needed = [name for name in schema.get("required", ()) if name in fields]
    made: dict[str, Any] = {"type": "object", "properties": fields, "additionalProperties": False}
    if needed:
        made["required"] = needed
    return {"required": bool(needed), "content": {"application/json": {"schema": made}}}


def _responses(each: Operation[Any, Any], schemas: _Components) -> dict[str, Any]:
    made = dict(sorted(_good(each, schemas).items()))
    codes = _ALWAYS | _FORMS | (_WRITES if each.writes else {})
    codes |= _BODY if each.method in inputs.WITH_BODY else {}
    return made | {code: {"$ref": f"#/components/responses/Problem{code}"} for code in sorted(codes)}


def _good(each: Operation[Any, Any], schemas: _Components) -> dict[str, Any]:
    replayed = {"Idempotency-Replayed": {"schema": {"type": "string"}, "description": "`true` for a kept answer."}}
    headers: dict[str, Any] = dict(replayed) if each.writes else {}
    if each.is_long:
        place = {"Location": {"schema": {"type": "string"}, "description": "Where the job is seen."}}
        started = {"application/json": {"schema": schemas.output(Job)}}
        return {"202": {"description": "A job was started.", "headers": headers | place, "content": started}}
    if each.output is Nothing:
        return {"204": {"description": "It is done."}}
    if each.output is Download:
        octets = {"schema": {"type": "string", "format": "binary"}}
        return {"200": {"description": "The file.", "content": {"*/*": octets}}}
    schema = schemas.output(each.output)
    if each.streams:
        text = {"text/event-stream": {"schema": {"type": "string"}, "x-posthouse-item": schema}}
        return {"200": {"description": "Events; the data of each is JSON.", "content": text}}
    if isinstance(each.output, type) and "revision" in getattr(each.output, "model_fields", {}):
        headers["ETag"] = {"schema": {"type": "string"}, "description": "Of this version."}
    if issubclass(each.input, PageInput):
        headers["Link"] = {"schema": {"type": "string"}, "description": "The next page, with rel=next."}
    answer: dict[str, Any] = {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
    if headers:
        answer["headers"] = headers
    made: dict[str, Any] = {"200": answer}
    if each.writes and each.verb == "add":
        where = {"Location": {"schema": {"type": "string"}, "description": "Where it is seen."}}
        made["201"] = {**answer, "description": "It was made.", "headers": headers | where}
    if not each.writes and "ETag" in headers:
        made["304"] = {"description": "It is as the version that If-None-Match names."}
    return made


def _problem(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}},
    }


if __name__ == "__main__":
    FILE.write_bytes(as_bytes(describe(list(all_operations()))))
    sys.stdout.write(f"{FILE}\n")
