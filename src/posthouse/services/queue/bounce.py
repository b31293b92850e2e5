"""What an attempt comes to for a recipient, and who is told (RFC 3461 §4.1, §6.2; RFC 3464; RFC 5321 §6.1).

``decide`` turns one attempt into the row's new state and the kind of notice that is due; ``gather`` makes one notice
of all recipients of a message that are told of the same; ``compose`` writes it as a DSN. Invariants:

- A message with the null reverse-path is never bounced and causes no notice of any kind.
- A temporary outcome never ends a recipient before its lifetime does.
- A delay is told once.

Filing and queueing of the DSN is ``services.delivery``; committing it with the results is ``services.relay``.
Tests: ``tests/unit/services/queue/test_bounce.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from posthouse.core import status
from posthouse.core.envelope import Notify
from posthouse.core.ids import QueueId, format_queue_id
from posthouse.core.outcome import Outcome
from posthouse.core.status import Disposition, format_enhanced
from posthouse.message.dsn import DsnRecipient, DsnWords, compose_dsn
from posthouse.services.queue.schedule import QueuePolicy
from posthouse.store.rows import QueueRow
from posthouse.store.values import RecipientResult, RecipientState

MAX_REPLY = 1_000  # characters of a reply that are kept on the row
MAX_RETURNED = 10 * 1024 * 1024  # a message larger than this returns its header section only


class NoticeKind(enum.Enum):
    """Kinds of DSN; the value is the Action field (RFC 3464 §2.3.3)."""

    FAILURE = "failed"
    DELAY = "delayed"
    RELAYED = "relayed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One recipient's part in an attempt.

    Attributes:
        row: the recipient as it was claimed.
        outcome: what came of it.
        host: who answered, as ``name[address]``; "" where nobody did.
        dsn_passed: whether the next hop took over the duty to notify (it offers DSN, RFC 3461 §5.2.2).
        counts: whether it counts as an attempt; False where the host was not even asked.
        not_before: no new attempt before this second since the epoch.
    """

    row: QueueRow
    outcome: Outcome
    host: str = ""
    dsn_passed: bool = False
    counts: bool = True
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one recipient: the value for the store, the notice that is due, and whether time ran out."""

    attempt: Attempt
    result: RecipientResult
    notice: NoticeKind | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One DSN to be written: the message (by one of its rows), its kind, and the decisions it tells of."""

    row: QueueRow
    kind: NoticeKind
    decisions: tuple[Decision, ...]


_NOTIFY: dict[str, Notify] = {}


def parse_notify(text: str) -> Notify:
    """Return the NOTIFY of a row; "" is the default, unknown words count for nothing (RFC 3461 §4.1)."""
    found = _NOTIFY.get(text)
    if found is None:
        found = Notify.NEVER if text else Notify.DEFAULT
        for word in text.upper().split(","):
            found |= Notify.__members__.get(word.strip(), Notify.NEVER)
        if len(_NOTIFY) < 64:
            _NOTIFY[text] = found
    return found


def decide(attempt: Attempt, policy: QueuePolicy, now: float) -> Decision:
    """Return what becomes of the recipient after an attempt that ended ``now``."""
    outcome = attempt.outcome
    if outcome.is_done:
        return _finish(attempt, RecipientState.DELIVERED)
    if outcome.is_permanent and not policy.soft_bounce:
        return _finish(attempt, RecipientState.FAILED)
    row = attempt.row
    later = policy.schedule.next_attempt(now, row.attempts + attempt.counts, row.expires)
    if later is None:
        return _finish(attempt, RecipientState.FAILED, expired=True)
    if not attempt.counts:
        later = min(attempt.not_before, row.expires)
    return _wait(attempt, policy, now, later)


def _finish(attempt: Attempt, state: RecipientState, *, expired: bool = False) -> Decision:
    row = attempt.row
    notice = None
    if state is RecipientState.FAILED:
        notice = _told(row, NoticeKind.FAILURE, Notify.FAILURE)
    elif not attempt.dsn_passed and row.notify:
        notice = _told(row, NoticeKind.RELAYED, Notify.SUCCESS)
    result = RecipientResult(
        queue_id=row.queue_id, number=row.number, state=state, reply=describe(attempt), attempted=attempt.counts
    )
    return Decision(attempt, result, notice, expired)


