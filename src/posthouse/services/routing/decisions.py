"""What routing decides for one recipient: values. Made by ``router.Router``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from posthouse.core.address import Address
from posthouse.core.envelope import Recipient
from posthouse.core.outcome import Outcome
from posthouse.store.directory_rows import AccountRow


@dataclass(frozen=True, slots=True)
class LocalDelivery:
    """Into the account's mailbox; ``address`` is the final address, written in Delivered-To."""

    account: AccountRow
    address: str


@dataclass(frozen=True, slots=True)
class RemoteDelivery:
    """Through the queue; ``destination`` is the key of the next hop: ``mx:example.org`` or ``host:relay.test:25``."""

    address: Address
    destination: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nowhere; the outcome says why and whether for good."""

    address: str
    outcome: Outcome


Decision: TypeAlias = LocalDelivery | RemoteDelivery | Refusal


@dataclass(frozen=True, slots=True)
class Routed:
    """All that became of one accepted recipient. ``refusals`` of some of many targets spoil nothing."""

    recipient: Recipient
    local: tuple[LocalDelivery, ...] = ()
    remote: tuple[RemoteDelivery, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def refusal(self) -> Outcome | None:
        """The outcome where the recipient reaches nobody at all (temporary where any reason is), else None."""
        if self.local or self.remote:
            return None
        return next((each.outcome for each in self.refusals if each.outcome.is_temporary), self.refusals[0].outcome)
