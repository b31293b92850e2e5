"""Destination keys: both directions, and what is no key."""

import pytest

from posthouse.core.errors import SyntaxFault
from posthouse.services.queue.destination import (
    Destination,
    domain_destination,
    format_destination,
    host_destination,
    parse_destination,
)

KEYS = [
    pytest.param("mx:example.org", Destination("example.org"), id="a domain"),
    pytest.param("mx:example.org:2525", Destination("example.org", 2525), id="a domain on another port"),
    pytest.param("host:relay.test:25", Destination("relay.test", 25, by_mx=False), id="a host"),
    pytest.param("host:192.0.2.1:587", Destination("192.0.2.1", 587, by_mx=False), id="an IPv4 address"),
    pytest.param("host:[2001:db8::1]:25", Destination("2001:db8::1", 25, by_mx=False), id="an IPv6 address"),
]


@pytest.mark.parametrize(("key", "destination"), KEYS)
def test_a_key_and_its_value_are_inverse(key, destination):
    """What is parsed from a key is formatted as the same key."""
    assert parse_destination(key) == destination
    assert format_destination(destination) == key
    assert str(destination) == key


@pytest.mark.parametrize(
    "text",
    ["", "mx:", "mx", "smtp:a.test", "host::25", "host:a.test:0", "host:a.test:65536", "host:a.test:x", "host:[::1:25"],
)
def test_what_is_no_key_is_a_named_fault(text):
    """Malformed keys raise SyntaxFault and nothing else."""
    with pytest.raises(SyntaxFault):
        parse_destination(text)


@pytest.mark.parametrize(
    ("domain", "key"),
    [
        ("example.org", "mx:example.org"),
        ("[192.0.2.7]", "host:192.0.2.7:25"),
        ("[ipv6:2001:db8::7]", "host:[2001:db8::7]:25"),
    ],
)
def test_a_domain_without_a_route_goes_to_its_exchangers(domain, key):
    """Domains are asked for MX, address literals are their own host."""
    assert domain_destination(domain) == key


def test_a_route_gives_its_host():
    """Hosts of routes are folded, and IPv6 addresses get their brackets."""
    assert host_destination("Relay.Test", 25) == "host:relay.test:25"
    assert host_destination("2001:db8::1", 26) == "host:[2001:db8::1]:26"
    assert host_destination("example.org", 25, by_mx=True) == "mx:example.org"
