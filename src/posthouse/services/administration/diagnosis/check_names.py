"""What the DNS says about us: our host name, and where others would send mail for our domains.

Everything here is a warning at most: a name server that is down, a gateway in front of us and a domain that is about
to move look alike from inside. Questions go out at once; the caller bounds the time. Names reserved for tests and
private use are not asked for (RFC 2606 §2, RFC 6761 §6, RFC 9476 §2).
Tests: ``tests/unit/services/administration/diagnosis/test_check_names.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from posthouse.services.administration.diagnosis.findings import Finding, ok, warning
from posthouse.services.resolver.contract import Finding as Found
from posthouse.services.resolver.contract import MxAnswer, Resolver

TOPIC = "dns"
MOST_DOMAINS = 200  # asked about in one run
_RESERVED = frozenset({"test", "example", "invalid", "localhost", "local", "internal", "alt"})


def is_reserved(name: str) -> bool:
    """Whether a name is one that the public DNS never knows."""
    return name.rpartition(".")[2].lower() in _RESERVED


async def check_names(resolver: Resolver, hostname: str, domains: Sequence[str]) -> list[Finding]:
    """Judge the host name and the MX records of our domains."""
    if is_reserved(hostname):
        return [ok(TOPIC, f"{hostname} is a name for tests; nothing was looked up")]
    asked = [domain for domain in domains if not is_reserved(domain)][:MOST_DOMAINS]
    own = await resolver.addresses(hostname)
    if own.finding is Found.UNAVAILABLE:
        return [
            warning(
                TOPIC,
                "no name server answers, so nothing could be looked up and nothing can be relayed by MX",
                own.detail,
                "Mend /etc/resolv.conf, or posthouse setting set dns.servers ADDRESS.",
            )
        ]
    findings = [_host_finding(hostname, own.finding is Found.FOUND, ", ".join(own.addresses) or own.detail)]
    findings += await asyncio.gather(
        *(_domain_finding(resolver, domain, hostname, frozenset(own.addresses)) for domain in asked)
    )
    if len(asked) < len(domains):
        findings.append(ok(TOPIC, f"{len(domains) - len(asked)} more domains were not looked up"))
    return findings


def _host_finding(hostname: str, is_known: bool, evidence: str) -> Finding:
    if is_known:
        return ok(TOPIC, f"{hostname} has an address", evidence)
    return warning(
        TOPIC,
        f"{hostname} has no address: others cannot reach it, and many refuse mail from it",
        evidence,
        "Make an A or AAAA record, or change `hostname` in posthouse.toml.",
    )


async def _domain_finding(resolver: Resolver, domain: str, hostname: str, own: frozenset[str]) -> Finding:
    answer = await resolver.mx(domain)
    if answer.finding is Found.UNAVAILABLE:
        return warning(TOPIC, f"{domain}: the MX records could not be looked up", answer.detail, "Try again later.")
    hosts = [each.exchange for each in answer.hosts]
    if not hosts:
        return await _without_mx(resolver, domain, answer, own)
    if hosts == [""]:
        return warning(
            TOPIC,
            f"{domain} says that it takes no mail at all (null MX, RFC 7505 §3)",
            "MX 0 .",
            f"Make the record: {domain}. MX 10 {hostname}.",
        )
    evidence = "MX " + ", ".join(hosts)
    if hostname in hosts or await _leads_here(resolver, hosts, own):
        return ok(TOPIC, f"{domain} leads here", evidence)
    return warning(
        TOPIC,
        f"mail for {domain} goes to other hosts",
        evidence,
        f"If no gateway of yours is meant, make the record: {domain}. MX 10 {hostname}.",
    )


async def _without_mx(resolver: Resolver, domain: str, answer: MxAnswer, own: frozenset[str]) -> Finding:
    found = await resolver.addresses(domain)
    if own & frozenset(found.addresses):
        return ok(TOPIC, f"{domain} leads here by its own address", "no MX record")
    return warning(
        TOPIC,
        f"nobody can find the way to {domain}",
        f"no MX record ({answer.finding.value})",
        "Make an MX record that names this host.",
    )


async def _leads_here(resolver: Resolver, hosts: Sequence[str], own: frozenset[str]) -> bool:
    answers = await asyncio.gather(*(resolver.addresses(host) for host in hosts[:10]))
    return any(own & frozenset(answer.addresses) for answer in answers)
