"""What RCPT gets: may this client send there, is anybody there, and is there room (RFC 5321 §3.3, §4.1.1.3).

Order: relay control, then where routing leads: an address that reaches nobody is refused here and not bounced later: a
disabled one (550 5.2.1), somebody who has moved (551 5.1.6 with the new address), a group that the sender may not send
to (550 5.7.1). A full mailbox is deferred (452 4.2.2), since its owner may yet tidy up.
Their number is limited by the session (``smtp.recipients``).
Tests: ``tests/unit/services/reception/test_transaction.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.config.definitions.relay import LOCAL_SENDER, NETWORKS
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.address import Address
from posthouse.core.envelope import Recipient
from posthouse.core.outcome import Outcome, defer
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.resolution import LocalAccount
from posthouse.services.reception.relay_control import NETWORK, RelayPolicy, may_send
from posthouse.services.reception.room import TOO_LARGE, RoomKeeper
from posthouse.services.routing.decisions import Routed
from posthouse.services.routing.router import Router
from posthouse.services.routing.senders import Sender

MAILBOX_FULL = defer(
    "Mailbox full", code=452, detail_code=status.MAILBOX_FULL, rule="recipient.quota", setting="account quota"
)


@dataclass(frozen=True, slots=True)
class RecipientDecision:
    """What RCPT gets; ``routed`` is set exactly where the outcome grants."""

    outcome: Outcome
    routed: Routed | None = None


class RecipientRules:
    """Judges forward-paths.

    Attributes:
        room: keeps account of the room in mailboxes.
    """

    def __init__(self, directory: Directory, router: Router, room: RoomKeeper, settings: Settings) -> None:
        self._directory = directory
        self._router = router
        self._settings = settings
        self.room = room

    async def judge(
        self, client: ClientInfo, recipient: Recipient, reverse_path: Address | None, *, sender_is_ours: bool, size: int
    ) -> RecipientDecision:
        """Return the outcome of RCPT; ``size`` is what MAIL announced, 0 where it did not. Raises Unavailable."""
        settings = self._settings
        if not recipient.address.domain:  # <Postmaster> alone (RFC 5321 §4.1.1.3): from here on it has a domain
            address = Address(recipient.address.local_part, await self._directory.default_domain())
            recipient = Recipient(address, recipient.parameters)
        meaning = await self._directory.resolve(recipient.address)
        policy = RelayPolicy(settings.get(NETWORKS), settings.get(LOCAL_SENDER))
        outcome = may_send(client, sender_is_ours, meaning, policy)
        if not outcome.is_done:
            return RecipientDecision(outcome)
        sender = None
        if not isinstance(meaning, LocalAccount):  # groups ask who sends
            sender = Sender(reverse_path, client.account, is_trusted=outcome is NETWORK)
        routed = await self._router.route(recipient, meaning, sender)
        refusal = routed.refusal
        if refusal is not None:
            return RecipientDecision(refusal)
        if not routed.remote and len(routed.local) == 1:
            only = routed.local[0].account
            if not self.room.takes(only, size):
                return RecipientDecision(TOO_LARGE)
            if not await self.room.has_room(only, size):
                return RecipientDecision(MAILBOX_FULL)
        return RecipientDecision(outcome, routed)
