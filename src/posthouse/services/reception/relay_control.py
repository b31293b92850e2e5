"""Whether this client may send to this recipient through us: THE place where relaying is granted or denied.

``may_send`` below is the whole decision, in its one documented order (feature SM-06). Each answer is an Outcome whose
``rule`` names the line that decided and whose ``setting`` says what to change; the journey keeps both.

A grant says only that the *domain* may be sent to. Whether the recipient exists is asked next (``recipients``).
Loopback is not special: it is trusted only where ``relay.networks`` lists it. RFC 5321 §3.6.2, §7.8.
Tests: ``tests/unit/services/reception/test_relay_control.py``, the full matrix.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from posthouse.core import status
from posthouse.core.outcome import Outcome, reject
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.resolution import NotOurs, RelayDomain, Resolution


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """The settings that the decision reads: ``relay.networks`` and ``relay.local_sender``."""

    networks: tuple[str, ...] = ()
    trusts_local_senders: bool = False


def _granted(rule: str, setting: str = "") -> Outcome:
    return Outcome(250, status.VALID_RECIPIENT, "Recipient ok", rule, setting)


AUTHENTICATED = _granted("relay.authenticated")
NETWORK = _granted("relay.network", "relay.networks")
LOCAL_SENDER = _granted("relay.local_sender", "relay.local_sender")
RELAY_DOMAIN = _granted("relay.relay_domain", "route --recipients-local")
OWN_DOMAIN = _granted("relay.own_domain")
DENIED = reject("Relaying denied", detail_code=status.NOT_AUTHORIZED, rule="relay.denied", setting="relay.networks")


def may_send(client: ClientInfo, sender_is_ours: bool, recipient: Resolution, policy: RelayPolicy) -> Outcome:
    """Decide; the first line that holds wins, and a stranger to a stranger reaches the last one."""
    if client.account is not None:
        return AUTHENTICATED
    if policy.networks and in_networks(client.address, policy.networks):
        return NETWORK
    if policy.trusts_local_senders and sender_is_ours:
        return LOCAL_SENDER
    if isinstance(recipient, RelayDomain):
        return RELAY_DOMAIN
    if not isinstance(recipient, NotOurs):
        return OWN_DOMAIN
    return DENIED


@lru_cache(maxsize=4096)
def in_networks(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an IP address is in one of the networks. What cannot be read as address or network is in none."""
    try:
        client = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped is not None:
        client = client.ipv4_mapped
    return any(client in network for network in _parse(networks))


@lru_cache(maxsize=64)
def _parse(networks: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    found = []
    for text in networks:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue  # `posthouse check` names it; an unreadable network trusts nobody
    return tuple(found)
