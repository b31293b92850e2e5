"""Who may use which reverse-path."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.core.envelope import MailParameters
from posthouse.services.identity.client import ClientInfo, ListenerClass
from posthouse.services.identity.directory import Directory
from posthouse.services.reception.senders import SenderRules
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import AccountKind
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory

CASES = {
    # listener, signed in, reverse-path, settings, code
    "stranger to the mail exchange": ("mx", False, "eve@far.test", {}, 250),
    "stranger as one of ours": ("mx", False, "ann@house.test", {}, 250),
    "stranger as one of ours, refused by setting": (
        "mx",
        False,
        "ann@house.test",
        {"smtp.refuse_unproven_sender": "yes"},
        550,
    ),
    "stranger as a stranger under that setting": (
        "mx",
        False,
        "eve@far.test",
        {"smtp.refuse_unproven_sender": "yes"},
        250,
    ),
    "stranger with the null path under that setting": ("mx", False, "", {"smtp.refuse_unproven_sender": "yes"}, 250),
    "LMTP is behind somebody's policy": ("lmtp", False, "ann@house.test", {"smtp.refuse_unproven_sender": "yes"}, 250),
    "submission without sign-in": ("submission", False, "ann@house.test", {}, 530),
    "submission without sign-in, null path": ("submission", False, "", {}, 530),
    "own address": ("submission", True, "ann@house.test", {}, 250),
    "own address in other letters": ("submission", True, "ANN@House.test", {}, 250),
    "own address in an alias domain": ("submission", True, "ann@also.test", {}, 250),
    "own address with a detail": ("submission", True, "ann+x@house.test", {}, 250),
    "an alias that leads here": ("submission", True, "sales@house.test", {}, 250),
    "an alias of an alias": ("submission", True, "deep@house.test", {}, 250),
    "an alias with several targets": ("submission", True, "team@house.test", {}, 250),
    "aliases in a ring": ("submission", True, "ring1@house.test", {}, 553),
    "another's alias": ("submission", True, "bobs@house.test", {}, 553),
    "another's address": ("submission", True, "bob@house.test", {}, 553),
    "nobody's address": ("submission", True, "nobody@house.test", {}, 553),
    "a catch-all is not owned": ("submission", True, "any@catch.test", {}, 553),
    "a foreign address": ("submission", True, "eve@far.test", {}, 553),
    "a foreign address, allowed by setting": (
        "submission",
        True,
        "eve@far.test",
        {"smtp.sender_must_own": "no"},
        250,
    ),
    "a further address": ("submission", True, "a.a@house.test", {}, 250),
    "a shared mailbox, as": ("submission", True, "box@house.test", {}, 250),
    "a shared mailbox, on behalf, through a group": ("submission", True, "desk@house.test", {}, 250),
    "a shared mailbox that one only reads": ("submission", True, "read@house.test", {}, 553),
    "a shared mailbox of others": ("submission", True, "theirs@house.test", {}, 553),
    "a group": ("submission", True, "crew@house.test", {}, 553),
    "a group, by setting": ("submission", True, "crew@house.test", {"group.send_as": "yes"}, 250),
    "a group one is not in, by setting": ("submission", True, "bobs-group@house.test", {"group.send_as": "yes"}, 553),
    "an alias of one's own alone": ("submission", True, "deep@house.test", {"address.alias_senders": "sole"}, 250),
    "an alias one has with others": ("submission", True, "team@house.test", {"address.alias_senders": "sole"}, 553),
    "no alias": ("submission", True, "sales@house.test", {"address.alias_senders": "none"}, 553),
    "who has moved": ("submission", True, "gone@house.test", {}, 553),
    "null path after sign-in, for MDNs": ("submission", True, "", {}, 250),
    "signed in on the mail exchange": ("mx", True, "bob@house.test", {}, 553),
}


def make_rules(values: dict[str, str]) -> tuple[SenderRules, MemoryDirectory]:
    store = MemoryDirectory()
    store.add_domain("house.test")
    store.add_domain("also.test", alias_of="house.test")
    store.add_domain("catch.test", catch_all="ann@house.test")
    store.add_account("ann@house.test")
    store.add_account("bob@house.test")
    store.add_alias("sales@house.test", "ann@house.test")
    store.add_alias("deep@house.test", "sales@house.test")
    store.add_alias("team@house.test", "bob@house.test", "no address", "ann@house.test")
    store.add_alias("bobs@house.test", "bob@house.test")
    store.add_address("a.a@house.test", "ann@house.test")
    for name in ("box", "desk", "read", "theirs"):
        store.add_account(f"{name}@house.test", kind=AccountKind.SHARED)
    store.add_group("crew@house.test", "ann@house.test")
    store.add_group("bobs-group@house.test", "bob@house.test")
    store.add_share("box@house.test", "ann@house.test", send_as=True)
    store.add_share("desk@house.test", "crew@house.test", send_on_behalf=True)
    store.add_share("read@house.test", "ann@house.test")
    store.add_share("theirs@house.test", "bob@house.test", send_as=True)
    store.add_alias("gone@house.test", "ann@house.test", relocated=True)
    store.add_alias("ring1@house.test", "ring2@house.test")
    store.add_alias("ring2@house.test", "ring1@house.test")
    settings = Settings([SettingRow(name, "server", value, "", 0.0) for name, value in values.items()])
    return SenderRules(Directory(store, FakeClock(), settings), store, settings), store


@pytest.mark.parametrize("name", CASES)
async def test_each_reverse_path_gets_its_answer(name: str) -> None:
    """MAIL gets the code of its row, and every refusal names its rule."""
    listener, signed_in, sender, values, code = CASES[name]
    rules, store = make_rules(values)
    account = await store.account("ann@house.test") if signed_in else None
    client = ClientInfo(address="192.0.2.1", listener_class=ListenerClass(listener), account=account)
    outcome = await rules.judge(client, parse_address(sender) if sender else None, MailParameters())
    assert outcome.code == code
    assert outcome.is_done or outcome.rule.startswith("sender.")


async def test_a_message_that_is_announced_too_large_is_refused() -> None:
    """SIZE= above the limit is 552 5.3.4 (RFC 1870 §6.1)."""
    rules, _ = make_rules({"smtp.message_size": "64 KiB"})
    outcome = await rules.judge(ClientInfo(address=""), None, MailParameters(size=65_537))
    assert (outcome.code, outcome.enhanced) == (552, "5.3.4")


@pytest.mark.parametrize(
    ("sender", "expected"),
    [("ann@house.test", True), ("sales@house.test", True), ("no@house.test", False), ("x@y.test", False)],
)
async def test_local_senders_exist(sender: str, expected: bool) -> None:
    """A sender is ours where an account or alias has the address, not just the domain."""
    rules, _ = make_rules({})
    assert await rules.is_ours(parse_address(sender)) is expected
    assert await rules.is_ours(None) is False
