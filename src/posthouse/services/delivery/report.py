"""The reports that reception itself owes a sender: recipients that failed after they were granted, and successes.

A report is one DSN (RFC 3464) about all recipients of its kind, planned by ``delivery.notice`` and committed together
with the message it tells of. None is owed to the null reverse-path, nor where NOTIFY= says no (RFC 3461 §4.1, §5.2).
Tests: ``tests/unit/services/reception/test_transaction.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.address import Address
from posthouse.core.clock import Clock
from posthouse.core.envelope import Notify, Ret
from posthouse.core.ids import format_queue_id
from posthouse.message.dsn import DsnRecipient, compose_dsn, is_returned_whole
from posthouse.services.delivery.accepted import Accepted
from posthouse.services.delivery.notice import NoticePlanner, Report, WritesReports
from posthouse.store.values import Delivery

HEAD_OCTETS: Final = 256 * 1024  # of a message that is in the spool: its head is returned, not the whole


class Reporter:
    """Plans the DSNs of reception. ``hostname`` is the Reporting-MTA (RFC 3464 §2.2.2)."""

    def __init__(
        self, planner: NoticePlanner, clock: Clock, hostname: str, *, writer: WritesReports | None = None
    ) -> None:
        self._planner = planner
        self._writer = writer
        self._clock = clock
        self._hostname = hostname

    async def plan(self, accepted: Accepted) -> tuple[Delivery, ...]:
        """Return the reports that a message owes; nearly always none."""
        to = accepted.reverse_path
        if to is None:
            return ()
        found = []
        failed = _failed(accepted)
        if failed:
            found.append(await self._one(accepted, to, failed, "failure"))
        delivered = _delivered(accepted)
        if delivered:
            found.append(await self._one(accepted, to, delivered, "success"))
        return tuple(each for each in found if each is not None)

    async def _one(self, accepted: Accepted, to: Address, recipients: list[DsnRecipient], kind: str) -> Delivery | None:
        content = await self._compose(accepted, to, recipients, kind)
        return await self._planner.plan_notice(content, to, about=accepted.queue_id, kind=kind)

    async def _compose(self, accepted: Accepted, to: Address, recipients: list[DsnRecipient], kind: str) -> bytes:
        is_whole = isinstance(accepted.content, bytes)
        original = accepted.content if isinstance(accepted.content, bytes) else accepted.content.read(0, HEAD_OCTETS)
        tag = f"{format_queue_id(accepted.queue_id)}.{kind}"
        # RFC 3461 §4.3: RET speaks of failures; other reports return the head alone
        wants_whole = kind == "failure" and accepted.parameters.ret is not Ret.HDRS
        full, smtputf8 = is_whole and wants_whole, not str(to).isascii()
        words = None
        if self._writer is not None:
            whole = is_returned_whole(original, full=full, smtputf8=smtputf8)
            words = await self._writer.words(
                Report(to=str(to), recipients=recipients, arrival=accepted.at, is_whole=whole)
            )
        return compose_dsn(
            reporting_mta=self._hostname,
            from_address=f"MAILER-DAEMON@{self._hostname}",
            to_address=str(to),
            envid=accepted.parameters.envid or "",
            arrival=accepted.at,
            recipients=recipients,
            original=original,
            full=full,
            message_id=f"{tag}@{self._hostname}",
            date=self._clock.now(),
            boundary=f"=_{tag}",
            smtputf8=smtputf8,
            words=words,
        )


def _failed(accepted: Accepted) -> list[DsnRecipient]:
    asked = {
        refusal.address: recipient.routed.recipient.parameters
        for recipient in accepted.recipients
        for refusal in recipient.routed.refusals
    }
    found = []
    for refusal in accepted.late_refusals:
        parameters = asked.get(refusal.address)
        if parameters is not None and parameters.notify is not None and Notify.FAILURE not in parameters.notify:
            continue
        found.append(
            DsnRecipient(
                final_recipient=refusal.address,
                original_recipient=(parameters.orcpt or "") if parameters is not None else "",
                action="failed",
                status=f"5.{refusal.outcome.detail_code.subject}.{refusal.outcome.detail_code.detail}",
                diagnostic=f"{refusal.outcome.code} {refusal.outcome.enhanced} {refusal.outcome.public_text}",
            )
        )
    return found


def _delivered(accepted: Accepted) -> list[DsnRecipient]:
    found = []
    for recipient in accepted.recipients:
        parameters = recipient.routed.recipient.parameters
        if parameters.notify is None or Notify.SUCCESS not in parameters.notify or not recipient.routed.local:
            continue
        is_expanded = bool(recipient.routed.remote) or len(recipient.routed.local) > 1
        found.append(
            DsnRecipient(
                final_recipient=str(recipient.routed.recipient.address),
                original_recipient=parameters.orcpt or "",
                action="expanded" if is_expanded else "delivered",
                status="2.1.5",
            )
        )
    return found
