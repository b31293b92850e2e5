"""What RCPT gets: may this client send there, is anybody there, and is there room (RFC 5321 §3.3, §4.1.1.3).

Order: relay control, then where routing leads: an address that reaches nobody is refused
here and not bounced later. A full mailbox is deferred (452 4.2.2), since its owner may yet tidy up.
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
from posthouse.services.reception.relay_control import RelayPolicy, may_send
from posthouse.services.routing.decisions import Routed
from posthouse.services.routing.router import Router
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow

MAILBOX_FULL = defer(
    "Mailbox full", code=452, detail_code=status.MAILBOX_FULL, rule="recipient.quota", setting="account quota"
)


@dataclass(frozen=True, slots=True)
class RecipientDecision:
    """What RCPT gets; ``routed`` is set exactly where the outcome grants."""

    outcome: Outcome
    routed: Routed | None = None


class RecipientRules:
    """Judges forward-paths."""

    def __init__(self, directory: Directory, router: Router, store: Store, settings: Settings) -> None:
        self._directory = directory
        self._router = router
        self._store = store
        self._settings = settings

    async def judge(
        self, client: ClientInfo, recipient: Recipient, *, sender_is_ours: bool, size: int
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
        routed = await self._router.route(recipient, meaning)
        refusal = routed.refusal
        if refusal is not None:
            return RecipientDecision(refusal)
        if not routed.remote and len(routed.local) == 1 and not await self.has_room(routed.local[0].account, size):
            return RecipientDecision(MAILBOX_FULL)
        return RecipientDecision(outcome, routed)

    async def has_room(self, account: AccountRow, size: int) -> bool:
        """Whether ``size`` more octets fit in the account's quota; 0 asks whether it is full already."""
        if not account.quota_bytes:
            return True
        usage = await self._store.usage(account.id)
        return usage is None or not usage.quota or usage.octets + max(size, 1) <= usage.quota
