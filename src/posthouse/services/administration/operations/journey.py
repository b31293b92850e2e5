"""What happened to messages, as operations: find them, and tell the story of one.

Who administers less than the server finds and reads what concerns the addresses he administers (``mail_reach``); an
account's owner what concerns his own.
Tests: ``tests/unit/services/administration/operations/test_journey_operations.py``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import Any, Final

from pydantic import Field

from posthouse.core.ids import QueueId, format_queue_id, parse_queue_id, queue_id_time
from posthouse.services.administration import words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.mail_reach import MailReach
from posthouse.services.administration.operation import (
    Input,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    cursor_of,
    key_of,
    on_own,
    operation,
)
from posthouse.services.administration.operations.queue import queue_id_of
from posthouse.services.administration.operations.queue_models import QUEUE_ID
from posthouse.services.journey.story import Journey, ToldStep

_TIME = "Such as 2h, 3d, 2026-11-21 or 2026-11-21T10:00."
_SPAN: Final = re.compile(r"(\d{1,9})\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BATCH: Final = 200  # messages in one read
_SPARE: Final = 16  # more than ids of one microsecond there can be, which differ by the worker
_SCANNED: Final = 5_000  # messages that one call looks at for somebody who sees but a few of them


class FindJourney(PageInput):
    """Which messages."""

    what: str = Field("", max_length=1_000, description="A queue id, a Message-ID or an address; empty for all.")
    since: str = Field("", max_length=40, description=_TIME)
    until: str = Field("", max_length=40, description="The same for the end.")
    limit: int = Field(50, ge=1, le=1_000, description="How many there are on a page.")


class OneJourney(Input):
    """Whose story."""

    queue_id: str = Field(min_length=1, max_length=40, description=QUEUE_ID)


class JourneyFound(Output):
    """A message that was found."""

    queue_id: str = Field(description=QUEUE_ID)
    time: float = Field(description="When it came in, in seconds since the epoch.")
    last: str = Field(description="The last step of its story.")
    story: str = Field(description="How its story begins.")


class JourneyStep(Output):
    """A step of a story."""

    at: float = Field(description="When, in seconds since the epoch.")
    step: str = Field(description="Its name, such as `received` or `delivered`.")
    words: list[str] = Field(description="What happened; after the first line, the details.")
    record: dict[str, Any] = Field(description="What is known of it.")


class Story(Output):
    """What happened to a message."""

    queue_id: str = Field(description=QUEUE_ID)
    steps: list[JourneyStep] = Field(description="Each step with its reason, in order.")


@operation(
    "journey",
    "find",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="GET /journeys",
    arguments=("what",),
    columns=("queue_id", "time", "last", "story"),
)
async def find(call: Call, given: FindJourney) -> Page[JourneyFound]:
    """Find messages by queue id, Message-ID, address or time; newest first."""
    now = call.desk.clock.now()
    since, until = moment_of(given.since, now, "since"), moment_of(given.until, now, "until")
    search = _Search(call, given.what.strip(), since, until)
    items = await search.page(given.limit, key_of(given.cursor))
    return Page[JourneyFound](items=items, next=cursor_of(search.next) if search.next else "")


class _Search:
    """One search; ``next`` is the queue id below which the next page begins, "" at the end."""

    def __init__(self, call: Call, what: str, since: float, until: float) -> None:
        self._journey = Journey(call.desk.store)
        self._store = call.desk.store
        self._reach = MailReach(call)
        self._what = what
        self._since = since
        self._until = until
        self._has_more = True
        self.next = ""

    async def page(self, limit: int, cursor: str) -> list[JourneyFound]:
        """Return up to ``limit`` messages that the caller sees."""
        below = _below(cursor)
        items: list[JourneyFound] = []
        scanned = 0
        while True:
            batch = await self._batch(below)
            for at, queue_id in enumerate(batch):
                told = await self._reach.narrowed(await self._store.journey(queue_id))
                if told:
                    items.append(_found(queue_id, told))
                if len(items) == limit:
                    is_more = at + 1 < len(batch) or self._has_more
                    self.next = format_queue_id(queue_id) if is_more else ""
                    return items
            scanned += len(batch)
            if not self._has_more:
                return items
            await asyncio.sleep(0)  # others go on meanwhile
            below = batch[-1]
            if scanned >= _SCANNED:
                self.next = format_queue_id(below)
                return items

    async def _batch(self, below: QueueId | None) -> list[QueueId]:
        """Return the next messages, newest first, all older than one."""
        until = self._until
        if below is not None:
            before = queue_id_time(below) + 2e-6
            until = min(until, before) if until else before
        found = await self._journey.find(self._what, since=self._since, until=until, limit=_BATCH + _SPARE)
        older = [each for each in found if below is None or each < below]
        self._has_more = len(found) == _BATCH + _SPARE or len(older) > _BATCH
        return older[:_BATCH]


def _below(cursor: str) -> QueueId | None:
    if not cursor:
        return None
    try:
        return parse_queue_id(cursor)
    except ValueError:
        raise Refused("the cursor is not one of ours", "Take `next` of the page before.", field="cursor") from None


def _found(queue_id: QueueId, told: list[ToldStep]) -> JourneyFound:
    return JourneyFound(
        queue_id=format_queue_id(queue_id),
        time=queue_id_time(queue_id),
        last=told[-1].step,
        story=told[0].words[0] if told[0].words else "",
    )


@operation(
    "journey", "show", rule=Rule(Role.ACCOUNT, on_own()), http="GET /journeys/{queue_id}", arguments=("queue_id",)
)
async def show(call: Call, given: OneJourney) -> Story:
    """Tell a message's story, each step with its reason."""
    queue_id = queue_id_of(given.queue_id)
    told = await MailReach(call).narrowed(await call.desk.store.journey(queue_id))
    if not told:
        raise Refused(
            f"nothing is known of {format_queue_id(queue_id)}",
            "Stories are kept for 30 days.",
            kind=Kind.MISSING,
            field="queue_id",
        )
    steps = [JourneyStep(at=each.at, step=each.step, words=list(each.words), record=dict(each.record)) for each in told]
    return Story(queue_id=format_queue_id(queue_id), steps=steps)


def moment_of(text: str, now: float, field: str) -> float:
    """Return the moment meant by ``2h`` (ago), ``2026-11-21`` or ``2026-11-21T10:00``; 0.0 for "". Raises Refused."""
    bare = text.strip()
    if not bare:
        return 0.0
    match = _SPAN.fullmatch(bare)
    if match is not None:
        return max(0.0, now - int(match[1]) * _SECONDS[match[2]])
    try:
        parsed = dt.datetime.fromisoformat(bare)
        seconds = (parsed if parsed.tzinfo else parsed.astimezone()).timestamp()
    except (ValueError, OverflowError, OSError):
        seconds = -1.0
    if not 0.0 <= seconds < 8e9:
        raise Refused(f"{words.shown(text)} is not a time", f"Write it {_TIME[0].lower()}{_TIME[1:]}", field=field)
    return seconds


OPERATIONS: tuple[Operation[Any, Any], ...] = (find, show)
