"""Guessing: what is counted, who is banned, who never is, and the ways back in."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.services.identity import guard as module
from posthouse.services.identity.bans import AUTOMATIC
from posthouse.services.identity.guard import Guard
from posthouse.store.directory_rows import SettingRow, SignInRow
from posthouse.store.directory_values import PutBan, RemoveBan
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory

ANNA = "anna@house.test"
HOME = "198.51.100.7"
FAR = "203.0.113.9"


class House:
    """A store with an account, and as many workers' guards as are asked for."""

    def __init__(self, **values: str) -> None:
        self.clock = FakeClock()
        self.store = MemoryDirectory()
        self.store.add_domain("house.test")
        self.account = self.store.add_account(ANNA)
        rows = [SettingRow(name.replace("__", "."), "server", value, "", 0.0) for name, value in values.items()]
        self.settings = Settings(rows)
        self.guard = self.worker()

    def worker(self) -> Guard:
        return Guard(self.store, self.settings, self.clock, b"k" * 32)

    async def guess(self, address: str, count: int, account: str = ANNA, *, first: int = 0, guard=None):
        """Try different wrong passwords; return the last penalty."""
        penalty = None
        for number in range(first, first + count):
            penalty = await (guard or self.guard).failed(address, account, b"wrong %d" % number)
        return penalty

    async def is_banned(self, address: str, account: str = ANNA, guard=None) -> bool:
        return await (guard or self.guard).ban_of(address, account) is not None


@pytest.fixture
def house() -> House:
    """Return a house with the default thresholds."""
    return House()


async def test_the_same_wrong_password_counts_once(house) -> None:
    """A mail program that repeats an old password ten thousand times is neither banned nor delayed."""
    for _ in range(10_000):
        penalty = await house.guard.failed(HOME, ANNA, b"old")
    assert penalty.delay == 0.0
    assert not await house.is_banned(HOME)


async def test_delays_grow_and_end(house) -> None:
    """The first three cost nothing, then each costs twice as much, up to eight seconds."""
    delays = [(await house.guess(HOME, 1, first=number)).delay for number in range(10)]
    assert delays == [0, 0, 0, 0.5, 1, 2, 4, 8, 8, 8]


async def test_guessing_at_one_account_bans_from_that_account(house) -> None:
    """The twelfth different password; other accounts are reached as before, and from elsewhere this one is."""
    assert (await house.guess(FAR, 11)).ban is None
    ban = (await house.guess(FAR, 1, first=11)).ban
    assert (ban.network, ban.account, ban.by) == (FAR, ANNA, AUTOMATIC)
    assert ban.reason == "12 different wrong passwords within 10 minutes"
    assert await house.is_banned(FAR)
    assert not await house.is_banned(FAR, "ben@house.test")
    assert not await house.is_banned(HOME)


async def test_trying_one_password_on_many_accounts_bans_from_all(house) -> None:
    """The same secret for another account is another guess; the reason says over how many."""
    for number in range(29):
        await house.guard.failed(FAR, f"p{number}@house.test", b"Summer2026!")
    assert not await house.is_banned(FAR)
    penalty = await house.guard.failed(FAR, "p29@house.test", b"Summer2026!")
    assert penalty.ban.reason == "30 different wrong passwords for 30 accounts within 10 minutes"
    assert penalty.ban.account == ""
    assert await house.is_banned(FAR, "somebody@else.test")


async def test_names_that_are_nobodys_count_alike(house) -> None:
    """Nobody learns from bans which accounts there are."""
    for account in (ANNA, "nobody@house.test", "no address at all"):
        guesser = f"192.0.2.{len(account)}"
        await house.guess(guesser, 12, account)
        assert await house.is_banned(guesser, account)


async def test_secrets_without_a_name_count_for_the_network_alone(house) -> None:
    """Wrong tokens of the API: nobody is named, so the network has its whole threshold."""
    assert (await house.guess(FAR, 29, "")).ban is None
    assert (await house.guess(FAR, 1, "", first=29)).ban.account == ""


async def test_what_was_tried_long_ago_does_not_count(house) -> None:
    """Each wrong password counts for its own ten minutes, however steadily others come."""
    for number in range(40):
        await house.guess(HOME, 1, f"p{number}@house.test")
        house.clock.advance(30)
    assert not await house.is_banned(HOME)


async def test_a_ban_ends(house) -> None:
    """After half an hour the client may try again, and counts from nothing."""
    await house.guess(FAR, 12)
    house.clock.advance(1_799)
    assert await house.is_banned(FAR)
    house.clock.advance(2)
    assert not await house.is_banned(FAR)
    assert (await house.guess(FAR, 1, first=99)).ban is None


