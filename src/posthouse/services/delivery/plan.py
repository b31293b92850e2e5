"""Building the ``Delivery`` value: one filing for each account, one queue entry, one journey entry. Pure functions.

Each account is filed to once, whatever number of aliases lead to it, and each remote address is queued once; the
parameters of the first recipient that leads there hold (RFC 3461 §5.2.7.1). Where an alias has several targets the
DSN parameters travel on to each (RFC 3461 §5.2.7.3).

Header lines of one recipient alone (Return-Path, RFC 5321 §4.4; Delivered-To) are the filing's prefix.
Tests: ``tests/unit/services/reception/test_transaction.py``.
"""

from __future__ import annotations

from typing import Any

from posthouse.core.address import Address
from posthouse.core.envelope import Notify, RcptParameters
from posthouse.message.trace import format_delivered_to, format_return_path
from posthouse.services.delivery.accepted import Accepted
from posthouse.services.journey import steps
from posthouse.services.routing.decisions import Routed
from posthouse.store.values import Filing, JourneyEntry, QueuedRecipient

_NOTIFY_WORDS = ((Notify.SUCCESS, "SUCCESS"), (Notify.FAILURE, "FAILURE"), (Notify.DELAY, "DELAY"))


def format_notify(notify: Notify | None) -> str:
    """Return the text of NOTIFY= (RFC 3461 §4.1), "" where none was given."""
    if notify is None:
        return ""
    return ",".join(word for flag, word in _NOTIFY_WORDS if flag in notify) or "NEVER"


def filings(accepted: Accepted) -> tuple[Filing, ...]:
    """Return one filing for each account that any recipient leads to."""
    return_path = format_return_path(str(accepted.reverse_path) if accepted.reverse_path is not None else "")
    date = int(accepted.at)
    recipients = accepted.recipients
    if len(recipients) == 1 and len(recipients[0].routed.local) == 1:  # nearly always
        local = recipients[0].routed.local[0]
        prefix = return_path + format_delivered_to(local.address)
        return (Filing(account=local.account.id, prefix=prefix, internal_date=date),)
    found: dict[int, Filing] = {}
    for recipient in recipients:
        for local in recipient.routed.local:
            if local.account.id not in found:
                prefix = return_path + format_delivered_to(local.address)
                found[local.account.id] = Filing(account=local.account.id, prefix=prefix, internal_date=date)
    return tuple(found.values())


def queued_recipients(accepted: Accepted) -> tuple[QueuedRecipient, ...]:
    """Return one queued recipient for each remote address that any recipient leads to."""
    found: dict[Address, QueuedRecipient] = {}
    for recipient in accepted.recipients:
        parameters = recipient.routed.recipient.parameters
        for remote in recipient.routed.remote:
            if remote.address not in found:
                found[remote.address] = _queued(str(remote.address), remote.destination, parameters, accepted.at)
    return tuple(found.values())


def _queued(address: str, destination: str, parameters: RcptParameters, at: float) -> QueuedRecipient:
    return QueuedRecipient(
        address=address,
        destination=destination,
        notify=format_notify(parameters.notify),
        orcpt=parameters.orcpt or "",
        next_attempt=at,
    )


def received_entry(accepted: Accepted) -> JourneyEntry:
    """Return the first entry of the story: where it came from, why each recipient was granted, where it goes."""
    client, facts = accepted.client, accepted.facts
    reverse_path = str(accepted.reverse_path) if accepted.reverse_path is not None else ""
    record: dict[str, Any] = {
        "from": reverse_path,
        "client": client.address,
        "helo": client.helo,
        "listener": client.listener,
        "protocol": accepted.protocol,
        "size": facts.size,
        "message_id": facts.message_id,
        "recipients": [],
    }
    if client.account is not None:
        record["account"] = client.account.address
    keys = {reverse_path.lower(): None} if reverse_path else {}
    if facts.message_id:
        keys[f"<{facts.message_id}>"] = None
    for recipient in accepted.recipients:
        told = _told(recipient.outcome.rule, recipient.routed)
        record["recipients"].append(told)
        keys[told["to"].lower()] = None
    refused = (*accepted.refused, *accepted.late_refusals)
    if refused:
        record["refused"] = [[refusal.address, refusal.outcome.as_record()] for refusal in refused]
        keys.update((refusal.address.lower(), None) for refusal in refused)
    return JourneyEntry(
        queue_id=accepted.queue_id, at=accepted.at, step=steps.RECEIVED, record=record, keys=tuple(keys)
    )


def _told(rule: str, routed: Routed) -> dict[str, Any]:
    told: dict[str, Any] = {"to": str(routed.recipient.address), "rule": rule}
    if routed.local:
        told["local"] = [local.account.address for local in routed.local]
    if routed.remote:
        told["remote"] = [[str(remote.address), remote.destination] for remote in routed.remote]
    return told
