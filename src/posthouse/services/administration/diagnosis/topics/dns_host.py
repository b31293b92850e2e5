"""``dns.servers``, ``dns.host``, ``dns.ptr``: what the DNS says about the host itself.

Tests: ``tests/unit/services/administration/diagnosis/test_check_dns.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import DnsRecord, Finding, notice, ok, warning
from posthouse.services.administration.diagnosis.published import Published, State, published
from posthouse.services.administration.diagnosis.records import reverse_record
from posthouse.services.administration.diagnosis.relay_safety import is_private_address
from posthouse.services.resolver.contract import Finding as Found

_NAMES: Final = frozenset({Need.NAMES})
_MEND: Final = "Mend /etc/resolv.conf, or posthouse setting set dns.servers ADDRESS."


async def _servers(examination: Examination, _: str) -> Sequence[Finding]:
    if not examination.is_asked(examination.hostname):
        return [ok(f"{examination.hostname} is a name for tests; it was not looked up")]
    servers = ", ".join(examination.parts.name_servers) or "none"
    answer = await examination.parts.resolver.addresses(examination.hostname)
    if answer.finding is Found.UNAVAILABLE:
        what = "no name server answers, so nothing could be looked up and nothing can be relayed by MX"
        return [warning(what, answer.detail or servers, _MEND)]
    return [ok("a name server answers", servers)]


async def _host(examination: Examination, _: str) -> Sequence[Finding]:
    hostname = examination.hostname
    if not examination.is_asked(hostname):
        return [ok(f"{hostname} is a name for tests; it was not looked up")]
    answer = await examination.parts.resolver.addresses(hostname)
    if answer.finding is Found.UNAVAILABLE:
        return [notice("could not be looked up", answer.detail, "Try again later.", subject=hostname)]
    if answer.finding is not Found.FOUND:
        return [_without_address(await _wanted(examination), hostname, answer.detail)]
    private = [address for address in answer.addresses if is_private_address(address)]
    evidence = ", ".join(answer.addresses)
    if len(private) == len(answer.addresses):
        remedy = "Publish the address under which the Internet reaches this server, unless it is for the inside only."
        return [notice("leads to a private address only", evidence, remedy, subject=hostname)]
    alias = await examination.parts.resolver.records(hostname, "CNAME")
    if alias.finding is Found.FOUND:
        what = "is an alias (CNAME): an exchanger must not be one (RFC 5321 §5.1)"
        remedy = "Publish A and AAAA records under the name itself."
        return [warning(what, alias.texts[0], remedy, subject=hostname)]
    return [ok("has an address", evidence, subject=hostname)]


async def _wanted(examination: Examination) -> tuple[DnsRecord, ...]:
    """Return address records for what is known of our addresses: settings, else what listeners are bound to."""
    known = list(await examination.sending_addresses()) or [
        bind.host
        for listener in examination.parts.configuration.listeners
        if listener.listener_class == "mx"
        for bind in listener.bind
        if not bind.is_unix and bind.host not in {"*", "0.0.0.0", "::"} and not is_private_address(bind.host)
    ]
    return tuple(
        DnsRecord(
            name=examination.hostname,
            type="AAAA" if ":" in address else "A",
            value=address,
            check="dns.host",
            purpose="our address",
        )
        for address in dict.fromkeys(known)
    )


def _without_address(records: tuple[DnsRecord, ...], hostname: str, detail: str) -> Finding:
    return warning(
        "has no address: others cannot reach it, and many refuse mail from it",
        detail,
        "Make an A or AAAA record, or change `hostname` in posthouse.toml.",
        subject=hostname,
        records=records,
    )


async def _reverse(examination: Examination, _: str) -> Sequence[Finding]:
    facts, addresses = await examination.dns_facts(), await examination.sending_addresses()
    if not addresses:
        what = "not known from which addresses others see us send"
        return [notice(what, "", "posthouse setting set check.addresses ADDRESS,... names them.")]
    resolver = examination.parts.resolver
    found = await asyncio.gather(
        *(published(resolver, facts, reverse_record(address, facts.hostname), "") for address in addresses)
    )
    return [_reverse_finding(each, address) for each, address in zip(found, addresses, strict=True)]


def _reverse_finding(found: Published, address: str) -> Finding:
    if found.state is State.RIGHT:
        return ok(found.reason or "its name leads back to it", ", ".join(found.has), subject=address)
    if found.state is State.UNKNOWN:
        return notice("its name could not be looked up", found.reason, "Try again later.", subject=address)
    evidence = f"PTR {', '.join(found.has)}" if found.has else f"no PTR record at {found.record.name}"
    remedy = "Have whoever gave you the address publish the record."
    return warning(found.reason, evidence, remedy, subject=address, records=(found.record,))


CHECKS = (
    Check(
        id="dns.servers",
        title="name servers",
        explanation="Without a name server nothing can be looked up, and nothing is sent but by routes to addresses.",
        remedy=_MEND,
        look=_servers,
    ),
    Check(
        id="dns.host",
        title="A and AAAA of the host name",
        explanation="Others reach us by the addresses of our host name, and many refuse mail from a host that calls "
        "itself by a name without any.",
        remedy="Publish A and AAAA records for the host name.",
        look=_host,
        needs=_NAMES,
    ),
    Check(
        id="dns.ptr",
        title="PTR",
        explanation="Each address from which we send needs a name that leads back to it (forward-confirmed reverse "
        "DNS); without it large providers refuse mail.",
        remedy="Have whoever gave you the address publish the PTR record.",
        look=_reverse,
        needs=_NAMES,
    ),
)
