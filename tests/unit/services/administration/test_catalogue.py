"""The rules of form that every operation keeps, so that each door can make something good of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from posthouse.services.administration import catalogue
from posthouse.services.administration.caller import Role
from posthouse.services.administration.operation import Download, Effect, Page, PageInput
from posthouse.services.administration.reach import Reach

OPERATIONS = list(catalogue.all_operations())
NAMED = pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
METHODS = {
    Effect.READ: {"GET", "POST"},
    Effect.CHANGE: {"POST", "PUT", "PATCH", "DELETE"},
    Effect.DESTROY: {"POST", "DELETE"},
}
# What reads and is no GET: a password or a file comes with it, or it is long.
READS_BY_POST = {"verify"}


def fields_of(model: Any) -> dict[str, Any]:
    return model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}


def test_names_and_addresses_are_unique():
    """No two operations have the same name, or answer the same method of one path."""
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS) > 80
    places = {(each.method, re.sub(r"{\w+}", "{}", each.path)) for each in OPERATIONS}
    assert len(places) == len(OPERATIONS)


def test_an_operation_is_found_by_its_name():
    """Each is found again; what is not there is a KeyError."""
    for each in OPERATIONS:
        assert catalogue.operation(each.name) is each
    for name in ("account.nothing", "nothing", "nothing.add", ""):
        with pytest.raises(KeyError):
            catalogue.operation(name)


@NAMED
def test_it_says_what_it_does(each: Any):
    """A summary of one sentence, no longer than a line of help."""
    assert each.summary.endswith(".")
    assert 10 < len(each.summary) <= 110
    assert each.summary[0].isupper()
    assert "\n" not in each.summary


@NAMED
def test_every_field_is_described(each: Any):
    """Each field of the input and of the output says what it is."""
    for model in (each.input, each.output):
        for name, field in fields_of(model).items():
            assert field.description, f"{each.name}: {name}"


@NAMED
def test_its_path_and_places_are_fields(each: Any):
    """Names in braces and arguments by place are fields; the path begins with a slash."""
    assert each.path.startswith("/")
    named = re.findall(r"{(\w+)}", each.path)
    assert set(named) | set(each.arguments) <= set(each.input.model_fields)
    assert len(named) == len(set(named))


@NAMED
def test_its_method_fits_its_effect(each: Any):
    """What changes anything is no GET, and what reads is one unless it has a reason."""
    assert each.method in METHODS[each.effect]
    if each.effect is Effect.READ and each.method != "GET":
        assert each.is_long or each.name in READS_BY_POST


@NAMED
def test_a_page_is_asked_for_as_one(each: Any):
    """What gives a page takes a limit and a cursor."""
    output = each.output
    if isinstance(output, type) and issubclass(output, Page):
        assert issubclass(each.input, PageInput)
        assert each.effect is Effect.READ


@NAMED
def test_secrets_are_never_in_a_url(each: Any):
    """A password or a token as a field stands neither in the path nor in a query."""
    secrets = [name for name, field in each.input.model_fields.items() if "SecretStr" in str(field.annotation)]
    if secrets:
        assert each.method in {"POST", "PUT", "PATCH"}
        assert not each.upload
        assert not set(secrets) & set(re.findall(r"{(\w+)}", each.path))
    assert SecretStr not in {field.annotation for field in fields_of(each.output).values()}


@NAMED
def test_its_rule_can_be_asked(each: Any):
    """The target of its rule is found in an input, whatever the words in it; only the server's has no name."""
    fields = dict.fromkeys(each.input.model_fields, "x")
    given = each.input.model_construct(**fields)
    target = each.rule.target(given)
    assert isinstance(each.rule.least, Role)
    if target.reach is Reach.SERVER:
        assert each.rule.least is Role.SERVER


def test_every_noun_is_told():
    """Every noun of the catalogue has operations and a line of help; files without a noun are none of it."""
    for noun, (_, line) in catalogue.NOUNS.items():
        assert catalogue.operations_of(noun), noun
        assert line.endswith(".")
    assert catalogue.operations_of("nothing") == ()
    assert Download in {each.output for each in OPERATIONS}
