"""Whose mail it is: what a caller sees of the queue and of the stories of messages.

Administrators of the server see everything. Everybody else sees what concerns the addresses he administers, and no
other recipient of the same message, for that may be a blind copy:

- of what one of his people sent (signed in, or from a machine that may relay with his address as the reverse-path):
  all of it;
- of what others sent: the recipients that are his, and where they lead.

The reverse-path of mail that strangers hand in proves nothing, and so gives no right to see.
Tests: ``tests/unit/services/administration/test_mail_reach.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from posthouse.config.definitions.address import EXTENSION_DELIMITER
from posthouse.core.ids import QueueId
from posthouse.services.administration.access import reaches
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.reach import Reach, Target
from posthouse.services.journey import steps
from posthouse.services.journey.story import ToldStep
from posthouse.services.journey.wording import tell
from posthouse.store.rows import JourneyRow, QueueRow

# Rules by which a message is taken as one's own: whoever handed it in may send for the reverse-path.
_SENT_BY_US: Final = frozenset({"relay.authenticated", "relay.network", "relay.local_sender"})
_REMEMBERED: Final = 10_000


class MailReach:
    """What one caller sees."""

    def __init__(self, call: Call) -> None:
        self._store = call.desk.store
        self._settings = call.desk.settings
        self._caller = call.caller
        self._known: dict[str, bool] = {}
        self._last: tuple[QueueId, Mapping[str, Any] | None] | None = None

    @property
    def is_all(self) -> bool:
        """Whether the caller sees everything."""
        return self._caller.role is Role.SERVER

    async def is_his(self, address: str) -> bool:
        """Whether an address is one that the caller administers; of an account owner, one of his own."""
        if "@" not in address:
            return False
        folded = address.lower()
        if folded not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[folded] = await self._is_his(folded)
        return self._known[folded]

    async def _is_his(self, folded: str) -> bool:
        if self._caller.role is not Role.ACCOUNT:
            return await reaches(self._store, self._caller, Target(Reach.DOMAIN, folded.rpartition("@")[2]))
        local, _, domain = folded.rpartition("@")
        row = await self._store.domain(domain)
        if row is None:
            return False
        delimiter = self._settings.get(EXTENSION_DELIMITER, domain=row.name)
        bare = local.partition(delimiter)[0] if delimiter else local
        for name in {local, bare}:
            account = await self._store.account(f"{name}@{row.alias_of or row.name}")
            if account is not None and account.address == self._caller.account:
                return True
        return False

    # ---- the queue ------------------------------------------------------------------------------------------------

    async def visible(self, rows: Sequence[QueueRow]) -> list[QueueRow]:
        """Return the recipients that the caller sees, in the same order; quickest where those of one message follow."""
        if self.is_all:
            return list(rows)
        return [row for row in rows if await self._sees(row)]

    async def _sees(self, row: QueueRow) -> bool:
        record = await self._beginning(row.queue_id)
        if record is None:
            return False
        if await self._is_sender(record):
            return True
        for each in _recipients(record):
            leads_here = any(address == row.address for address, _ in each.get("remote", ()))
            if leads_here and await self.is_his(str(each.get("to", ""))):
                return True
        return False

    async def _beginning(self, queue_id: QueueId) -> Mapping[str, Any] | None:
        """Return how a message came to be, from its story; None where that is forgotten."""
        if self._last is None or self._last[0] != queue_id:
            found = await self._store.journey(queue_id)
            record = next((row.record for row in found if row.step in {steps.RECEIVED, steps.NOTICE}), None)
            self._last = (queue_id, record)
        return self._last[1]

    async def _is_sender(self, record: Mapping[str, Any]) -> bool:
        account = str(record.get("account", ""))
        if account and await self.is_his(account):
            return True
        rules = {str(each.get("rule", "")) for each in _recipients(record)}
        return not account and not rules.isdisjoint(_SENT_BY_US) and await self.is_his(str(record.get("from", "")))

    # ---- stories --------------------------------------------------------------------------------------------------

    async def narrowed(self, story: Sequence[JourneyRow]) -> list[ToldStep]:
        """Return what the caller sees of a story; [] where that is nothing."""
        if self.is_all or await self._is_whole_his(story):
            return [_told(row, row.record) for row in story]
        seen: list[ToldStep] = []
        addresses: set[str] = set()  # of steps that may be told: his recipients, and where they lead
        for row in story:
            record = await self._narrowed(row, addresses)
            if record is not None:
                seen.append(_told(row, record))
        return seen

    async def _is_whole_his(self, story: Sequence[JourneyRow]) -> bool:
        for row in story:
            if row.step == steps.RECEIVED and await self._is_sender(row.record):
                return True
        return False

    async def _narrowed(self, row: JourneyRow, addresses: set[str]) -> Mapping[str, Any] | None:
        if row.step == steps.RECEIVED:
            return await self._narrowed_beginning(row.record, addresses)
        if row.step == steps.REFUSED:
            return await self._narrowed_refusal(row.record)
        to = str(row.record.get("to", ""))
        if row.step == steps.NOTICE and await self.is_his(to):
            addresses |= {to, *_leads_to(row.record)}
        return row.record if to in addresses else None

    async def _narrowed_beginning(self, record: Mapping[str, Any], addresses: set[str]) -> Mapping[str, Any] | None:
        mine = [each for each in _recipients(record) if await self._concerns(each)]
        refused = [each for each in record.get("refused", ()) if await self.is_his(str(each[0]))]
        for each in mine:
            addresses |= {str(each.get("to", "")), *_leads_to(each)}
        if not mine and not refused:
            return None
        rest = {name: value for name, value in record.items() if name not in {"account", "recipients", "refused"}}
        return {**rest, "recipients": mine, **({"refused": refused} if refused else {})}

    async def _concerns(self, recipient: Mapping[str, Any]) -> bool:
        if await self.is_his(str(recipient.get("to", ""))):
            return True
        return any([await self.is_his(str(each)) for each in recipient.get("local", ())])

    async def _narrowed_refusal(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        to = record.get("to", "")
        several = to if isinstance(to, list | tuple) else [to]
        mine = [each for each in several if await self.is_his(str(each))]
        return {**record, "to": mine} if mine else None


def _recipients(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the recipients of a beginning; a notice has one, itself."""
    if "recipients" in record:
        found: Sequence[Mapping[str, Any]] = record["recipients"]
        return found
    return (record,)


def _leads_to(recipient: Mapping[str, Any]) -> set[str]:
    return {str(address) for address, _ in recipient.get("remote", ())}


def _told(row: JourneyRow, record: Mapping[str, Any]) -> ToldStep:
    return ToldStep(row.at, row.step, record, tuple(tell(row.step, record)))
