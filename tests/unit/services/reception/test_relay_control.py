"""The full matrix of relay control: every kind of client against every kind of recipient, in the order of SM-06."""

from __future__ import annotations

import itertools

import pytest

from posthouse.services.identity.client import ClientInfo, ListenerClass
from posthouse.services.identity.resolution import (
    NOT_OURS,
    UNKNOWN_USER,
    AliasTargets,
    CatchAll,
    Disabled,
    LocalAccount,
    RelayDomain,
    Resolution,
)
from posthouse.services.reception.relay_control import RelayPolicy, in_networks, may_send
from posthouse.store.directory_rows import AccountRow, RouteRow

ACCOUNT = AccountRow(1, "ann@house.test")
ROUTE = RouteRow("gate.test", "10.0.0.1", 25, "may", recipients_local=True, mx_lookup=False)

RECIPIENTS: dict[str, Resolution] = {
    "account": LocalAccount(ACCOUNT, "ann@house.test"),
    "alias": AliasTargets(("x@far.test",)),
    "catch-all": CatchAll("ann@house.test"),
    "disabled": Disabled("account"),
    "unknown": UNKNOWN_USER,
    "relay domain": RelayDomain(ROUTE),
    "stranger": NOT_OURS,
}
OURS = {"account", "alias", "catch-all", "disabled", "unknown"}
MATRIX = list(itertools.product((True, False), (True, False), (True, False), (True, False), ListenerClass, RECIPIENTS))


def expected_rule(*, signed_in: bool, listed: bool, trusts: bool, sender: bool, recipient: str) -> str:
    if signed_in:
        return "relay.authenticated"
    if listed:
        return "relay.network"
    if trusts and sender:
        return "relay.local_sender"
    if recipient == "relay domain":
        return "relay.relay_domain"
    return "relay.own_domain" if recipient in OURS else "relay.denied"


@pytest.mark.parametrize(("signed_in", "listed", "trusts", "sender", "listener", "recipient"), MATRIX)
def test_the_matrix(
    *, signed_in: bool, listed: bool, trusts: bool, sender: bool, listener: ListenerClass, recipient: str
) -> None:
    """Each cell is decided by the first rule that holds, and says which."""
    client = ClientInfo(address="192.0.2.1", listener_class=listener, account=ACCOUNT if signed_in else None)
    policy = RelayPolicy(("192.0.2.0/24",) if listed else (), trusts)
    outcome = may_send(client, sender, RECIPIENTS[recipient], policy)
    rule = expected_rule(signed_in=signed_in, listed=listed, trusts=trusts, sender=sender, recipient=recipient)
    assert outcome.rule == rule
    assert outcome.code == (550 if rule == "relay.denied" else 250)
    if rule == "relay.denied":
        assert (outcome.enhanced, outcome.public_text) == ("5.7.1", "Relaying denied")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_loopback_is_a_stranger(address: str) -> None:
    """This machine may not relay unless it is listed."""
    assert may_send(ClientInfo(address=address), False, NOT_OURS, RelayPolicy()).rule == "relay.denied"


NETWORKS = {
    "one address": ("192.0.2.1", ("192.0.2.1",), True),
    "its neighbour": ("192.0.2.2", ("192.0.2.1",), False),
    "a network": ("10.1.2.3", ("192.0.2.0/24", "10.0.0.0/8"), True),
    "a network with host bits": ("192.0.2.9", ("192.0.2.1/24",), True),
    "IPv6": ("2001:db8::5", ("2001:db8::/32",), True),
    "IPv6 against IPv4": ("2001:db8::5", ("0.0.0.0/0",), False),
    "IPv4 inside IPv6": ("::ffff:10.0.0.1", ("10.0.0.0/8",), True),
    "a zone": ("fe80::1%eth0", ("fe80::/10",), True),
    "listed loopback": ("127.0.0.1", ("127.0.0.0/8",), True),
    "a UNIX socket": ("", ("0.0.0.0/0", "::/0"), False),
    "an unreadable network trusts nobody": ("10.0.0.1", ("everybody", "10.0.0.0/99"), False),
    "an unreadable network spoils no other": ("10.0.0.1", ("nonsense", "10.0.0.0/8"), True),
    "nothing listed": ("10.0.0.1", (), False),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str) -> None:
    """An address is in a network or not, and what cannot be read is in none."""
    address, networks, expected = NETWORKS[name]
    assert in_networks(address, networks) is expected
