"""Whether settings would let strangers send through us: what `setting set` refuses and `posthouse check` reports.

A network is judged after neighbours were joined, so that two halves of the world count as the whole. Private networks
are nobody's but the owner's and may be of any size. The decision itself, message by message, is made in
``services.reception.relay_control``. Tests: ``tests/unit/services/administration/diagnosis/test_relay_safety.py``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from posthouse.config.file import Configuration

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

OPEN_PREFIX = {4: 8, 6: 20}  # wider than this is an open relay in all but name: providers get /20 of IPv6 and more
WIDE_PREFIX = {4: 16, 6: 32}  # wider than this deserves a second look: no site is larger
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


@dataclass(frozen=True, slots=True)
class NetworkReview:
    """What is to be said about a list of networks: texts of those that cannot be read, open everything, or are wide."""

    unreadable: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()


def review_networks(texts: Sequence[str]) -> NetworkReview:
    """Judge the networks of ``relay.networks``."""
    unreadable: list[str] = []
    by_version: dict[int, list[_Network]] = {4: [], 6: []}
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            unreadable.append(text)
            continue
        by_version[network.version].append(network)
    joined = [*_joined(by_version[4]), *_joined(by_version[6])]
    public = [network for network in joined if not _is_private(network)]
    opened = [network for network in public if network.prefixlen < OPEN_PREFIX[network.version]]
    wide = [network for network in public if network.prefixlen < WIDE_PREFIX[network.version]]
    return NetworkReview(
        tuple(unreadable), tuple(map(str, opened)), tuple(str(network) for network in wide if network not in opened)
    )


def _joined(networks: list[_Network]) -> list[_Network]:
    return list(ipaddress.collapse_addresses(networks))  # type: ignore[type-var]  # the caller sorted the versions


def _is_private(network: _Network) -> bool:
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _PRIVATE
    )


def is_private_address(text: str) -> bool:
    """Whether an address is nobody's on the Internet: private, loopback, link-local, of a provider's inside."""
    return _is_private(ipaddress.ip_network(text))


def is_this_machine(host: str, configuration: Configuration) -> bool:
    """Whether the host of a route is this server: its name, a loopback address, or one it listens on."""
    if host in {configuration.hostname, "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    binds = {bind.host for listener in configuration.listeners for bind in listener.bind}
    return address.is_loopback or str(address) in binds
