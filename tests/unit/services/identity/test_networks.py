"""Networks under which clients are counted and banned."""

import pytest

from posthouse.services.identity.networks import (
    format_network,
    is_within,
    network_of,
    networks_of,
    parse_network,
)

COUNTED = {
    "192.0.2.7": ("192.0.2.7",),
    "::ffff:192.0.2.7": ("192.0.2.7",),
    "2001:db8:1:2:3:4:5:6": ("2001:db8:1:2::/64", "2001:db8:1::/48"),
    "fe80::1%eth0": ("fe80::/64", "fe80::/48"),
    "": ("",),
    "a socket": ("a socket",),
    "1.2.3.4.5": ("1.2.3.4.5",),
}


@pytest.mark.parametrize("text", COUNTED)
def test_clients_are_counted_by_network(text) -> None:
    """An IPv4 address by itself, in whatever form; an IPv6 address by its /64 and its /48."""
    assert networks_of(text) == COUNTED[text]
    assert network_of(text) == COUNTED[text][0]


WRITTEN = {
    "192.0.2.7": "192.0.2.7",
    "192.0.2.7/32": "192.0.2.7",
    " 192.0.2.7/24 ": "192.0.2.0/24",
    "::ffff:192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.0/120": "192.0.2.0/24",
    "2001:db8::1": "2001:db8::/64",
    "2001:db8::/32": "2001:db8::/32",
    "::/0": "::/0",
    "0.0.0.0/0": "0.0.0.0/0",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_networks_are_written_in_one_way(text) -> None:
    """What is the same network is the same text."""
    assert format_network(parse_network(text)) == WRITTEN[text]


@pytest.mark.parametrize("text", ["", "x", "192.0.2.0/33", "192.0.2", "1.2.3.4/x", "2001:db8::/129", "::1%x/y"])
def test_what_is_no_network_is_none(text) -> None:
    """It is a ValueError, not a guess."""
    with pytest.raises(ValueError, match=r".*"):
        parse_network(text)


def test_membership_knows_mapped_addresses_and_passes_nonsense_over() -> None:
    """An IPv4 client in IPv6 form is in an IPv4 network; a setting that cannot be read keeps nobody in."""
    networks = ("192.0.2.0/24", "nonsense", "2001:db8::/32")
    assert is_within("::ffff:192.0.2.9", networks)
    assert is_within("2001:db8:ffff::1", networks)
    assert not is_within("192.0.3.1", networks)
    assert not is_within("nobody", networks)
    assert not is_within("192.0.2.9", ())
