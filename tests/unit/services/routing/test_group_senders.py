"""Mail for groups: who gets it, and who may send it."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.core.envelope import Recipient
from posthouse.services.identity.directory import Directory
from posthouse.services.routing.decisions import Routed
from posthouse.services.routing.router import Router
from posthouse.services.routing.senders import Sender
from posthouse.store.directory_values import SenderPolicy
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory


def make_store() -> MemoryDirectory:
    store = MemoryDirectory()
    store.add_domain("house.test")
    store.add_domain("other.test")
    for address in ("ann@house.test", "bob@house.test", "eve@other.test"):
        store.add_account(address)
    store.add_alias("sales@house.test", "ann@house.test")
    store.add_group("open@house.test", "ann@house.test", "bob@house.test", "x@far.test")
    store.add_group("signed@house.test", "bob@house.test", senders=SenderPolicy.SIGNED_IN)
    store.add_group("domain@house.test", "bob@house.test", senders=SenderPolicy.DOMAIN)
    store.add_group("members@house.test", "ann@house.test", "m@far.test", senders=SenderPolicy.MEMBERS)
    store.add_group("above@house.test", "open@house.test", "bob@house.test", senders=SenderPolicy.MEMBERS)
    store.add_group(
        "listed@house.test", "bob@house.test", senders=SenderPolicy.LISTED,
        listed=("friends.test", "m@far.test", "ann@house.test"),
    )  # fmt: skip
    store.add_group("whole@house.test", "signed@house.test", "ann@house.test")
    store.add_group("foreign@other.test", "signed@house.test", "eve@other.test")
    store.add_group("empty@house.test")
    store.add_group("g1@house.test", "g2@house.test", "ann@house.test")
    store.add_group("g2@house.test", "g1@house.test", "bob@house.test")
    store.add_alias("way@house.test", "signed@house.test")
    return store


async def send(to: str, path: str, account: str = "", *, is_trusted: bool = False) -> Routed:
    store = make_store()
    sender = Sender(
        parse_address(path) if path else None, await store.account(account) if account else None, is_trusted=is_trusted
    )
    directory = Directory(store, FakeClock(), Settings())
    recipient = Recipient(parse_address(to))
    return await Router(directory).route(recipient, await directory.resolve(recipient.address), sender)


ANN = ("ann@house.test", "ann@house.test")
EVE = ("eve@other.test", "eve@other.test")
CASES = {
    # group, reverse-path, who signed in, in relay.networks, whether it is taken
    "anyone: a stranger": ("open", "x@far.test", "", False, True),
    "anyone: a report": ("open", "", "", False, True),
    "signed in: a stranger": ("signed", "x@far.test", "", False, False),
    "signed in: a stranger as one of ours": ("signed", "ann@house.test", "", False, False),
    "signed in: one of ours": ("signed", *ANN, False, True),
    "signed in: one of another domain": ("signed", *EVE, False, True),
    "signed in: a device of ours": ("signed", "ann@house.test", "", True, True),
    "signed in: with a null path": ("signed", "", "ann@house.test", False, True),
    "domain: one of it": ("domain", *ANN, False, True),
    "domain: one of another": ("domain", *EVE, False, False),
    "domain: one of another, as one of it": ("domain", "ann@house.test", "eve@other.test", False, False),
    "domain: a stranger as one of it": ("domain", "ann@house.test", "", False, False),
    "members: one": ("members", *ANN, False, True),
    "members: one by another address of his": ("members", "sales@house.test", "ann@house.test", False, True),
    "members: not one": ("members", "bob@house.test", "bob@house.test", False, False),
    "members: not one, as one": ("members", "ann@house.test", "bob@house.test", False, False),
    "members: one who is elsewhere": ("members", "m@far.test", "", False, True),
    "members: a stranger as one of ours": ("members", "ann@house.test", "", False, False),
    "members: one of a group in it": ("above", *ANN, False, True),
    "listed: by domain": ("listed", "x@friends.test", "", False, True),
    "listed: by address": ("listed", "M@Far.test", "", False, True),
    "listed: ours, signed in": ("listed", *ANN, False, True),
    "listed: ours, claimed": ("listed", "ann@house.test", "", False, False),
    "listed: not on it": ("listed", "y@far.test", "", False, False),
    "by an alias": ("way", "x@far.test", "", False, False),
    "by a group of another domain": ("foreign@other.test", "x@far.test", "", False, None),
    "by a group of the same domain": ("whole", "x@far.test", "", False, True),
}


@pytest.mark.parametrize("name", CASES)
async def test_each_policy_takes_whom_it_names(name: str) -> None:
    """What is refused is 550 5.7.1 and says why; where only a part is, the rest arrives."""
    group, path, account, is_trusted, is_taken = CASES[name]
    routed = await send(group if "@" in group else f"{group}@house.test", path, account, is_trusted=is_trusted)
    refusals = [each.outcome for each in routed.refusals]
    if is_taken:
        assert not refusals
        return
    assert [(each.code, each.enhanced, each.rule) for each in refusals] == [(550, "5.7.1", "group.senders")]
    assert refusals[0].setting.startswith("group ")
    assert bool(routed.local) == (is_taken is None)


async def test_members_of_members_get_it_once() -> None:
    """Groups in a ring end; each person gets it once."""
    routed = await send("g1@house.test", "x@far.test")
    assert sorted(each.address for each in routed.local) == ["ann@house.test", "bob@house.test"]
    assert not routed.refusals


async def test_a_group_of_nobody_is_refused() -> None:
    """Mail for nobody is not taken and lost."""
    routed = await send("empty@house.test", "x@far.test")
    assert routed.refusal is not None
    assert routed.refusal.rule == "routing.empty_group"


async def test_remote_members_are_queued() -> None:
    """Members elsewhere go out, those here are filed."""
    routed = await send("open@house.test", "x@far.test")
    assert [str(each.address) for each in routed.remote] == ["x@far.test"]
    assert len(routed.local) == 2


async def test_the_server_itself_is_not_asked() -> None:
    """A report of ours reaches a group with any policy."""
    directory = Directory(make_store(), FakeClock(), Settings())
    routed = await Router(directory).route(Recipient(parse_address("members@house.test")))
    assert [each.address for each in routed.local] == ["ann@house.test"]
