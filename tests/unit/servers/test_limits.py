"""Counting connections."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.servers.limits import ConnectionLimits, _key
from posthouse.store.directory_rows import SettingRow


def settings(**values: str) -> Settings:
    """Return settings of the server topic."""
    made = Settings([SettingRow(f"server.{name}", "server", value, "", 0.0) for name, value in values.items()])
    assert made.problems == []
    return made


def test_the_limit_for_one_address() -> None:
    """An address is refused at its limit and admitted again after a release; another one is not affected."""
    limits = ConnectionLimits(settings(connections_per_address="2"))
    assert [limits.admit("192.0.2.1") for _ in range(3)] == ["", "", "server.connections_per_address"]
    assert limits.admit("192.0.2.2") == ""
    limits.release("192.0.2.1")
    assert limits.admit("192.0.2.1") == ""
    assert (limits.total, limits.held_by("192.0.2.1")) == (3, 2)


def test_the_total_is_shared_among_workers() -> None:
    """Each worker takes its share of the total, rounded up; peers on this machine count too."""
    limits = ConnectionLimits(settings(connections="10"), workers=4)
    assert [limits.admit("", exempt=True) for _ in range(4)] == ["", "", "", "server.connections"]


def test_nothing_is_left_after_all_have_gone() -> None:
    """Releases forget addresses, so that memory does not grow with the number of peers seen."""
    limits = ConnectionLimits(settings())
    for number in range(100):
        limits.admit(f"192.0.2.{number}")
    for number in range(100):
        limits.release(f"192.0.2.{number}")
    assert (limits.total, limits._by_address) == (0, {})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("2001:db8::1", "2001:db8:0:0:9::", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("::1", "::2", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_customer_is_a_64(one, other, same) -> None:
    """IPv6 addresses of one /64 are one peer."""
    assert (_key(one) == _key(other)) is same
