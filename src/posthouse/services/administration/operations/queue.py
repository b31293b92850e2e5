"""Operations on the queue: look, hold, release, retry, remove, bounce.

Who administers less than the server sees and steers the recipients of mail that his people sent, or that was forwarded
for them (``mail_reach``). What is done is written with the journey's entry and the trace in one commit; for a whole
queue in commits of some hundred recipients each.
Tests: ``tests/unit/services/administration/operations/test_queue_operations.py``.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from posthouse.core.ids import QueueId, format_queue_id, parse_queue_id
from posthouse.services.administration import words
from posthouse.services.administration.access import reaches
from posthouse.services.administration.call import Call, Traced
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.mail_reach import MailReach
from posthouse.services.administration.operation import (
    Effect,
    Operation,
    Page,
    PageInput,
    Rule,
    cursor_of,
    key_of,
    on_own,
    on_server,
    operation,
)
from posthouse.services.administration.operations.queue_models import (
    ListQueue,
    OneMessage,
    QueuedMessage,
    QueuedRecipient,
    Recipients,
    RetryInput,
    Steered,
    Summary,
)
from posthouse.services.administration.reach import Reach, Target
from posthouse.services.queue.control import Steering, as_record, bounces_for, changes_for, state_of
from posthouse.store.rows import QueueRow

if TYPE_CHECKING:
    from posthouse.services.relay.notices import NoticeWriter

_BATCH: Final = 500  # recipients in one commit, and rows in one read
_DONE: Final = {
    Steering.HOLD: "held",
    Steering.RELEASE: "released",
    Steering.RETRY: "due now",
    Steering.REMOVE: "removed",
}


@operation(
    "queue",
    "list",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="GET /queue",
    columns=("queue_id", "received", "size", "from", "to", "state", "next_attempt", "attempts", "last_reply"),
)
async def list_(call: Call, given: ListQueue) -> Page[QueuedRecipient]:
    """List queued recipients, oldest message first."""
    reach, now = MailReach(call), call.desk.clock.now()
    wanted = given.address.strip().lower()
    found: list[QueueRow] = []
    async for rows in _batches(call, _place_of(key_of(given.cursor))):
        fitting = [row for row in rows if _fits(row, given, wanted, now)]
        found += await reach.visible(fitting)
        if len(found) > given.limit:
            break
    page = found[: given.limit]
    following = f"{page[-1].queue_id}:{page[-1].number}" if len(found) > given.limit else ""
    items = [QueuedRecipient(**as_record(row, now)) for row in page]
    return Page(items=items, next=cursor_of(following) if following else "")


def _fits(row: QueueRow, given: ListQueue, wanted: str, now: float) -> bool:
    return (
        (not wanted or wanted in {row.reverse_path.lower(), row.address.lower()})
        and (not given.destination or row.destination == given.destination)
        and (not given.state or state_of(row, now) == given.state)
    )


def _place_of(key: str) -> tuple[int, int]:
    if not key:
        return (0, 0)
    queue_id, _, number = key.partition(":")
    if not (queue_id.isdigit() and number.isdigit() and len(key) < 40):
        raise Refused("the cursor is not one of ours", "Take `next` of the page before.", field="cursor")
    return (int(queue_id), int(number))


async def _batches(call: Call, after: tuple[int, int] = (0, 0)) -> AsyncIterator[list[QueueRow]]:
    while rows := await call.desk.store.queue_rows(after=after, limit=_BATCH):
        yield rows
        after = (rows[-1].queue_id, rows[-1].number)


@operation(
    "queue",
    "summary",
    rule=Rule(Role.SERVER, on_server()),
    http="GET /queue-summary",
    columns=("destination", "state", "recipients", "next_attempt"),
)
async def summary(call: Call, given: PageInput) -> Page[Summary]:
    """Count what waits by destination."""
    rows = sorted(await call.desk.store.queue_summary())
    after = key_of(given.cursor)
    following = [row for row in rows if _key(row) > after]
    page = following[: given.limit]
    items = [
        Summary(destination=destination, state=state, recipients=count, next_attempt=when)
        for destination, state, count, when in page
    ]
    return Page[Summary](items=items, next=cursor_of(_key(page[-1])) if len(following) > given.limit else "")


def _key(row: tuple[str, str, int, float]) -> str:
    return f"{row[0]} {row[1]}"


@operation("queue", "show", rule=Rule(Role.ACCOUNT, on_own()), http="GET /queue/{queue_id}", arguments=("queue_id",))
async def show(call: Call, given: OneMessage) -> QueuedMessage:
    """Show a queued message with its recipients."""
    rows = await _rows(call, given.queue_id)
    now, first = call.desk.clock.now(), rows[0]
    envelope = as_record(first, now)
    return QueuedMessage(
        **{name: envelope[name] for name in ("queue_id", "from", "received", "expires", "size")},
        envid=first.envid,
        recipients=[QueuedRecipient(**as_record(row, now)) for row in rows],
    )


@operation(
    "queue",
    "hold",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="POST /queue/{queue_id}/hold",
    effect=Effect.CHANGE,
    arguments=("queue_id",),
)
async def hold(call: Call, given: Recipients) -> Steered:
    """Keep recipients from being tried until they are released."""
    return await _steer(call, await _rows(call, given.queue_id, given.recipient), Steering.HOLD)


@operation(
    "queue",
    "release",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="POST /queue/{queue_id}/release",
    effect=Effect.CHANGE,
    arguments=("queue_id",),
)
async def release(call: Call, given: Recipients) -> Steered:
    """Let go what was held; it is tried at once."""
    return await _steer(call, await _rows(call, given.queue_id, given.recipient), Steering.RELEASE)


@operation(
    "queue",
    "retry",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="POST /queue/retry",
    effect=Effect.CHANGE,
    arguments=("queue_id",),
)
async def retry(call: Call, given: RetryInput) -> Steered:
    """Try again now: a message, one recipient of it, or the whole queue.

    What is held stays held. Of the whole queue, everybody means what he may see.
    """
    if bool(given.queue_id) == given.all:
        raise Refused("queue_id: name a message or all", "Give a queue id, or --all.", field="queue_id")
    if given.queue_id:
        return await _steer(call, await _rows(call, given.queue_id, given.recipient), Steering.RETRY)
    reach, done = MailReach(call), 0
    async for rows in _batches(call):
        done += (await _steer(call, await reach.visible(rows), Steering.RETRY)).recipients
        call.progress(done, 0, "recipients")
    return Steered(recipients=done)


@operation(
    "queue",
    "remove",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="DELETE /queue/{queue_id}",
    effect=Effect.DESTROY,
    arguments=("queue_id",),
)
async def remove(call: Call, given: Recipients) -> Steered:
    """Delete recipients from the queue, and tell nobody."""
    return await _steer(call, await _rows(call, given.queue_id, given.recipient), Steering.REMOVE)


@operation(
    "queue",
    "bounce",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="POST /queue/{queue_id}/bounce",
    effect=Effect.DESTROY,
    arguments=("queue_id",),
)
async def bounce(call: Call, given: Recipients) -> Steered:
    """Give recipients up, and return the message to its sender."""
    rows = await _rows(call, given.queue_id, given.recipient)
    decisions = bounces_for(rows, by=call.caller.name, now=call.desk.clock.now())
    if decisions:
        values = await _notices(call).values(decisions)
        await call.commit_all([await _traced(call, rows, values, "returned")])
    return Steered(recipients=len(decisions))


def _notices(call: Call) -> NoticeWriter:
    from posthouse.services.administration.messages.post import server_mail
    from posthouse.services.administration.messages.reports import ReportWords
    from posthouse.services.journey.queue_ids import QueueIds
    from posthouse.services.relay.notices import NoticeWriter

    desk = call.desk
    mail = server_mail(desk)
    return NoticeWriter(
        desk.store,
        mail.planner,
        QueueIds(desk.clock, os.getpid()),
        desk.clock,
        hostname=desk.hostname,
        writer=ReportWords(desk.store, mail, desk.settings),
    )


async def _rows(call: Call, text: str, number: int | None = None) -> list[QueueRow]:
    """Return the recipients of a message that the caller sees. Raises Refused: where there is none."""
    queue_id = queue_id_of(text)
    rows = await call.desk.store.queue_rows(queue_id=queue_id, limit=1_000_000)
    seen = [row for row in await MailReach(call).visible(rows) if number in {None, row.number}]
    if not seen:
        which = f"recipient {number} of " if number is not None else ""
        raise Refused(
            f"{which}{format_queue_id(queue_id)} is not in the queue",
            "`posthouse journey show` may tell where it went.",
            kind=Kind.MISSING,
            field="queue_id" if number is None else "recipient",
        )
    return seen


def queue_id_of(text: str) -> QueueId:
    """Return a queue id that somebody wrote. Raises Refused."""
    try:
        return parse_queue_id(text)
    except ValueError as error:
        raise Refused(f"{words.shown(text)} is no queue id: {error}", field="queue_id") from None


async def _steer(call: Call, rows: Sequence[QueueRow], what: Steering) -> Steered:
    """Do something to those recipients to which it applies, with a trace for each message."""
    now, done = call.desk.clock.now(), 0
    for batch in _slices(rows):
        steps = []
        for _, group in itertools.groupby(batch, key=lambda row: row.queue_id):
            message = list(group)
            changes = changes_for(message, what, by=call.caller.name, now=now)
            if changes:
                steps.append(await _traced(call, message, changes, _DONE[what]))
        if steps:
            done += sum(await call.commit_all(steps))
    return Steered(recipients=done)


def _slices(rows: Sequence[QueueRow]) -> Iterable[Sequence[QueueRow]]:
    return (rows[at : at + _BATCH] for at in range(0, len(rows), _BATCH))


async def _traced(call: Call, rows: Sequence[QueueRow], changes: Sequence[Any], done: str) -> Traced:
    first = rows[0]
    told = {"recipients": [row.address for row in rows[:100]], "count": len(rows)}
    return Traced(
        changes=tuple(changes),
        subject=f"queue:{format_queue_id(first.queue_id)}",
        before=told,
        after={"done": done, "count": len(rows)},
        place=await _place(call, first.reverse_path),
    )


async def _place(call: Call, reverse_path: str) -> tuple[str, str]:
    """Return who may read of it: where the sender is ours, his administrators; else those of whoever does it."""
    caller = call.caller
    name = reverse_path.rpartition("@")[2]
    row = await call.desk.store.domain(name) if name else None
    if row is not None and await reaches(call.desk.store, caller, Target(Reach.DOMAIN, row.name)):
        return (row.office, row.name)
    return (caller.office, caller.domain if caller.role <= Role.DOMAIN else "")


OPERATIONS: tuple[Operation[Any, Any], ...] = (list_, summary, show, hold, release, retry, remove, bounce)
