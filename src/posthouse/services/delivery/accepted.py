"""A message that reception has accepted, with all that was decided about it: the input of the one commit."""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.core.address import Address
from posthouse.core.envelope import MailParameters
from posthouse.core.ids import QueueId
from posthouse.core.outcome import Outcome
from posthouse.message.facts import MessageFacts
from posthouse.services.identity.client import ClientInfo
from posthouse.services.routing.decisions import Refusal, Routed
from posthouse.store.spool import Spool


@dataclass(frozen=True, slots=True)
class AcceptedRecipient:
    """One forward-path that was granted: why (the outcome of relay control) and where it goes."""

    outcome: Outcome
    routed: Routed


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One message.

    Attributes:
        at: when it came, seconds since the epoch.
        protocol: the ``with`` word of its Received line.
        late_refusals: recipients that turned out to be undeliverable after their RCPT was granted, or targets of
            aliases nobody has; the reverse-path is told in a notice.
        refused: recipients that were refused at RCPT, for the story alone; their client knows already.
        content: the message as it is to be stored; a spool stays the caller's.
    """

    queue_id: QueueId
    at: float
    client: ClientInfo
    protocol: str
    reverse_path: Address | None
    parameters: MailParameters
    recipients: tuple[AcceptedRecipient, ...]
    late_refusals: tuple[Refusal, ...] = ()
    refused: tuple[Refusal, ...] = ()
    content: bytes | Spool
    facts: MessageFacts
