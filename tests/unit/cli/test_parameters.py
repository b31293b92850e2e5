"""From fields to arguments and options, and back."""

from __future__ import annotations

import enum
import os
from collections import Counter
from typing import Literal

import click
import pytest
from pydantic import Field, SecretStr

from posthouse.cli.generated import make_command
from posthouse.cli.parameters import Kind, Shape, kind_of
from posthouse.services.administration.catalogue import all_operations
from posthouse.services.administration.fields import AddressText, Size
from posthouse.services.administration.operation import Input

EVERY = list(all_operations())


class Colour(enum.Enum):
    """Some words."""

    RED = "red"
    BLUE = "blue"


class Everything(Input):
    """A field of every kind."""

    text: str = Field("", description="x")
    address: AddressText = Field(description="x")
    size: Size = Field(0, description="x")
    maybe_size: Size | None = Field(None, description="x")
    number: int = Field(1, description="x")
    part: float = Field(1.0, description="x")
    yes: bool = Field(False, description="x")
    maybe: bool | None = Field(None, description="x")
    colour: Colour = Field(Colour.RED, description="x")
    word: Literal["", "a", "b"] = Field("", description="x")
    many: list[AddressText] = Field([], description="x")
    maybe_many: list[str] | None = Field(None, description="x")
    secret: SecretStr | None = Field(None, description="x")


KINDS = {
    "text": Kind(shape=Shape.TEXT),
    "address": Kind(shape=Shape.TEXT),
    "size": Kind(shape=Shape.SIZE),
    "maybe_size": Kind(shape=Shape.SIZE, is_open=True),
    "number": Kind(shape=Shape.NUMBER),
    "part": Kind(shape=Shape.NUMBER),
    "yes": Kind(shape=Shape.BOOL),
    "maybe": Kind(shape=Shape.BOOL, is_open=True),
    "colour": Kind(shape=Shape.CHOICE, choices=("red", "blue")),
    "word": Kind(shape=Shape.CHOICE, choices=("a", "b")),
    "many": Kind(shape=Shape.TEXT, is_list=True),
    "maybe_many": Kind(shape=Shape.TEXT, is_list=True, is_open=True),
    "secret": Kind(shape=Shape.SECRET, is_open=True),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_of_a_field_is_known(name) -> None:
    """From its annotation."""
    assert kind_of(Everything.model_fields[name]) == KINDS[name]


@pytest.mark.parametrize("operation", EVERY, ids=lambda each: each.name)
def test_options_of_a_command_do_not_clash(operation) -> None:
    """Fields, ``--json``, ``--server`` and all the others have names of their own."""
    command = make_command(operation)
    names = Counter(
        name for each in command.params if isinstance(each, click.Option) for name in (*each.opts, *each.secondary_opts)
    )
    assert [name for name, count in names.items() if count > 1] == []
    assert len({each.name for each in command.params}) == len(command.params)


@pytest.mark.parametrize("operation", EVERY, ids=lambda each: each.name)
def test_every_option_is_explained_and_no_secret_is_a_value(operation) -> None:
    """A secret is a file or a question; a list can come by place only where it is the last."""
    command = make_command(operation)
    for each in command.params:
        if isinstance(each, click.Option):
            assert each.help, each
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    assert all(each.nargs == 1 for each in arguments[:-1])
    secrets = [name for name, field in operation.input.model_fields.items() if kind_of(field).shape is Shape.SECRET]
    for name in secrets:
        asks = next(each for each in command.params if each.name == f"_{name}_ask")
        assert isinstance(asks, click.Option)
        assert asks.is_flag


REFUSED = [
    pytest.param(("account", "add", "x@example.test", "--quota", "much"), "--quota: 'much' is not a size", id="size"),
    pytest.param(("route", "add", "x.test", "--host", "h", "--port", "0"), "--port: ", id="number"),
    pytest.param(("route", "add", "x.test", "--host", "h", "--port", "many"), "--port: ", id="no number"),
    pytest.param(("account", "show", ""), "ADDRESS: ", id="argument"),
    pytest.param(("account", "add", "x@example.test", "--name", "x" * 300), "--name: ", id="length"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_a_value_that_cannot_be_used_is_one_line(run, words, said) -> None:
    """It names the option, then what shows how."""
    refused = run(*words)
    first, *rest = refused.err.splitlines()
    assert (refused.code, first.startswith(f"posthouse: {said}"), len(rest)) == (os.EX_DATAERR, True, 1)
    assert "--help` shows how" in rest[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("route", "add", "x.test"), "Missing option '--host'"),
        (("account", "add"), "Missing argument 'ADDRESS'"),
        (("account", "add", "x@example.test", "--level", "king"), "'king' is not one of"),
        (("account", "add", "x@example.test", "secret"), "unexpected extra argument"),
        (("account", "set-password", "ann@example.test"), "give --password-file FILE"),
    ],
    ids=["option", "argument", "choice", "extra", "secret"],
)
def test_wrong_usage(run, words, said) -> None:
    """The exit code is another one."""
    refused = run(*words)
    assert (refused.code, said in refused.err) == (os.EX_USAGE, True)


def test_a_list_can_be_emptied(run) -> None:
    """What is not given stays; ``--no-listed`` makes it empty."""
    added = run("group", "add", "team@example.test", "ann@example.test", "--senders", "listed", "--listed", "a@x.test",
                "--listed", "b@x.test", "--json")  # fmt: skip
    assert added.rows[0]["listed"] == ["a@x.test", "b@x.test"]
    assert run("group", "set", "team@example.test", "--name", "T", "--json").rows[0]["listed"] == [
        "a@x.test",
        "b@x.test",
    ]
    assert run("group", "set", "team@example.test", "--no-listed", "--json").rows[0]["listed"] == []


def test_what_is_not_given_stays(run) -> None:
    """A change is what was said and nothing else."""
    run("account", "set", "ann@example.test", "--name", "Ann", "--note", "hers")
    run("account", "set", "ann@example.test", "--disabled")
    shown = run("account", "set", "ann@example.test", "--note", "", "--json").rows[0]
    assert (shown["name"], shown["note"], shown["disabled"]) == ("Ann", "", True)
