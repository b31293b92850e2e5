"""Finding messages and telling what happened to them. Reads only. Tests: ``tests/unit/services/journey``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from posthouse.core.ids import QueueId, parse_queue_id
from posthouse.services.journey.wording import tell
from posthouse.store.contract import Store


@dataclass(frozen=True, slots=True)
class ToldStep:
    """One step: when, its stored form, and its words (the first line says what happened, the rest the details)."""

    at: float
    step: str
    record: Mapping[str, Any]
    words: tuple[str, ...]


class Journey:
    """The stories in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, what: str = "", *, since: float = 0.0, until: float = 0.0, limit: int = 100) -> list[QueueId]:
        """Return messages, newest first.

        Args:
            what: a queue id, an address, or a Message-ID with or without angle brackets; "" for any.
            since: seconds since the epoch; 0.0 is open.
            until: the same for the end.
            limit: how many at most.
        """
        text = what.strip()
        try:
            queue_id = parse_queue_id(text)
        except ValueError:
            pass
        else:
            if await self._store.journey(queue_id):
                return [queue_id]
        if not text:
            return await self._store.journey_find(since=since, until=until, limit=limit)
        found: dict[QueueId, None] = {}
        for key in _keys(text):
            for each in await self._store.journey_find(key=key, since=since, until=until, limit=limit):
                found[each] = None
        return sorted(found, reverse=True)[:limit]

    async def story(self, queue_id: QueueId) -> list[ToldStep]:
        """Return the steps of a message in order; none where it is not known."""
        return [
            ToldStep(row.at, row.step, row.record, tuple(tell(row.step, row.record)))
            for row in await self._store.journey(queue_id)
        ]


def _keys(text: str) -> tuple[str, ...]:
    """``a@b`` may be an address or a Message-ID whose brackets were left out: ask for both."""
    if text.startswith("<") and text.endswith(">"):
        return (text, text[1:-1].lower())
    return (text.lower(), f"<{text}>")
