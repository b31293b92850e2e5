"""Networks of clients as sign-in counts and bans them: IPv4 addresses, IPv6 /64 and /48, and what people write.

An IPv4 address in IPv6 form (``::ffff:192.0.2.1``, RFC 4291 §2.5.5.2) is the IPv4 address, wherever it is met.
Tests: ``tests/unit/services/identity/test_networks.py``.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

HOST_BITS: Final = 64  # of IPv6: what one customer's network has at least (RFC 6177 §2)
SITE_BITS: Final = 48  # ... and at most
_MAPPED: Final = ipaddress.ip_network("::ffff:0:0/96")


@lru_cache(maxsize=4_096)
def address_of(text: str) -> Address | None:
    """Return the IP address of a client; None where the text is none. A zone index is left out."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


@lru_cache(maxsize=4_096)
def networks_of(text: str) -> tuple[str, ...]:
    """Return the networks under which a client is counted, the narrowest first; the text itself where it is none."""
    address = address_of(text)
    if address is None:
        return (text,)
    if isinstance(address, ipaddress.IPv4Address):
        return (str(address),)
    return tuple(str(ipaddress.ip_network((address, bits), strict=False)) for bits in (HOST_BITS, SITE_BITS))


def network_of(text: str) -> str:
    """Return the narrowest network under which a client is counted: its address, for IPv6 the /64 it is in."""
    return networks_of(text)[0]


def parse_network(text: str) -> Network:
    """Return the network of an address or of ``ADDRESS/BITS``; bits beyond are cut off. Raises ValueError."""
    network = ipaddress.ip_network(text.strip(), strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96 and network.network_address in _MAPPED:
        mapped = network.network_address.ipv4_mapped
        return ipaddress.ip_network((mapped or 0, network.prefixlen - 96), strict=False)
    return network


def format_network(network: Network) -> str:
    """Return a network as bans name it: a single IPv4 address without its bits, a single IPv6 address as its /64."""
    if isinstance(network, ipaddress.IPv4Network):
        return str(network.network_address) if network.prefixlen == 32 else str(network)
    return networks_of(str(network.network_address))[0] if network.prefixlen > HOST_BITS else str(network)


@lru_cache(maxsize=64)
def parsed(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks of a setting; what cannot be read is left out."""
    found = []
    for text in texts:
        try:
            found.append(parse_network(text))
        except ValueError:
            continue
    return tuple(found)


def is_within(text: str, networks: tuple[str, ...]) -> bool:
    """Whether a client is in one of some networks."""
    address = address_of(text) if networks else None
    return address is not None and any(address in network for network in parsed(networks))
