"""Whether a mailbox takes a message of a size and has room, and whose owner is to be warned that it fills.

Asked when a recipient is named, and again when the message is there. A mailbox may pass its quota by
``account.quota_grace``. The owner is warned once for each level of ``account.quota_warnings`` that a message makes the
mailbox pass, and once when mail is refused because it is full, until there is room again. What a mailbox kept when it
was looked at before a delivery is remembered, so that messages which arrive together pass each level once.
Mailboxes without a quota cost nothing.
Tests: ``tests/unit/services/reception/test_room.py``.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final, Protocol

from posthouse.config.definitions.account import QUOTA_GRACE, QUOTA_WARNINGS
from posthouse.config.definitions.smtp import MESSAGE_SIZE
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.ids import AccountId
from posthouse.core.outcome import Outcome, reject
from posthouse.services.routing.decisions import LocalDelivery, Refusal, Routed
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow
from posthouse.store.rows import Usage
from posthouse.telemetry.log import Telemetry

MAILBOX_FULL: Final = reject(
    "Mailbox full", code=552, detail_code=status.MAILBOX_FULL, rule="recipient.quota", setting="account quota"
)


TOO_LARGE: Final = reject(
    "Message too large for this mailbox",
    code=552,
    detail_code=status.MESSAGE_TOO_LONG_FOR_MAILBOX,
    rule="recipient.size",
    setting="smtp.message_size",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaWarning:
    """A mailbox that passed a level: ``percent`` is the level, the rest what it keeps and may keep."""

    account: AccountRow
    percent: int
    octets: int
    messages: int


FULL: Final = 100  # the level of a warning that a mailbox is full
NEARLY: Final = 95  # per cent; where less is used, a message is refused because it is large, not the mailbox full
REMEMBERED: Final = 10_000  # mailboxes


class QuotaWarner(Protocol):
    """Tells the owner of a mailbox that it fills."""

    async def warn(self, warning: QuotaWarning) -> None:
        """Tell; a failure is the warner's own affair, the message is delivered already."""
        ...


class RoomKeeper:
    """Answers for the mailboxes of a worker. ``warner`` may be set once there is one."""

    def __init__(self, store: Store, settings: Settings, telemetry: Telemetry) -> None:
        self._store = store
        self._settings = settings
        self._telemetry = telemetry
        self.warner: QuotaWarner | None = None
        self._seen: OrderedDict[AccountId, Usage] = OrderedDict()
        self._full: OrderedDict[AccountId, None] = OrderedDict()  # whose owners know

    async def has_room(self, account: AccountRow, size: int) -> bool:
        """Whether a message of ``size`` octets fits; 0 asks whether the mailbox is full already. Raises Unavailable."""
        if not account.quota_bytes and not account.quota_messages:
            return True
        usage = await self._store.usage(account.id)
        if usage is None:
            return True
        self._see(account.id, usage)
        has_room = self._has_room(account, usage, size)
        if has_room:
            self._full.pop(account.id, None)
        else:
            await self._tell_full(account, usage)
        return has_room

    def _has_room(self, account: AccountRow, usage: Usage, size: int) -> bool:
        factor = 100 + self._settings.get(QUOTA_GRACE, account=account.address)
        if usage.quota and (usage.octets + max(size, 1)) * 100 > usage.quota * factor:
            return False
        most = account.quota_messages
        return not most or (usage.messages + 1) * 100 <= most * factor

    def _see(self, account: AccountId, usage: Usage) -> None:
        self._seen[account] = usage
        self._seen.move_to_end(account)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    async def _tell_full(self, account: AccountRow, usage: Usage) -> None:
        is_nearly = _reaches(usage.octets, usage.quota, NEARLY) or _reaches(
            usage.messages, account.quota_messages, NEARLY
        )
        if is_nearly and account.id not in self._full:
            self._full[account.id] = None
            if len(self._full) > REMEMBERED:
                self._full.popitem(last=False)
            await self._warn(account, FULL, usage)

    async def without_full(self, routed: Routed, size: int) -> Routed:
        """Return a recipient without the mailboxes that have no room; each becomes a refusal. Raises Unavailable."""
        refused = [(each, why) for each in routed.local if (why := await self._why_not(each.account, size)) is not None]
        if not refused:
            return routed
        full = [each for each, _ in refused]
        return replace(
            routed,
            local=tuple(each for each in routed.local if each not in full),
            refusals=(*routed.refusals, *(Refusal(each.account.address, why) for each, why in refused)),
        )

    async def _why_not(self, account: AccountRow, size: int) -> Outcome | None:
        if not self.takes(account, size):
            return TOO_LARGE
        return None if await self.has_room(account, size) else MAILBOX_FULL

    def takes(self, account: AccountRow, size: int) -> bool:
        """Whether messages of that size may go to an account, and come from it."""
        return size <= self._settings.get(MESSAGE_SIZE, account=account.address)

    async def after_delivery(self, local: tuple[LocalDelivery, ...], size: int) -> None:
        """Warn the owners of mailboxes that a message of ``size`` octets made pass a level. Raises Unavailable."""
        for account in {each.account.id: each.account for each in local}.values():
            if account.quota_bytes or account.quota_messages:
                await self._look(account, size)

    async def _look(self, account: AccountRow, size: int) -> None:
        usage = await self._store.usage(account.id)
        levels = sorted(int(each) for each in self._settings.get(QUOTA_WARNINGS, account=account.address))
        if usage is None or not levels:
            return
        before = self._seen.get(account.id) or Usage(usage.octets - size, usage.messages - 1, usage.quota)
        self._see(account.id, usage)
        most = account.quota_messages
        passed = [
            level
            for level in levels
            if (_reaches(usage.octets, usage.quota, level) and not _reaches(before.octets, usage.quota, level))
            or (_reaches(usage.messages, most, level) and not _reaches(before.messages, most, level))
        ]
        if passed:
            await self._warn(account, passed[-1], usage)

    async def _warn(self, account: AccountRow, percent: int, usage: Usage) -> None:
        warning = QuotaWarning(account=account, percent=percent, octets=usage.octets, messages=usage.messages)
        self._telemetry.event(
            "account.quota_warning",
            level="warning",
            account=account.address,
            percent=warning.percent,
            octets=usage.octets,
            messages=usage.messages,
        )
        if self.warner is not None:
            await self.warner.warn(warning)


def _reaches(used: int, quota: int, level: int) -> bool:
    """Whether what is used is at a level of a quota."""
    return bool(quota) and used * 100 >= quota * level
