"""What an administrator can do, as values: the one definition behind the command line, REST, Python and the pages.

An ``Operation`` says its noun and verb, who may call it on what, what it takes and gives, and which function does it.
Doors add nothing but a form: a command's options, a path and a body. ``catalogue`` finds operations, ``access`` checks
who may, ``call`` is what the function gets.

Define one with the decorator; input and output are read from the annotations of the function::

    @operation("account", "add", rule=Rule(Role.DOMAIN, on_address("address")), http="POST /accounts",
               effect=Effect.CHANGE, arguments=("address",))
    async def add(call: Call, given: AddAccount) -> Account:
        '''Add an account.'''

Rules of form, checked by ``tests/unit/services/administration/test_catalogue.py``: every field has a description; the
docstring's first line is the summary; names in braces of the path are fields of the input; what reads is GET; what a
page needs is ``PageInput``.
"""

from __future__ import annotations

import base64
import binascii
import enum
import inspect
import typing
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.reach import Reach, Target

if TYPE_CHECKING:
    from posthouse.services.administration.call import Call

PAGE = 100
PAGE_MOST = 1_000


class Input(BaseModel):
    """What an operation takes. Unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Output(BaseModel):
    """What an operation gives. A field ``revision`` becomes the entity tag of an answer over HTTP."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Nothing(Output):
    """The answer of what has nothing to say."""


class PageInput(Input):
    """A page of a list."""

    limit: int = Field(PAGE, ge=1, le=PAGE_MOST, description="How many there are on a page.")
    cursor: str = Field("", max_length=2_000, description="Where the page begins: `next` of the page before.")


Item = TypeVar("Item", bound=BaseModel)
In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out")


class Page(Output, Generic[Item]):
    """A page of a list; ``next`` is empty on the last one."""

    items: list[Item] = Field(description="What is on this page, in order.")
    next: str = Field("", description="The cursor of the next page; empty where this is the last.")


def cursor_of(key: str) -> str:
    """Return the cursor that begins after a key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(cursor: str) -> str:
    """Return the key of a cursor; "" for none. Raises Refused: where it was not made by ``cursor_of``."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refused("the cursor is not one of ours", "Take `next` of the page before.", field="cursor") from None


def number_of(cursor: str) -> int:
    """Return the number that a cursor stands for; 0 for none. Raises Refused: where it stands for something else."""
    key = key_of(cursor)
    if key and not (key.isascii() and key.isdigit() and len(key) < 19):
        raise Refused("the cursor is not one of ours", "Take `next` of the page before.", field="cursor")
    return int(key or 0)


class Effect(enum.Enum):
    """What an operation does to the server."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"  # a person is asked before


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: at least this role, and the target within the caller's reach."""

    least: Role
    target: Callable[[Any], Target]


def on_server() -> Callable[[Any], Target]:
    """Return the target of what concerns the whole server."""
    return lambda _: Target(Reach.SERVER)


def on_own() -> Callable[[Any], Target]:
    """Return the target of what shows each caller his own reach."""
    return lambda _: Target(Reach.OWN)


def on_office(name: str = "office") -> Callable[[Any], Target]:
    """Return what takes the post office from a field ("" is the server's own)."""
    return lambda given: Target(Reach.OFFICE, getattr(given, name))


def on_domain(name: str = "domain") -> Callable[[Any], Target]:
    """Return what takes the domain from a field."""
    return lambda given: Target(Reach.DOMAIN, getattr(given, name))


def on_address(name: str = "address") -> Callable[[Any], Target]:
    """Return what takes the address from a field."""
    return lambda given: Target(Reach.ACCOUNT, getattr(given, name))


@dataclass(frozen=True, slots=True)
class Download:
    """Octets instead of an object: an export, a report."""

    media_type: str
    name: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[In, Out]):
    """One thing that can be done.

    Attributes:
        noun, verb: its name, ``noun.verb``; a noun or verb of two words has a hyphen.
            A noun that is a command of its own, such as ``apply``, has the verb "".
        summary, explanation: the first line of the function's docstring, and what follows it.
        input, output: their models; ``output`` is ``Download`` for octets.
        rule: who may call it.
        method, path: over HTTP, under ``/api/v1``; names in braces are fields of the input.
        effect: what it does.
        is_long: may take minutes: a job over HTTP, a progress bar in a terminal.
        is_resumable: a job that was interrupted may simply be done again: what is done already is found done.
        streams: ``run`` returns an async iterator of outputs: server-sent events, or a line each in a terminal.
        upload: the media type of a file that comes with the call (``call.upload``); "" for none.
        arguments: fields that a command takes by place, in order.
        columns: fields that a table shows, in order; () for all.
        run: what does it.
    """

    noun: str
    verb: str
    summary: str
    explanation: str
    input: type[In]
    output: Any
    rule: Rule
    method: str
    path: str
    effect: Effect
    is_long: bool = False
    is_resumable: bool = False
    streams: bool = False
    upload: str = ""
    arguments: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    run: Callable[[Call, In], Awaitable[Out]] = field(repr=False)

    @property
    def name(self) -> str:
        """``noun.verb``; the noun alone where there is no verb."""
        return f"{self.noun}.{self.verb}" if self.verb else self.noun

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.effect is not Effect.READ


def operation(
    noun: str,
    verb: str,
    *,
    rule: Rule,
    http: str,
    effect: Effect = Effect.READ,
    is_long: bool = False,
    is_resumable: bool = False,
    streams: bool = False,
    upload: str = "",
    arguments: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
) -> Callable[[Callable[[Call, In], Awaitable[Out]]], Operation[In, Out]]:
    """Make an operation of a function, whose annotations name its input and output. See the module's docstring."""
    method, path = http.split(" ")

    def made(run: Callable[[Call, In], Awaitable[Out]]) -> Operation[In, Out]:
        given, output = _types_of(run)
        summary, _, explanation = inspect.cleandoc(run.__doc__ or "").partition("\n")
        return Operation(
            noun=noun,
            verb=verb,
            summary=summary.strip(),
            explanation=explanation.strip(),
            input=given,
            output=output,
            rule=rule,
            method=method,
            path=path,
            effect=effect,
            is_long=is_long,
            is_resumable=is_resumable,
            streams=streams,
            upload=upload,
            arguments=arguments,
            columns=columns,
            run=run,
        )

    return made


def _types_of(run: Callable[..., Any]) -> tuple[Any, Any]:
    """Return the types of the second parameter and of the result; of an iterator, of what it gives."""
    from posthouse.services.administration.call import Call

    hints = typing.get_type_hints(run, localns={"Call": Call})
    output = hints.pop("return")
    if typing.get_origin(output) is not None and not (isinstance(output, type) and issubclass(output, BaseModel)):
        output = typing.get_args(output)[0]
    return list(hints.values())[1], output
