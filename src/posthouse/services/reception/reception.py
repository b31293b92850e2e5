"""Reception: the service behind every door that mail comes in by. ``on_mail`` begins a ``Transaction``.

It knows clients (``identity.client``), rules (``senders``, ``recipients``) and the transaction, and nothing of the
protocol that carries them. Tests: ``tests/unit/services/reception``, ``tests/dialogues/smtp-server``.
"""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.config.definitions.relay import LOCAL_SENDER
from posthouse.config.settings import Settings
from posthouse.core.address import Address
from posthouse.core.clock import Clock
from posthouse.core.envelope import MailParameters
from posthouse.core.outcome import Outcome
from posthouse.services.delivery.service import DeliveryService
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.directory import Directory
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.reception.recipients import RecipientRules
from posthouse.services.reception.room import RoomKeeper
from posthouse.services.reception.senders import SenderRules
from posthouse.services.reception.transaction import Transaction, TransactionParts, report_refusal, soften
from posthouse.services.routing.router import Router
from posthouse.store.contract import Store
from posthouse.telemetry.log import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionParts:
    """What reception needs; made in the composition root. ``hostname`` is our name in trace lines."""

    hostname: str
    store: Store
    directory: Directory
    router: Router
    delivery: DeliveryService
    queue_ids: QueueIds
    settings: Settings
    clock: Clock
    telemetry: Telemetry


@dataclass(frozen=True, slots=True)
class MailDecision:
    """What MAIL gets; ``transaction`` is set exactly where the outcome grants."""

    outcome: Outcome
    transaction: Transaction | None = None


class Reception:
    """Begins transactions; one for each worker.

    Attributes:
        room: keeps account of the room in mailboxes; who warns their owners is set there.
    """

    def __init__(self, parts: ReceptionParts) -> None:
        self._settings = parts.settings
        self._telemetry = parts.telemetry
        self._senders = SenderRules(parts.directory, parts.store, parts.settings)
        self.room = RoomKeeper(parts.store, parts.settings, parts.telemetry)
        self._parts = TransactionParts(
            hostname=parts.hostname,
            store=parts.store,
            settings=parts.settings,
            clock=parts.clock,
            telemetry=parts.telemetry,
            queue_ids=parts.queue_ids,
            recipients=RecipientRules(parts.directory, parts.router, self.room, parts.settings),
            delivery=parts.delivery,
        )

    async def on_mail(
        self, client: ClientInfo, reverse_path: Address | None, parameters: MailParameters
    ) -> MailDecision:
        """Return the outcome of MAIL and, where it is granted, the transaction it begins. Raises Unavailable."""
        outcome = await self._senders.judge(client, reverse_path, parameters)
        if not outcome.is_done:
            outcome = soften(outcome, self._settings)
            report_refusal(self._telemetry, client, reverse_path, "", outcome)
            return MailDecision(outcome)
        is_asked = self._settings.get(LOCAL_SENDER)
        sender_is_ours = is_asked and await self._senders.is_ours(reverse_path)
        return MailDecision(
            outcome, Transaction(self._parts, client, reverse_path, parameters, sender_is_ours=sender_is_ours)
        )
