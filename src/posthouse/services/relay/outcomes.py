"""Between queue rows and the SMTP client: rows to a transaction, the peer's replies to outcomes.

A reply of the peer keeps its code, its enhanced code and its words. One exception: 552 to RCPT without a more exact
code means "too many recipients" and is temporary (RFC 5321 §4.5.3.1.10).

Tests: ``tests/unit/services/relay/test_outcomes.py``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from posthouse.core import status
from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import BodyType, MailParameters, RcptParameters, Recipient, Ret
from posthouse.core.outcome import Outcome
from posthouse.protocols.smtp.client_events import OutgoingTransaction, Phase, RecipientResult
from posthouse.protocols.smtp.reply import outcome_of
from posthouse.protocols.smtp.types import Extension, Reply
from posthouse.services.queue.bounce import Attempt, parse_notify
from posthouse.services.relay.hosts import NextHop
from posthouse.services.relay.job import Job
from posthouse.store.rows import QueueRow

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3} +")
_TOO_MANY = {status.OTHER, status.TOO_MANY_RECIPIENTS}
_NO_PARAMETERS = RcptParameters()


def transaction_of(job: Job) -> OutgoingTransaction:
    """Return the transaction that carries a job. Raises SyntaxFault: where a stored address cannot be read."""
    row = job.rows[0]
    return OutgoingTransaction(
        reverse_path=_reverse_path(row.reverse_path),
        recipients=tuple(_recipient(each) for each in job.rows),
        parameters=MailParameters(
            size=job.size,
            body=BodyType(row.body_type),
            smtputf8=row.smtputf8 and _needs_utf8(job.content),
            ret=Ret(row.ret) if row.ret else None,
            envid=row.envid or None,
        ),
    )


@lru_cache(maxsize=1024)
def _reverse_path(text: str) -> Address | None:
    return parse_address(text) if text else None


def _recipient(row: QueueRow) -> Recipient:
    if not row.notify and not row.orcpt:
        return Recipient(parse_address(row.address), _NO_PARAMETERS)
    notify = parse_notify(row.notify) if row.notify else None
    return Recipient(parse_address(row.address), RcptParameters(notify=notify, orcpt=row.orcpt or None))


def _needs_utf8(content: bytes | None) -> bool:
    # Submission programs say SMTPUTF8 for good measure; asking for it without need would bounce mail at older hosts.
    if content is None:
        return True
    end = content.find(b"\r\n\r\n")
    return not (content[:end] if end >= 0 else content).isascii()


def attempts_of(
    job: Job, results: tuple[RecipientResult, ...], hop: NextHop, extensions: frozenset[Extension]
) -> list[Attempt]:
    """Return the attempts that the results of a transaction mean."""
    host = f"{hop.host}[{hop.address}]"
    passed = Extension.DSN in extensions
    if len(results) > 1 and len({id(result.reply) for result in results}) == 1:
        outcome = reply_outcome(results[0].reply, results[0].phase)
        return [Attempt(row, outcome, host, dsn_passed=passed) for row in job.rows]
    return [
        Attempt(row, reply_outcome(result.reply, result.phase), host, dsn_passed=passed)
        for row, result in zip(job.rows, results, strict=True)
    ]


def reply_outcome(reply: Reply, phase: Phase) -> Outcome:
    """Return a reply as the outcome for a recipient; the text comes without the enhanced code it began with."""
    outcome = outcome_of(reply)
    text = outcome.public_text
    if (match := _ENHANCED.match(text)) is not None:
        outcome = replace(outcome, public_text=text[match.end() :])
    if reply.code == 552 and phase is Phase.RCPT and outcome.detail_code in _TOO_MANY:
        return replace(outcome, code=452, detail_code=status.TOO_MANY_RECIPIENTS)
    return outcome
