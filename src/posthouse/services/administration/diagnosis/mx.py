"""What would become of mail to a domain: its exchangers as the DNS has them, our route, and what our courier would do.

The plan is made by the courier's own code (``relay.hosts``), so what is said is what happens. RFC 5321 §5.1, RFC 7505.
Tests: ``tests/interop/test_check_live.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from posthouse.config.definitions import relay as relay_settings
from posthouse.core.address import domain_to_ascii
from posthouse.core.outcome import Outcome
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.policy import Policy, PolicyFault, parse_policy
from posthouse.services.identity.directory import Directory
from posthouse.services.queue.destination import parse_destination
from posthouse.services.relay.hosts import NextHop, Self, plan_hosts
from posthouse.services.relay.routes import TlsPolicies, TlsPolicy
from posthouse.services.resolver.contract import Finding, MxHost, Resolver
from posthouse.services.routing.next_hop import next_hop
from posthouse.store.directory_rows import RouteRow

MOST_EXCHANGERS: Final = 20
_TLS_WORDS: Final = {
    TlsPolicy.NONE: "always in the clear",
    TlsPolicy.MAY: "with TLS where the host offers it, else in the clear",
    TlsPolicy.MUST: "with TLS only; without it mail waits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanger:
    """One exchanger: its addresses, or why there are none, and TLSA data."""

    preference: int
    host: str
    addresses: tuple[str, ...] = ()
    fault: str = ""
    tlsa: tuple[str, ...] = ()
    tlsa_is_proven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MxReport:
    """What is to be known of a domain.

    Attributes:
        domain: in A-labels.
        is_ours: whether it is a domain of ours, to which nothing is sent.
        finding: how the question for MX ended.
        exchangers: in order of preference; the domain itself where there is no MX.
        is_null: whether it says that it takes no mail.
        is_proven: whether the name server says that DNSSEC proves the MX records.
        policy: its MTA-STS policy in words, "" where it announces none.
        route: our route that is used instead, in words; "" where there is none.
        plan: addresses that the courier would try, in order.
        words: what the courier would do, line by line.
    """

    domain: str
    is_ours: bool = False
    finding: str = ""
    exchangers: tuple[Exchanger, ...] = ()
    is_null: bool = False
    is_proven: bool = False
    policy: str = ""
    route: str = ""
    plan: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


async def query_mx(parts: DiagnosisParts, domain: str) -> MxReport:
    """Ask, and say what would happen. Raises SyntaxFault: where the domain has no form in the DNS."""
    name = domain_to_ascii(domain)
    own = await parts.store.domain(domain) if parts.store is not None else None
    route = await _route(parts, domain)
    answer = await parts.resolver.mx(name)
    is_null = any(not host.exchange for host in answer.hosts)
    hosts = [(host.preference, host.exchange) for host in answer.hosts if host.exchange][:MOST_EXCHANGERS]
    if answer.finding is Finding.NO_DATA:
        hosts = [(0, name)]
    proven = (await parts.resolver.records(name, "MX")).validated
    exchangers = await asyncio.gather(*(_exchanger(parts.resolver, *host) for host in hosts))
    plan, words = await _plan(parts, name, route)
    return MxReport(
        domain=name,
        is_ours=own is not None and not own.disabled,
        finding=answer.finding.value if not answer.detail else f"{answer.finding.value}: {answer.detail}",
        exchangers=tuple(exchangers),
        is_null=is_null,
        is_proven=proven,
        policy=await _policy_words(parts, name, [host for _, host in hosts]),
        route=_route_words(route),
        plan=plan,
        words=("It is a domain of ours: mail for it stays here.", *words) if own is not None else words,
    )


async def _route(parts: DiagnosisParts, domain: str) -> RouteRow | None:
    if parts.store is None:
        return None
    directory = Directory(parts.store, parts.clock, parts.settings, hostname=parts.configuration.hostname)
    try:
        return await directory.route_for(domain)
    finally:
        directory.close()


async def _exchanger(resolver: Resolver, preference: int, host: str) -> Exchanger:
    found, tlsa = await asyncio.gather(resolver.addresses(host), resolver.records(f"_25._tcp.{host}", "TLSA"))
    return Exchanger(
        preference=preference,
        host=host,
        addresses=found.addresses,
        fault="" if found.addresses else found.detail or found.finding.value,
        tlsa=tlsa.texts,
        tlsa_is_proven=tlsa.validated,
    )


def _route_words(route: RouteRow | None) -> str:
    if route is None:
        return ""
    kind = "the smart host" if route.domain == "*" else f"the route of {route.domain}"
    return f"{kind}: {'the exchangers of ' if route.mx_lookup else ''}{route.host}, port {route.port}"


async def _plan(parts: DiagnosisParts, name: str, route: RouteRow | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    key = next_hop(name, route)
    listeners = [listener for listener in parts.configuration.listeners if listener.listener_class == "mx"]
    ours = frozenset(bind.host for listener in listeners for bind in listener.bind if bind.port == 25)
    own = Self(parts.configuration.hostname, ours)
    plan = await plan_hosts(parse_destination(key), parts.courier_resolver, own, _in_order)
    if isinstance(plan, Outcome):
        return (), (_refusal_words(plan),)
    return tuple(map(str, plan)), (*_plan_words(plan), await _tls_words(parts, key))


def _in_order(hosts: list[MxHost]) -> None:
    """Leave equal exchangers as they are: chance decides among them when mail is sent."""


def _refusal_words(outcome: Outcome) -> str:
    detail = f" ({outcome.detail})" if outcome.detail else ""
    what = "Mail would wait and be tried again" if outcome.is_temporary else "Mail would be returned to its sender"
    return f"{what}: {outcome.code} {outcome.enhanced} {outcome.public_text}{detail}."


def _plan_words(plan: Sequence[NextHop]) -> list[str]:
    first, *rest = [f"{hop.host} [{hop.address}] port {hop.port}" for hop in plan]
    words = [f"The courier would connect to {first}."]
    if rest:
        words.append(f"Where that cannot be reached, next: {'; '.join(rest[:4])}.")
    return words


async def _tls_words(parts: DiagnosisParts, key: str) -> str:
    if parts.store is not None:
        policy = await TlsPolicies(parts.store, parts.settings).policy(key)
    else:
        policy = TlsPolicy[parts.settings.get(relay_settings.TLS).upper()]
    return f"It would send {_TLS_WORDS[policy]}."


async def _policy_words(parts: DiagnosisParts, name: str, hosts: Sequence[str]) -> str:
    answer = await parts.resolver.records(f"_mta-sts.{name}", "TXT")
    if not any(text.lower().startswith("v=stsv1") for text in answer.texts):
        return ""
    try:
        policy = parse_policy(await parts.policy(name))
    except PolicyFault as fault:
        return f"announced, but {fault}"
    return _words_of_policy(policy, hosts)


def _words_of_policy(policy: Policy, hosts: Sequence[str]) -> str:
    outside = [host for host in hosts if not policy.allows(host)]
    words = f"mode {policy.mode}, for {', '.join(policy.mx)}, kept {policy.max_age} seconds"
    return f"{words}; it does not allow {', '.join(outside)}" if outside else words
