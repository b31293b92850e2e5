"""Where an import writes: the contract that ``apply`` needs, and what it is answered.

Tests: ``tests/unit/services/administration/importing/test_import_apply.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from posthouse.services.administration.importing.records import Thing


class Standing(enum.Enum):
    """How a record stands to what is there already."""

    NEW = "new"
    SAME = "same"  # there, and everything the record says is so
    OTHER = "other"  # there, and something differs
    TAKEN = "taken"  # its address belongs to something of another kind
    UNHELD = "unheld"  # there is no place for it


class Ending(enum.Enum):
    """What became of a record."""

    MADE = "made"
    CHANGED = "changed"
    PRESENT = "present"  # was there; nothing was written
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What became of one record; ``detail`` and ``remedy`` where it was refused."""

    ending: Ending
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """How a record stands; ``note`` says with whom it collides, or what has no place."""

    standing: Standing
    note: str = ""


class Sink(Protocol):
    """Takes checked records in batches of some hundreds."""

    async def look(self, things: Sequence[Thing]) -> list[Look]:
        """Say for each record how it stands, in order; writes nothing."""
        ...

    async def put(self, things: Sequence[tuple[Thing, Standing]]) -> list[RecordOutcome]:
        """Write records that are NEW or OTHER; one that is refused does not hinder the others.

        Accounts come with an encoded hash or none, never with a clear password. Raises Unavailable, with nothing of
        the batch or some of it written; the same batch may be put again.
        """
        ...
