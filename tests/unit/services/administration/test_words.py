"""What people write, turned into values."""

from __future__ import annotations

import pytest

from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused


@pytest.mark.parametrize(
    ("text", "octets"),
    [("0", 0), ("1048576", 1 << 20), ("500M", 500 << 20), ("2g", 2 << 30), ("1.5 GiB", 3 << 29), (" 10kb ", 10240)],
)
def test_sizes_are_read(text, octets) -> None:
    """Binary units, with and without a fraction."""
    assert words.size(text) == octets


@pytest.mark.parametrize("text", ["", "M", "-1", "1Q", "ten", "1 2"])
def test_what_is_no_size_is_refused(text) -> None:
    """The refusal shows how to write one."""
    with pytest.raises(Refused) as refused:
        words.size(text)
    assert "500M" in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "host"),
    [("Mail.Example.org", "mail.example.org"), ("192.0.2.1", "192.0.2.1"), ("[2001:DB8::1]", "2001:db8::1")],
)
def test_hosts_are_names_or_addresses(text, host) -> None:
    """Names are folded, addresses lose their brackets."""
    assert words.host_name(text) == host


def test_own_addresses_are_folded() -> None:
    """Local parts of ours are compared without regard to case."""
    assert words.own_address(" Anna.Berg@EXAMPLE.org ") == "anna.berg@example.org"


def test_a_password_loses_its_line_end_only() -> None:
    """Blanks are part of a password."""
    assert words.password(b" two words \r\n") == b" two words "


@pytest.mark.parametrize(("text", "address"), [("*", "*"), ("[::1]", "::1"), ("192.0.2.1", "192.0.2.1")])
def test_addresses_to_listen_on(text, address) -> None:
    """An IP address, or a star for all of them."""
    assert words.listen_address(text) == address


@pytest.mark.parametrize("text", ["", "localhost", "192.0.2.256", "0.0.0.0:25"])
def test_what_is_no_address_to_listen_on_is_refused(text) -> None:
    """Names and ports do not belong there."""
    with pytest.raises(Refused, match="not an address to listen on"):
        words.listen_address(text)
