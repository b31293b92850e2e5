"""Which hosts take mail for a destination, in which order (RFC 5321 §5.1, RFC 7505).

A plan is a list of addresses to try, or the outcome where there is none. Order: preference, by chance among equals
(the chance is handed in), and the addresses of a host in the resolver's order. If we are among the exchangers we and
everything not better than us is left out; are we the best, that is a loop. A name that does not exist is permanent; a
name server that does not answer never is.

Not here: which addresses were dead lately (``pool``). Tests: ``tests/unit/services/relay/test_hosts.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from posthouse.core import status
from posthouse.core.outcome import Outcome, defer, reject
from posthouse.services.queue.destination import Destination
from posthouse.services.resolver.contract import AddressAnswer, Finding, MxHost, Resolver

MAX_HOSTS = 10  # exchangers that are looked up for one plan
MAX_ADDRESSES = 20  # addresses of one plan; Postfix stops after 5 addresses by default

Shuffle = Callable[[list[MxHost]], None]


@dataclass(frozen=True, slots=True)
class NextHop:
    """One address to try, and the name it stands for."""

    host: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}[{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Self:
    """What we are known by: our host name, and addresses on which we take mail from strangers."""

    hostname: str
    addresses: frozenset[str] = frozenset()


Plan = tuple[NextHop, ...]

NO_DOMAIN = reject("Domain not found", detail_code=status.BAD_SYSTEM, rule="relay.domain")
NO_MAIL_HOST = reject("Domain has no mail server", detail_code=status.UNABLE_TO_ROUTE, rule="relay.hosts")
REFUSES_MAIL = reject("Domain accepts no mail", code=556, detail_code=status.NULL_MX, rule="relay.null_mx")
LOOPS = reject("Mail for this domain loops back to this server", detail_code=status.ROUTING_LOOP, rule="relay.loop")
LOOKUP_FAILED = defer("Name server does not answer", detail_code=status.DIRECTORY_FAILURE, rule="relay.lookup")
ROUTE_HOST_MISSING = defer("Next hop not found", detail_code=status.UNABLE_TO_ROUTE, rule="relay.route")


async def plan_hosts(destination: Destination, resolver: Resolver, own: Self, shuffle: Shuffle) -> Plan | Outcome:
    """Return the addresses to try in order, or the outcome where none can be tried."""
    if not destination.by_mx:
        return await _plan_host(destination, resolver)
    answer = await resolver.mx(destination.host)
    if answer.finding is Finding.UNAVAILABLE:
        return LOOKUP_FAILED.because(f"MX of {destination.host}: {answer.detail}")
    if answer.finding is Finding.NO_NAME:
        return NO_DOMAIN.because(f"MX of {destination.host}: {answer.detail}")
    if answer.finding is Finding.NO_DATA:
        # The implicit MX: the domain's own address, preference 0 (RFC 5321 §5.1).
        return await _addresses([MxHost(0, destination.host)], destination.port, resolver, own)
    hosts = [host for host in answer.hosts if host.exchange]
    if not hosts:
        return REFUSES_MAIL.because(f"null MX of {destination.host}")
    return await _addresses(order_hosts(hosts, shuffle), destination.port, resolver, own)


def order_hosts(hosts: list[MxHost], shuffle: Shuffle) -> list[MxHost]:
    """Return hosts by rising preference, shuffled among equals (RFC 5321 §5.1)."""
    ordered: list[MxHost] = []
    for _, group in groupby(sorted(set(hosts)), key=lambda host: host.preference):
        equals = list(group)
        shuffle(equals)
        ordered += equals
    return ordered


async def _plan_host(destination: Destination, resolver: Resolver) -> Plan | Outcome:
    answer = await resolver.addresses(destination.host)
    if answer.finding is Finding.FOUND:
        hops = [NextHop(destination.host, address, destination.port) for address in answer.addresses]
        return tuple(hops[:MAX_ADDRESSES])
    reason = f"addresses of {destination.host}: {answer.detail}"
    # A host that an administrator wrote and that is not found is his mistake: mail waits until it is mended.
    return (LOOKUP_FAILED if answer.finding is Finding.UNAVAILABLE else ROUTE_HOST_MISSING).because(reason)


async def _addresses(hosts: list[MxHost], port: int, resolver: Resolver, own: Self) -> Plan | Outcome:
    asked = hosts[:MAX_HOSTS]
    answers = await asyncio.gather(*(resolver.addresses(host.exchange) for host in asked))
    ours = [host.preference for host, answer in zip(asked, answers, strict=True) if _is_own(host, answer, own)]
    limit = min(ours) if ours else None
    hops = [
        NextHop(host.exchange, address, port)
        for host, answer in zip(asked, answers, strict=True)
        if limit is None or host.preference < limit
        for address in answer.addresses
    ]
    if hops:
        return tuple(hops[:MAX_ADDRESSES])
    if limit is not None and min(host.preference for host in asked) >= limit:
        return LOOPS.because(f"exchangers: {', '.join(host.exchange for host in asked)}")
    failed = [answer.detail for answer in answers if answer.finding is Finding.UNAVAILABLE]
    if failed:
        return LOOKUP_FAILED.because("; ".join(failed))
    return NO_MAIL_HOST.because(f"no address for {', '.join(host.exchange for host in asked)}")


def _is_own(host: MxHost, answer: AddressAnswer, own: Self) -> bool:
    return host.exchange == own.hostname or not own.addresses.isdisjoint(answer.addresses)