def _wait(attempt: Attempt, policy: QueuePolicy, now: float, later: float) -> Decision:
    row = attempt.row
    notice = None
    if policy.delay_notice_after and not row.delay_notified and now - row.received >= policy.delay_notice_after:
        notice = _told(row, NoticeKind.DELAY, Notify.DELAY)
    result = RecipientResult(
        queue_id=row.queue_id,
        number=row.number,
        state=RecipientState.WAITING,
        next_attempt=max(later, min(attempt.not_before, row.expires)),
        reply=describe(attempt),
        attempted=attempt.counts,
        delay_notified=notice is not None,
    )
    return Decision(attempt, result, notice)


def _told(row: QueueRow, kind: NoticeKind, wanted: Notify) -> NoticeKind | None:
    return kind if row.reverse_path and wanted & parse_notify(row.notify) else None


def describe(attempt: Attempt) -> str:
    """Return the reply as people see it in the queue: host, code, enhanced code, text."""
    text = format_reply(attempt.outcome)
    return (f"{attempt.host}: {text}" if attempt.host else text)[:MAX_REPLY]


def format_reply(outcome: Outcome) -> str:
    """Return ``550 5.1.1 No such user``."""
    return f"{outcome.code} {outcome.enhanced} {outcome.public_text}"


def gather(decisions: Iterable[Decision]) -> list[Notice]:
    """Return the notices that are due: one for each message and kind."""
    groups: dict[tuple[QueueId, NoticeKind], list[Decision]] = {}
    for decision in decisions:
        if decision.notice is not None:
            groups.setdefault((decision.attempt.row.queue_id, decision.notice), []).append(decision)
    return [Notice(group[0].attempt.row, kind, tuple(group)) for (_, kind), group in groups.items()]


def returns_whole(notice: Notice) -> bool:
    """Return whether the whole message goes back: a failure, unless RET=HDRS or too large (RFC 3461 §4.3)."""
    row = notice.row
    return notice.kind is NoticeKind.FAILURE and row.ret != "HDRS" and row.size <= MAX_RETURNED


def dsn_recipients(notice: Notice, now: float) -> list[DsnRecipient]:
    """Return what the DSN tells of each recipient."""
    return [_dsn_recipient(decision, now) for decision in notice.decisions]


def compose(
    notice: Notice, *, queue_id: QueueId, hostname: str, now: float, original: bytes, words: DsnWords | None = None
) -> bytes:
    """Return the DSN.

    Args:
        notice: what is told.
        queue_id: the DSN's own, which makes its Message-ID and boundary unique.
        hostname: our name, the reporting MTA.
        now: its Date.
        original: the message, or its header section where ``returns_whole`` is False.
        words: the part for people; None for our own.
    """
    row, label = notice.row, format_queue_id(queue_id)
    return compose_dsn(
        reporting_mta=hostname,
        from_address=f"mailer-daemon@{hostname}",
        to_address=row.reverse_path,
        envid=row.envid,
        arrival=row.received,
        recipients=dsn_recipients(notice, now),
        original=original,
        full=returns_whole(notice),
        message_id=f"{label}@{hostname}",
        date=now,
        boundary=f"{label}/{hostname}",
        smtputf8=row.smtputf8,
        words=words,
    )


def _dsn_recipient(decision: Decision, now: float) -> DsnRecipient:
    attempt, row = decision.attempt, decision.attempt.row
    enhanced = attempt.outcome.enhanced
    if decision.expired:
        enhanced = format_enhanced(Disposition.TEMPORARY, status.DELIVERY_EXPIRED)
    return DsnRecipient(
        final_recipient=row.address,
        original_recipient=row.orcpt,
        action=decision.notice.value if decision.notice else NoticeKind.FAILURE.value,
        status=enhanced,
        diagnostic=format_reply(attempt.outcome),
        remote_mta=attempt.host.partition("[")[0],
        last_attempt=now,
        will_retry_until=row.expires if decision.notice is NoticeKind.DELAY else None,
    )
