"""What an import did or would do: counts, and the first of each kind of trouble.

Tests: ``tests/unit/services/administration/importing/test_import_apply.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from posthouse.services.administration.importing.records import Thing, Unmapped, kind_name
from posthouse.services.administration.importing.sink import Ending

LISTED: Final = 200
REASONS: Final = 500
EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One record that was left out because something is wrong with it."""

    where: str
    detail: str
    remedy: str = ""


@dataclass(slots=True)
class LeftOut:
    """What has no place here for one reason: how often, and the first few with their places."""

    why: str
    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ImportReport:
    """The report of one import.

    Attributes:
        source, kind: what was read, and as what.
        is_dry_run: whether nothing was written; the counts then say what would be.
        counts: kind of thing -> ending -> how many.
        problems: the first ``LISTED`` records that were left out as wrong; ``problem_count`` of all.
        left_out: what has no place, by reason; ``left_out_count`` of all.
        resumed_after: how many records an earlier, interrupted run had done.
        is_complete: False where it was cancelled; run it again and it goes on.
        records, seconds: how many there were, and how long it took.
    """

    source: str
    kind: str
    is_dry_run: bool = False
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    left_out_count: int = 0
    resumed_after: int = 0
    is_complete: bool = False
    records: int = 0
    seconds: float = 0.0

    def count(self, thing: Thing, ending: Ending) -> None:
        """Count what became of a record."""
        counts = self.counts.setdefault(kind_name(thing), {})
        counts[ending.value] = counts.get(ending.value, 0) + 1

    def problem(self, where: str, detail: str, remedy: str = "") -> None:
        """Note a record that is wrong."""
        self.problem_count += 1
        if len(self.problems) < LISTED:
            self.problems.append(Problem(where, detail, remedy))

    def leave_out(self, record: Unmapped) -> None:
        """Note what has no place."""
        self.left_out_count += 1
        why = record.why if record.why in self.left_out or len(self.left_out) < REASONS else "for other reasons"
        group = self.left_out.setdefault(why, LeftOut(why))
        group.count += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append((record.what, record.where))

    def total(self, ending: Ending) -> int:
        """Return how many records came to an end."""
        return sum(counts.get(ending.value, 0) for counts in self.counts.values())
