"""Handing fresh recipients to this worker's courier without a round through the database.

Reception writes queue rows that are already leased to ``lease_owner`` when ``has_room()`` says so, and calls
``hand_over`` after the commit. Where the courier has no room the rows are written without a lease, and the store's
queue notice or the courier's next look finds them. Either way the rows are on stable storage first: a hand-over that
is forgotten (a crash) only waits for its lease to end. The courier itself is ``services.relay.courier.Courier``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from posthouse.store.rows import QueueRow


class HandOver(Protocol):
    """The courier as reception sees it. All methods are quick and never wait."""

    lease_owner: str

    def has_room(self, size: int = 0, destinations: Sequence[str] = ()) -> bool:
        """Return whether a message of ``size`` octets for those destinations would be taken now."""
        ...

    def lease_until(self) -> float:
        """Return the end of lease to write on rows that will be handed over (``QueueEntry.lease_until``)."""
        ...

    def hand_over(self, rows: Sequence[QueueRow], content: bytes | None) -> None:
        """Take committed rows, all of one message, leased to ``lease_owner``.

        Args:
            rows: the recipients with their envelope.
            content: the message's octets where they are at hand, None where the courier shall read the store.
        """
        ...


class NoHandOver:
    """Stands where this worker runs no courier: it never has room, and forgets what it is given."""

    lease_owner = ""

    def has_room(self, size: int = 0, destinations: Sequence[str] = ()) -> bool:
        """Return False."""
        return False

    def lease_until(self) -> float:
        """Return 0.0: no lease."""
        return 0.0

    def hand_over(self, rows: Sequence[QueueRow], content: bytes | None) -> None:
        """Do nothing: the store has the rows."""
