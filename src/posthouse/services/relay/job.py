"""What a connection is given to do: one message with the recipients that share its transaction.

Tests: ``tests/unit/services/relay/test_pool.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from posthouse.core.outcome import Outcome
from posthouse.services.queue.bounce import Attempt
from posthouse.store.rows import QueueRow


class Job:
    """Recipients of one message for one destination, leased to us.

    Attributes:
        rows: the recipients.
        content: the message where it is in memory, None where it is read from the store when it is sent.
        size: octets of the message.
        lease_until: when the lease of the recipients ends.
        stale: how often a connection that was reused was found closed by its peer; such a try does not count.
    """

    __slots__ = ("content", "lease_until", "rows", "size", "stale")

    def __init__(self, rows: Sequence[QueueRow], content: bytes | None) -> None:
        self.rows = rows
        self.content = content
        self.size = rows[0].size
        self.lease_until = min(row.lease_until for row in rows)
        self.stale = 0

    @property
    def held(self) -> int:
        """Octets of memory that the job holds."""
        return len(self.content) if self.content is not None else 0

    def all(self, outcome: Outcome, *, host: str = "", counts: bool = True, not_before: float = 0.0) -> list[Attempt]:
        """Return the attempts in which every recipient meets the same outcome."""
        return [Attempt(row, outcome, host, counts=counts, not_before=not_before) for row in self.rows]


def make_jobs(rows: Iterable[QueueRow], content: bytes | None, most: int) -> list[tuple[str, Job]]:
    """Return jobs with their destinations: one for each message and destination, of at most ``most`` recipients."""
    groups: dict[tuple[str, int], list[QueueRow]] = {}
    for row in rows:
        groups.setdefault((row.destination, row.queue_id), []).append(row)
    return [
        (destination, Job(group[start : start + most], content))
        for (destination, _), group in groups.items()
        for start in range(0, len(group), most)
    ]
