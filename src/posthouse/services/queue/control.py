"""An administrator's hand on the queue: recipients as plain values, and the changes that steer them.

Nothing is written here: the caller commits the changes, each with the journey's entry that names who did it.
Recipients under a lease are being tried at this moment: they can be held (after the attempt) but neither removed nor
bounced. Tests: ``tests/unit/services/queue/test_control.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

from posthouse.core import status
from posthouse.core.ids import format_queue_id
from posthouse.core.outcome import reject
from posthouse.services.queue.bounce import Attempt, Decision, decide
from posthouse.services.queue.schedule import QueuePolicy
from posthouse.store.rows import QueueRow
from posthouse.store.values import JourneyEntry, QueueControl, RecipientState

# Steps of ``services.journey.steps``, which is a sibling and is not imported; a test compares them.
HELD, RELEASED, REMOVED = "held", "released", "removed"


class Steering(enum.Enum):
    """What is done to recipients."""

    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    REMOVE = "remove"


_STATES = {
    Steering.HOLD: RecipientState.HELD,
    Steering.RELEASE: RecipientState.WAITING,
    Steering.RETRY: RecipientState.WAITING,
    Steering.REMOVE: RecipientState.REMOVED,
}
_STEPS = {Steering.HOLD: HELD, Steering.RELEASE: RELEASED, Steering.REMOVE: REMOVED}


def as_record(row: QueueRow, now: float) -> dict[str, Any]:
    """Return a queued recipient as plain values; times are seconds since the epoch."""
    return {
        "queue_id": format_queue_id(row.queue_id),
        "number": row.number,
        "from": row.reverse_path,
        "to": row.address,
        "destination": row.destination,
        "state": state_of(row, now),
        "attempts": row.attempts,
        "received": row.received,
        "next_attempt": row.next_attempt,
        "expires": row.expires,
        "size": row.size,
        "last_reply": row.last_reply,
        "delay_notified": row.delay_notified,
    }


def state_of(row: QueueRow, now: float) -> str:
    """Return ``active`` for a recipient that is being tried at this moment, else its state."""
    return "active" if is_active(row, now) else row.state.value


def is_active(row: QueueRow, now: float) -> bool:
    """Whether a recipient is being tried at this moment."""
    return bool(row.lease_owner) and row.lease_until > now


def applies(row: QueueRow, what: Steering, now: float) -> bool:
    """Whether something can be done to a recipient, and would change it."""
    if what is Steering.HOLD:
        return row.state is not RecipientState.HELD
    if what is Steering.RELEASE:
        return row.state is RecipientState.HELD
    if what is Steering.RETRY:
        return row.state is RecipientState.WAITING
    return not is_active(row, now)


def changes_for(rows: Sequence[QueueRow], what: Steering, *, by: str, now: float) -> list[QueueControl]:
    """Return what does something to those recipients to which it applies; each result is 1 where it was done."""
    return [_change(row, what, by, now) for row in rows if applies(row, what, now)]


def _change(row: QueueRow, what: Steering, by: str, now: float) -> QueueControl:
    step = _STEPS.get(what)
    record = {"to": row.address, "by": by}
    journey = (JourneyEntry(queue_id=row.queue_id, at=now, step=step, record=record),) if step else ()
    return QueueControl(
        queue_id=row.queue_id, state=_STATES[what], now=now, number=row.number, next_attempt=now, journey=journey
    )


def bounces_for(rows: Sequence[QueueRow], *, by: str, now: float) -> list[Decision]:
    """Return the decisions that give recipients up and tell the reverse-path, as if their lifetime had ended."""
    outcome = reject("Returned by the administrator", detail_code=status.OTHER, rule="queue.bounce", detail=f"by {by}")
    return [decide(Attempt(row, outcome, counts=False), QueuePolicy(), now) for row in rows if not is_active(row, now)]
