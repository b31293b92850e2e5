"""Bans as operations: added, explained, listed, lifted; what nobody bans by mistake."""

from __future__ import annotations

from dataclasses import replace

import pytest

from posthouse.config.settings import Settings
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import ban
from posthouse.services.identity.guard import AUTOMATIC, Guard
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import PutBan
from tests.support.desks import caller_of, do

ANNA = "anna@acme.test"


def guard_of(desk) -> Guard:
    """Return a worker's guard on the desk's store."""
    return Guard(desk.store, desk.settings, desk.clock, bytes(32))


async def test_a_network_is_kept_out_for_a_while(desk, store_clock) -> None:
    """Written in one way, by whom and why, until when; workers obey."""
    made = await do(desk, ban.add, network="192.0.2.77/24", duration="12h", reason="a botnet")
    assert (made.network, made.by, made.reason) == ("192.0.2.0/24", "root", "a botnet")
    assert made.until.timestamp() == store_clock.now() + 12 * 3_600
    assert (await guard_of(desk).ban_of("192.0.2.9", ANNA)).by == "root"
    store_clock.advance(12 * 3_600)
    assert await guard_of(desk).ban_of("192.0.2.9", ANNA) is None
    entry = (await desk.store.audit())[0]
    assert (entry.operation, entry.subject, entry.after["reason"]) == ("ban.add", "ban:192.0.2.0/24", "a botnet")


REFUSED = {
    "no network": ({"network": "everybody"}, "network"),
    "more bits than there are": ({"network": "192.0.2.0/99"}, "network"),
    "wider than /8": ({"network": "0.0.0.0/7"}, "network"),
    "everybody": ({"network": "::/0"}, "network"),
    "wider than /32": ({"network": "2001::/31"}, "network"),
    "a trusted one": ({"network": "10.1.2.3"}, "network"),
    "one around a trusted one": ({"network": "10.0.0.0/8"}, "network"),
    "a time that is none": ({"network": "192.0.2.1", "duration": "soon"}, "duration"),
    "no time": ({"network": "192.0.2.1", "duration": "0s"}, "duration"),
    "for ever": ({"network": "192.0.2.1", "duration": "99999d"}, "duration"),
    "a reason of two lines": ({"network": "192.0.2.1", "reason": "a\nb"}, "reason"),
    "an account that is none": ({"network": "192.0.2.1", "account": "nobody"}, "account"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_bans_that_are_refused(desk, name) -> None:
    """The field is named, nothing is written."""
    desk.settings = Settings([SettingRow("auth.trusted_networks", "server", "10.1.0.0/16", "", 0.0)])
    fields, field = REFUSED[name]
    with pytest.raises(Refused) as caught:
        await do(desk, ban.add, **fields)
    assert caught.value.field == field
    assert await desk.store.bans() == []


async def test_what_force_is_for(desk) -> None:
    """A wide network, and one's own; never a trusted one."""
    assert (await do(desk, ban.add, network="0.0.0.0/7", force=True)).network == "0.0.0.0/7"
    root = replace(await caller_of(desk.store, "root@own.test"), address="::ffff:198.51.100.5")
    with pytest.raises(Refused, match=r"you are at 198\.51\.100\.5 yourself"):
        await do(desk, ban.add, root, network="198.51.100.0/24")
    await do(desk, ban.add, root, network="198.51.100.0/24", force=True)
    desk.settings = Settings([SettingRow("auth.trusted_networks", "server", "10.1.0.0/16", "", 0.0)])
    with pytest.raises(Refused) as caught:
        await do(desk, ban.add, network="10.1.0.0/16", force=True)
    assert caught.value.kind is Kind.NOT_NOW


async def test_what_was_counted_is_explained(desk) -> None:
    """With the ways back in; a network around an address is found by the address."""
    guard = guard_of(desk)
    for number in range(12):
        await guard.failed("192.0.2.7", ANNA, b"%d" % number)
    shown = await do(desk, ban.show, network="192.0.2.7", account=ANNA)
    assert shown.by == AUTOMATIC
    assert shown.in_force
    assert f"The client 192.0.2.7 may not sign in as {ANNA} until 2023-11-14" in shown.explanation
    assert "Counted were 12 different wrong passwords within 10 minutes." in shown.explanation
    assert "posthouse ban remove" in shown.explanation
    await do(desk, ban.add, network="203.0.113.0/24", reason="a botnet")
    around = await do(desk, ban.show, network="203.0.113.80")
    assert around.network == "203.0.113.0/24"
    assert "root set it: a botnet." in around.explanation
    with pytest.raises(Refused) as caught:
        await do(desk, ban.show, network="203.0.114.80")
    assert caught.value.kind is Kind.MISSING


async def test_lifting_lets_in(desk, store_clock) -> None:
    """Within a second, and counting begins anew."""
    guard = guard_of(desk)
    for number in range(12):
        await guard.failed("2001:db8:1:2::7", ANNA, b"%d" % number)
    await do(desk, ban.remove, network="2001:db8:1:2::99", account=ANNA)
    store_clock.advance(1)
    assert await guard.ban_of("2001:db8:1:2::7", ANNA) is None
    assert (await guard.failed("2001:db8:1:2::7", ANNA, b"one more")).ban is None
    with pytest.raises(Refused) as caught:
        await do(desk, ban.remove, network="2001:db8:1:2::99", account=ANNA)
    assert caught.value.kind is Kind.MISSING


async def test_lists_are_narrowed(desk, store_clock) -> None:
    """By client, by account, and to what has not ended."""
    now = store_clock.now()
    for network, account, until, by in (
        ("192.0.2.7", ANNA, now + 60, AUTOMATIC),
        ("192.0.2.0/24", "", now + 60, "root"),
        ("198.51.100.1", "", now - 60, AUTOMATIC),
        ("2001:db8::/64", "", now + 60, AUTOMATIC),
    ):
        await desk.store.commit(PutBan(network=network, account=account, reason="r", since=now, until=until, by=by))

    async def found(**fields):
        return [row.network for row in (await do(desk, ban.list_, **fields)).items]

    assert await found() == ["192.0.2.0/24", "192.0.2.7", "2001:db8::/64"]
    assert "198.51.100.1" in await found(ended=True)
    assert await found(address="192.0.2.7") == ["192.0.2.0/24", "192.0.2.7"]
    assert await found(address="::ffff:192.0.2.8") == ["192.0.2.0/24"]
    assert await found(address="2001:db8::5") == ["2001:db8::/64"]
    assert await found(account=ANNA) == ["192.0.2.7"]
    first = await do(desk, ban.list_, limit=2)
    assert [row.network for row in (await do(desk, ban.list_, limit=2, cursor=first.next)).items] == ["2001:db8::/64"]
    with pytest.raises(Refused):
        await found(address="nobody")


async def test_bans_that_ended_long_ago_go(desk, store_clock) -> None:
    """A week after their end, when another is written."""
    await do(desk, ban.add, network="192.0.2.1", duration="1m")
    store_clock.advance(8 * 86_400)
    await do(desk, ban.add, network="192.0.2.2", duration="1m")
    assert [row.network for row in await desk.store.bans()] == ["192.0.2.2"]
