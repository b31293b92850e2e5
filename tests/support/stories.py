"""Messages with the beginnings of their stories, as reception writes them: who sent, for whom, where it went."""

from __future__ import annotations

from typing import Any

from posthouse.core.ids import QueueId
from posthouse.services.journey import steps
from posthouse.store.values import Delivery, JourneyEntry, Note, QueuedRecipient, QueueEntry
from tests.support.stores import EPOCH, mail, new_queue_id


def entry(queue_id: QueueId, step: str, record: dict[str, Any], *keys: str, at: float = EPOCH) -> JourneyEntry:
    """Return a step of a story."""
    return JourneyEntry(queue_id=queue_id, at=at, step=step, record=record, keys=keys)


def message(
    sender: str, *recipients: dict[str, Any], account: str = "", at: float = EPOCH, message_id: str = ""
) -> Delivery:
    """Return a message with its beginning; each recipient has ``to``, ``rule``, ``local`` and ``remote``."""
    queue_id = new_queue_id(at)
    record = {
        "from": sender,
        "client": "192.0.2.9",
        "size": 9,
        "message_id": message_id,
        "recipients": list(recipients),
    }
    if account:
        record["account"] = account
    keys = [key for key in (sender, *(each["to"] for each in recipients)) if key]
    if message_id:
        keys.append(f"<{message_id}>")
    remote = [address for each in recipients for address, _ in each.get("remote", ())]
    waiting = tuple(
        QueuedRecipient(address=address, destination=f"mx:{address.rpartition('@')[2]}", next_attempt=at + 300)
        for address in remote
    )
    return Delivery(
        email=mail(),
        queue_id=queue_id,
        queue=QueueEntry(reverse_path=sender, recipients=waiting, expires=at + 432_000) if waiting else None,
        journey=(entry(queue_id, steps.RECEIVED, record, *keys, at=at),),
    )


def to(address: str, *remote: str, rule: str = "relay.own_domain", local: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a recipient of a beginning."""
    told: dict[str, Any] = {"to": address, "rule": rule}
    if local:
        told["local"] = list(local)
    if remote:
        told["remote"] = [[each, f"mx:{each.rpartition('@')[2]}"] for each in remote]
    return told


def submitted(account: str, *recipients: str, at: float = EPOCH, **more: Any) -> Delivery:
    """Return a message that one of ours sent, signed in, to people elsewhere."""
    found = [to(each, each, rule="relay.authenticated") for each in recipients]
    return message(account, *found, account=account, at=at, **more)


def refused(sender: str, *recipients: str, at: float = EPOCH) -> Note:
    """Return a message that was refused."""
    record = {"from": sender, "client": "192.0.2.9", "to": list(recipients), "outcome": {"code": 550, "text": "no"}}
    return Note(journey=(entry(new_queue_id(at), steps.REFUSED, record, *recipients, at=at),))
