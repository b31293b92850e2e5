"""Room in mailboxes and warnings that they fill."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.core.envelope import Recipient
from posthouse.core.ids import AccountId
from posthouse.services.reception.room import QuotaWarning, RoomKeeper
from posthouse.services.routing.decisions import LocalDelivery, Routed
from posthouse.store.directory_rows import AccountRow, SettingRow
from posthouse.store.rows import Usage
from posthouse.telemetry.log import null_telemetry

ANN = AccountId(1)


class Kept:
    """A store that says what one account uses, and a warner that keeps what it was told."""

    def __init__(self, octets: int = 0, messages: int = 0, quota: int = 0) -> None:
        self.used = Usage(octets, messages, quota)
        self.asked = 0
        self.told: list[QuotaWarning] = []

    async def usage(self, account: AccountId) -> Usage:
        self.asked += 1
        return self.used

    async def warn(self, warning: QuotaWarning) -> None:
        self.told.append(warning)


def keeper(kept: Kept, **values: str) -> RoomKeeper:
    rows = [SettingRow(name.replace("__", "."), "server", value, "", 0.0) for name, value in values.items()]
    made = RoomKeeper(kept, Settings(rows), null_telemetry())
    made.warner = kept
    return made


ROOM = {
    # octets, messages, quota, message quota, size, grace, fits
    "no quota": (10**12, 10**6, 0, 0, 10**9, "0", True),
    "exactly": (900, 1, 1000, 0, 100, "0", True),
    "one octet too many": (900, 1, 1000, 0, 101, "0", False),
    "full, no size told": (1000, 1, 1000, 0, 0, "0", False),
    "within the grace": (1000, 1, 1000, 0, 100, "10", True),
    "beyond the grace": (1000, 1, 1000, 0, 101, "10", False),
    "the last message": (1, 9, 0, 10, 1, "0", True),
    "a message too many": (1, 10, 0, 10, 1, "0", False),
    "a message within the grace": (1, 10, 0, 10, 1, "10", True),
    "either is enough": (1, 10, 10**9, 10, 1, "0", False),
}


@pytest.mark.parametrize("name", ROOM)
async def test_room(name: str) -> None:
    """Octets and messages are both counted, with the grace."""
    octets, messages, quota, most, size, grace, fits = ROOM[name]
    kept = Kept(octets, messages, quota)
    account = AccountRow(ANN, "ann@house.test", quota_bytes=quota, quota_messages=most)
    assert await keeper(kept, account__quota_grace=grace).has_room(account, size) is fits
    assert bool(kept.asked) == bool(quota or most)


async def test_full_mailboxes_of_many_become_refusals() -> None:
    """The others get the message, whose sender is told of the full ones."""
    full = LocalDelivery(AccountRow(ANN, "ann@house.test", quota_bytes=100), "ann@house.test")
    free = LocalDelivery(AccountRow(AccountId(2), "bob@house.test"), "bob@house.test")
    routed = Routed(Recipient(parse_address("all@house.test")), (full, free))
    after = await keeper(Kept(100, 1, 100)).without_full(routed, 10)
    assert after.local == (free,)
    assert [(each.address, each.outcome.enhanced) for each in after.refusals] == [("ann@house.test", "5.2.2")]


WARNED = {
    # octets now, size, quota, messages now, message quota, levels, told
    "below": (79, 10, 100, 1, 0, "80, 95", []),
    "reaches a level": (80, 10, 100, 1, 0, "80, 95", [80]),
    "was there already": (90, 5, 100, 1, 0, "80, 95", []),
    "reaches the next": (96, 5, 100, 1, 0, "80, 95", [95]),
    "passes two at once": (99, 90, 100, 1, 0, "80, 95", [95]),
    "no levels": (99, 90, 100, 1, 0, "", []),
    "messages": (1, 1, 0, 8, 10, "80, 95", [80]),
    "no quota": (10**9, 10**9, 0, 9, 0, "80", []),
}


@pytest.mark.parametrize("name", WARNED)
async def test_owners_are_warned_once_for_each_level(name: str) -> None:
    """A message that makes a mailbox pass a level warns; the next one does not."""
    octets, size, quota, messages, most, levels, told = WARNED[name]
    kept = Kept(octets, messages, quota)
    account = AccountRow(ANN, "ann@house.test", quota_bytes=quota, quota_messages=most)
    delivery = LocalDelivery(account, account.address)
    await keeper(kept, account__quota_warnings=levels).after_delivery((delivery, delivery), size)
    assert [each.percent for each in kept.told] == told


async def test_a_domain_may_take_smaller_messages_only() -> None:
    """What is larger than smtp.message_size of the account, its domain or its post office is refused for it."""
    rows = [SettingRow("smtp.message_size", "domain:small.test", "1 MiB", "", 0.0)]
    room = RoomKeeper(Kept(), Settings(rows), null_telemetry())
    small, other = AccountRow(ANN, "ann@small.test"), AccountRow(AccountId(2), "ben@other.test")
    assert (room.takes(small, 1 << 20), room.takes(small, (1 << 20) + 1), room.takes(other, 1 << 24)) == (
        True, False, True,
    )  # fmt: skip
    to_both = Routed(
        Recipient(parse_address("both@other.test")),
        local=tuple(LocalDelivery(each, each.address) for each in (small, other)),
    )
    kept = await room.without_full(to_both, 1 << 21)
    assert [each.account for each in kept.local] == [other]
    assert [each.outcome.rule for each in kept.refusals] == ["recipient.size"]


async def test_messages_that_arrive_together_pass_each_level_once() -> None:
    """What a mailbox kept before is remembered: neither of two that were filed together misses or repeats a level."""
    kept = Kept(70, 1, 100)
    account = AccountRow(ANN, "ann@house.test", quota_bytes=100)
    delivery = LocalDelivery(account, account.address)
    room = keeper(kept, account__quota_warnings="80, 95")
    for _ in range(2):
        assert await room.has_room(account, 10)
    kept.used = Usage(90, 3, 100)  # both are filed before either is looked at
    for _ in range(2):
        await room.after_delivery((delivery,), 10)
    assert [each.percent for each in kept.told] == [80]
    kept.used = Usage(50, 1, 100)  # the owner tidied up
    assert await room.has_room(account, 35)
    kept.used = Usage(85, 2, 100)
    await room.after_delivery((delivery,), 35)
    assert [each.percent for each in kept.told] == [80, 80]


FULL = {
    # octets, messages, quota, message quota, size, told
    "full": (100, 1, 100, 0, 0, [100]),
    "nearly full": (96, 1, 100, 0, 10, [100]),
    "a large message": (10, 1, 100, 0, 95, []),
    "too many messages": (1, 10, 0, 10, 1, [100]),
    "room": (10, 1, 100, 0, 10, []),
}


@pytest.mark.parametrize("name", FULL)
async def test_the_owner_of_a_full_mailbox_is_told_once(name: str) -> None:
    """When mail is refused because it is full, until there was room again; not when a message is too large for it."""
    octets, messages, quota, most, size, told = FULL[name]
    kept = Kept(octets, messages, quota)
    account = AccountRow(ANN, "ann@house.test", quota_bytes=quota, quota_messages=most)
    room = keeper(kept)
    for _ in range(3):
        await room.has_room(account, size)
    assert [each.percent for each in kept.told] == told
    kept.used = Usage(0, 0, quota)
    assert await room.has_room(account, 1)
    kept.used = Usage(octets, messages, quota)
    await room.has_room(account, size)
    assert [each.percent for each in kept.told] == told * 2