async def test_another_worker_knows_within_a_second(house) -> None:
    """One worker bans, the other refuses; one lifts, both forget."""
    other = house.worker()
    assert not await house.is_banned(FAR, guard=other)
    await house.guess(FAR, 12)
    house.clock.advance(1.0)
    assert await house.is_banned(FAR, guard=other)
    await house.store.commit(RemoveBan(network=FAR, account=ANNA))
    house.clock.advance(1.0)
    assert not await house.is_banned(FAR, guard=other)
    assert not await house.is_banned(FAR)


async def test_lifting_a_ban_forgets_what_was_counted(house) -> None:
    """The next typing error does not ban again."""
    await house.guess(FAR, 12)
    house.clock.advance(1.0)
    assert await house.is_banned(FAR)
    await house.store.commit(RemoveBan(network=FAR, account=ANNA))
    house.clock.advance(1.0)
    assert not await house.is_banned(FAR)
    assert (await house.guess(FAR, 1, first=50)).ban is None


async def test_the_owner_at_home_is_not_locked_out_by_others_there(house) -> None:
    """A network that is banned for guesses at others still serves whoever was signed in from it."""
    house.store.sign_ins[house.account.id] = SignInRow(1.0, HOME, "imap")
    for number in range(30):
        await house.guard.failed(HOME, f"p{number}@house.test", b"x")
    assert await house.is_banned(HOME, "p1@house.test")
    assert not await house.is_banned(HOME, ANNA)


async def test_home_is_remembered_though_the_last_sign_in_was_elsewhere(house) -> None:
    """A telephone on its way does not make home a stranger's network."""
    house.guard.succeeded(HOME, ANNA)
    house.store.sign_ins[house.account.id] = SignInRow(2.0, FAR, "imap")
    await house.store.commit(PutBan(network=HOME, account="", reason="r", since=0.0, until=9e9, by=AUTOMATIC))
    assert not await house.is_banned(HOME, ANNA)


async def test_home_does_not_help_who_guesses_at_the_owner_from_there(house) -> None:
    """Where both thresholds are passed, the account is shut too: a ban of the network alone would be no hindrance."""
    house.guard.succeeded(HOME, ANNA)
    for number in range(30):
        await house.guard.failed(HOME, f"p{number}@house.test", b"x")
    assert not await house.is_banned(HOME, ANNA)
    await house.guess(HOME, 12)
    assert await house.is_banned(HOME, ANNA)


async def test_success_forgets_that_account_alone(house) -> None:
    """Whoever signs in with an account of his own does not clear what he tried on others."""
    await house.guess(FAR, 11)
    house.guard.succeeded(FAR, "mallory@house.test")
    assert (await house.guess(FAR, 1, first=11)).ban is not None
    await house.guess(HOME, 11)
    house.guard.succeeded(HOME, ANNA)
    assert (await house.guess(HOME, 1, first=11)).ban is None


@pytest.mark.parametrize("address", ["192.0.2.55", "::ffff:192.0.2.55", "2001:db8::55", ""])
async def test_trusted_networks_are_never_banned(address) -> None:
    """A proxy behind which everybody is; also where it shows as an IPv4 address in IPv6 form, and a local socket."""
    house = House(auth__trusted_networks="192.0.2.0/24, 2001:db8::/32")
    for number in range(200):
        penalty = await house.guard.failed(address, f"p{number % 3}@house.test", b"%d" % number)
    assert penalty == module.Penalty()
    await house.store.commit(PutBan(network=address or "x", account="", reason="r", since=0.0, until=9e9, by="root"))
    assert not await house.is_banned(address)


async def test_ipv4_in_ipv6_form_is_the_same_client(house) -> None:
    """Changing the form of an address is no second chance."""
    await house.guess(FAR, 6)
    await house.guess(f"::ffff:{FAR}", 6, first=6)
    assert await house.is_banned(FAR)
    assert await house.is_banned(f"::ffff:{FAR}")


async def test_ipv6_is_counted_by_64_and_by_48(house) -> None:
    """Another address of the same /64 is the same client; a /48 is banned at four times the threshold."""
    for number in range(12):
        await house.guess(f"2001:db8:1:1::{number:x}", 1, first=number)
    assert await house.is_banned("2001:db8:1:1::ffff")
    assert not await house.is_banned("2001:db8:1:2::1")
    for number in range(120):
        await house.guard.failed(f"2001:db8:2:{number:x}::1", f"p{number}@house.test", b"%d" % number)
    assert await house.is_banned("2001:db8:2:ffff::1", "anybody@house.test")
    assert not await house.is_banned("2001:db8:3::1", "anybody@house.test")


