"""The description of the API: complete, valid, current; and the page for people."""

import re

import jsonschema_rs
import pytest

from posthouse.services.administration.catalogue import all_operations
from posthouse.web.rest import page
from posthouse.web.rest.description import FILE, as_bytes, describe
from posthouse.web.rest.problems import TITLES

OPERATIONS = list(all_operations())
DESCRIPTION = describe(OPERATIONS)
TOLD = {told["operationId"]: (path, told) for path, each in DESCRIPTION["paths"].items() for told in each.values()}


def references(value):
    """Yield every $ref below a value."""
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_the_file_is_current() -> None:
    """Renew it with ``python -m posthouse.web.rest.description``."""
    assert FILE.read_bytes() == as_bytes(DESCRIPTION)


def test_every_operation_is_described_once() -> None:
    """By its name, with a summary, a tag and what it takes to call it."""
    assert set(TOLD) == {each.name for each in OPERATIONS}
    assert sum(len(each) for each in DESCRIPTION["paths"].values()) == len(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    """No schema is missing."""
    for reference in references(DESCRIPTION):
        place = DESCRIPTION
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_schema_is_one() -> None:
    """JSON Schema 2020-12, which OpenAPI 3.1 uses."""
    for name, schema in DESCRIPTION["components"]["schemas"].items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.Draft202012Validator(whole)


@pytest.mark.parametrize("name", TOLD)
def test_an_operation_is_described_in_full(name) -> None:
    """Path parameters are those of the path; every parameter and field says what it is; problems are among the answers."""
    path, told = TOLD[name]
    parameters = told.get("parameters", [])
    assert [each["name"] for each in parameters if each["in"] == "path"] == re.findall(r"\{(\w+)\}", path)
    assert all(each.get("description") for each in parameters)
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    for field in content.get("schema", {}).get("properties", {}).values():
        assert field.get("description"), name
    assert {"401", "403", "404", "422", "500", "503"} <= set(told["responses"])
    assert told["summary"]
    assert told["x-posthouse-role"] in {"account", "domain", "office", "server"}


async def test_it_is_served_to_anybody(api) -> None:
    """The description and the page are no secret."""
    assert (await api.send("GET", "/api/v1/openapi.json")).json["openapi"] == "3.1.0"
    answer = await api.send("GET", "/api/v1/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No script, no image, no address but our own; a place for every operation and every kind of problem."""
    text = page.render(OPERATIONS).decode()
    assert not re.search(r"<script|<img|<link|https?://", text)
    for each in OPERATIONS:
        assert f'id="{each.name}"' in text
    for kind in TITLES:
        assert f"id={kind}>" in text
