"""Aliases of one source that lead to each other, so that none of them closes a circle.

Only targets that are aliases of the same source are kept. The walk from an alias is bounded: one that leads through
more than ``STEPS`` others is refused too. Tests: ``tests/unit/services/administration/importing/test_import_plan.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

STEPS: Final = 1_000


class AliasGraph:
    """Which alias leads to which."""

    def __init__(self) -> None:
        self._edges: dict[str, tuple[str, ...]] = {}

    def flaw(self, address: str, targets: Iterable[str]) -> str:
        """Take an alias in and return "", or say why it must be left out. ``targets`` are aliases of the source."""
        nearest = tuple(targets)
        if address in nearest:
            return f"{address} leads to itself"
        came_from: dict[str, str] = dict.fromkeys(nearest, address)
        waiting = list(nearest)
        while waiting:
            at = waiting.pop()
            for onward in self._edges.get(at, ()):
                if onward == address:
                    return f"{address} leads back to itself by way of {self._way(came_from, at, address)}"
                if onward not in came_from:
                    came_from[onward] = at
                    waiting.append(onward)
            if len(came_from) > STEPS:
                return f"{address} leads through more than {STEPS} aliases"
        if nearest:
            self._edges[address] = nearest
        return ""

    @staticmethod
    def _way(came_from: dict[str, str], at: str, address: str) -> str:
        names = [at]
        while came_from[names[-1]] != address and len(names) < 5:
            names.append(came_from[names[-1]])
        return ", ".join(reversed(names))
