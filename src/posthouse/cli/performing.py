"""Carrying out operations, here or elsewhere: one order, one interface, two performers.

``Here`` works on a home of this machine, as the user who may read it; ``There`` asks a server over REST. Answers are
plain JSON values in either case, so that what is printed cannot differ. Tests: ``tests/unit/cli/test_performing.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, Self

from posthouse.cli.target import There as ServerThere
from posthouse.config.home import Home
from posthouse.services.administration.operation import Operation

Progress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One operation to carry out.

    Attributes:
        operation: which.
        given: its input, validated.
        dry_run: say only what would be.
        if_revision: the revision that what is changed must still have; 0 for any.
        upload: the file that goes with it.
        progress: is told how far long work is.
    """

    operation: Operation[Any, Any]
    given: Any
    dry_run: bool = False
    if_revision: int = 0
    upload: BinaryIO | None = None
    progress: Progress = no_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that came: its chunks are to be read once."""

    media_type: str
    name: str
    chunks: Iterator[bytes]


class Performer(Protocol):
    """Carries out orders. A context; what it opened is closed at its end. Every method raises Fault."""

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Close what was opened."""
        ...

    def answer(self, order: Order) -> Mapping[str, Any]:
        """Return the answer; of long work, when it has ended."""
        ...

    def items(self, order: Order) -> Iterator[Mapping[str, Any]]:
        """Yield the items of all pages, each page when it is needed."""
        ...

    def file(self, order: Order) -> File:
        """Return the file that the operation makes."""
        ...

    def events(self, order: Order) -> Iterator[Mapping[str, Any]]:
        """Yield what the operation streams, until it ends."""
        ...


def performer_for(target: Home | ServerThere) -> Performer:
    """Return what carries out orders at a target."""
    if isinstance(target, Home):
        from posthouse.cli.here import Here

        return Here(target)
    from posthouse.cli.there import There

    return There(target)
