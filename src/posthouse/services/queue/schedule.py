"""When a recipient is tried again, and when it is given up (RFC 5321 §4.5.4.1).

Pure arithmetic on numbers that are handed in. The last attempt is made at the moment of expiry, so that a lifetime of
five days means five days. Tests: ``tests/unit/services/queue/test_schedule.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from posthouse.config.definitions import queue as definitions
from posthouse.config.setting import parse_duration
from posthouse.config.settings import Settings

MIN_DELAY = 1.0  # a schedule of zeros must not become a busy loop
SLACK = 1.0  # seconds by which an attempt may come early or late and still count as the last


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits in seconds after the first attempt, the second, and so on; the last one repeats."""

    delays: tuple[float, ...]

    def next_attempt(self, now: float, attempts: int, expires: float) -> float | None:
        """Return when to try again, or None where the lifetime has ended.

        Args:
            now: the end of this attempt.
            attempts: attempts made, with this one; 1 after the first.
            expires: the end of the message's lifetime.
        """
        if now >= expires - SLACK:
            return None
        place = min(max(attempts, 1), len(self.delays)) - 1
        return min(now + max(self.delays[place], MIN_DELAY), expires)


DEFAULT_SCHEDULE = Schedule(tuple(parse_duration(text) for text in definitions.RETRY_SCHEDULE.default))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePolicy:
    """What the settings say about the queue, read once for a batch of results."""

    schedule: Schedule = DEFAULT_SCHEDULE
    delay_notice_after: float = definitions.DELAY_NOTICE_AFTER.default
    soft_bounce: bool = False


@lru_cache(maxsize=16)
def parse_schedule(words: tuple[str, ...]) -> Schedule:
    """Return the schedule that the setting's words say; words that are no durations are left out."""
    delays = []
    for word in words:
        try:
            delays.append(parse_duration(word))
        except ValueError:
            continue
    return Schedule(tuple(delays)) if delays else DEFAULT_SCHEDULE


def queue_policy(settings: Settings) -> QueuePolicy:
    """Return the policy in force."""
    return QueuePolicy(
        schedule=parse_schedule(settings.get(definitions.RETRY_SCHEDULE)),
        delay_notice_after=settings.get(definitions.DELAY_NOTICE_AFTER),
        soft_bounce=settings.get(definitions.SOFT_BOUNCE),
    )