async def test_a_persons_ban_of_a_network_holds_for_everybody_in_it(house) -> None:
    """Home or not; another worker's clock or not; until it ends."""
    house.guard.succeeded(HOME, ANNA)
    await house.store.commit(
        PutBan(network="198.51.100.0/24", account="", reason="r", since=0.0, until=house.clock.now() + 60, by="root")
    )
    ban = await house.guard.ban_of(HOME, ANNA)
    assert ban.by == "root"
    assert not await house.is_banned("198.51.101.1")
    house.clock.advance(61)
    assert not await house.is_banned(HOME)


async def test_memory_is_bounded(monkeypatch, house) -> None:
    """Networks without end push the oldest out; so do secrets without end, and accounts that were signed in to."""
    monkeypatch.setattr(module, "NETWORKS", 100)
    monkeypatch.setattr(module, "ENTRIES", 150)
    monkeypatch.setattr(module, "HOMES", 50)
    for number in range(1_000):
        await house.guess(f"10.0.{number // 250}.{number % 250}", 3)
        house.guard.succeeded(f"10.1.{number // 250}.{number % 250}", f"p{number}@house.test")
    guard = house.guard
    held = sum(len(tried) for tried in guard._networks.values())
    assert len(guard._networks) <= 100
    assert held == guard._entries <= 150
    assert len(guard._homes) <= 50


async def test_counters_stay_right_when_entries_go(house) -> None:
    """Expiry, success and lifting all keep the count of what is held."""
    for number in range(20):
        await house.guess(f"10.0.0.{number}", 5, first=number)
        house.clock.advance(120)
        house.guard.succeeded(f"10.0.0.{number}", ANNA)
        await house.guess(f"10.0.0.{number % 3}", 2, first=number)
    assert house.guard._entries == sum(len(tried) for tried in house.guard._networks.values())


async def test_nothing_that_was_typed_is_kept(house) -> None:
    """Neither secrets nor names are found in what a guard holds."""
    await house.guard.failed(FAR, "typed-as-name@house.test", b"typed-as-secret")
    assert b"typed" not in repr(house.guard._networks).encode()


async def test_a_ban_that_cannot_be_stored_counts_here(house) -> None:
    """The caller is told, and this worker refuses meanwhile."""
    await house.guess(FAR, 11)
    house.store.failure = Unavailable("down", where="test")
    with pytest.raises(Unavailable):
        await house.guess(FAR, 1, first=11)
    assert await house.is_banned(FAR)


async def test_bans_that_cannot_be_read_are_no_answer(house) -> None:
    """Unavailable, and asked again at the next question."""
    house.store.unreadable = Unavailable("down", where="test")
    with pytest.raises(Unavailable):
        await house.is_banned(FAR)
    house.store.unreadable = None
    assert not await house.is_banned(FAR)


async def test_a_ban_in_force_is_not_written_again(house) -> None:
    """Who goes on from home, where the ban of the network does not hold him, costs no commit each time."""
    house.guard.succeeded(HOME, ANNA)
    for number in range(35):
        await house.guard.failed(HOME, f"p{number}@house.test", b"x")
    assert len(house.store.commits) == 1


async def test_a_network_that_guesses_takes_turns() -> None:
    """One secret at a time; somebody else's network does not wait; too many are refused."""
    house = House()
    await house.guess(FAR, 5)
    inside: list[int] = []
    gate = asyncio.Event()

    async def check(number: int) -> None:
        async with house.guard.turn(FAR):
            inside.append(number)
            await gate.wait()

    tasks = [asyncio.create_task(check(number)) for number in range(module.TURNS)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert inside == [0]
    async with house.guard.turn(HOME):
        pass
    with pytest.raises(Unavailable):
        async with house.guard.turn(FAR):
            pass
    gate.set()
    await asyncio.gather(*tasks)
    assert inside == list(range(module.TURNS))
    assert not house.guard._turns


async def test_a_network_without_guesses_checks_two_at_once_and_then_takes_turns(house) -> None:
    """A burst of first sign-ins does not take all hands either."""
    inside: list[int] = []
    gate = asyncio.Event()

    async def check(number: int) -> None:
        async with house.guard.turn(HOME):
            inside.append(number)
            await gate.wait()

    tasks = [asyncio.create_task(check(number)) for number in range(6)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(inside) == 3
    gate.set()
    await asyncio.gather(*tasks)
