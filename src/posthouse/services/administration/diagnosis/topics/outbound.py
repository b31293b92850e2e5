"""``outbound.*``: whether we get out, and what the lists say of us.

Tests: ``tests/unit/services/administration/diagnosis/test_check_dns.py``.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Final

from posthouse.config.definitions import check as definitions
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.dialogue import LinkFault, linked
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning
from posthouse.services.resolver.contract import Finding as Found

PORT: Final = 25
_MOST_TRIED: Final = 4
_REFUSED: Final = ipaddress.ip_network("127.255.255.0/24")  # what Spamhaus answers to resolvers it does not serve


async def _port(examination: Examination, _: str) -> Sequence[Finding]:
    host, _, port_text = examination.outbound.partition(":")
    port = int(port_text) if port_text.isascii() and port_text.isdigit() and int(port_text) < 65536 else PORT
    hosts = await _hosts(examination, host)
    if not hosts:
        remedy = "Name another host or domain."
        return [warning(f"{host} has no address that could be tried", "", remedy, subject=host)]
    faults = []
    for name, address in hosts[:_MOST_TRIED]:
        try:
            async with linked(address, port) as link:
                greeting = await link.reply()
        except LinkFault as fault:
            faults.append(f"{name} [{address}]: {fault}")
            continue
        return [ok(f"port {port} is open to the outside", f"{name} [{address}]: {greeting.text[:200]}", subject=host)]
    what = f"nobody is reached on port {port}"
    remedy = "Ask your provider to open port 25, or send through a smart host (posthouse route add '*' --host HOST)."
    return [error(what, "; ".join(faults), remedy, subject=host)]


async def _hosts(examination: Examination, host: str) -> list[tuple[str, str]]:
    """Return names and addresses to try: the exchangers where it is a domain with some, else the host itself."""
    resolver = examination.parts.resolver
    try:
        return [(host, str(ipaddress.ip_address(host)))]
    except ValueError:
        pass
    names = [each.exchange for each in (await resolver.mx(host)).hosts if each.exchange] or [host]
    answers = await asyncio.gather(*(resolver.addresses(name) for name in names[:_MOST_TRIED]))
    return [(name, address) for name, answer in zip(names, answers, strict=False) for address in answer.addresses]


async def _blocklists(examination: Examination, _: str) -> Sequence[Finding]:
    zones = examination.parts.settings.get(definitions.DNSBL_ZONES)
    addresses = await examination.sending_addresses()
    if not zones or not addresses:
        return [ok("no blocklist was asked", "check.dnsbl_zones is empty" if not zones else "no public address known")]
    pairs = [(address, zone) for address in addresses for zone in zones]
    found = await asyncio.gather(*(_listing(examination, *pair) for pair in pairs))
    bad = [finding for finding in found if finding is not None]
    return bad or [ok("on no blocklist", f"{', '.join(addresses)}; asked {', '.join(zones)}")]


async def _listing(examination: Examination, address: str, zone: str) -> Finding | None:
    """Ask one list about one address (RFC 5782 §2.1, §2.4); None where it is not listed."""
    reverse = ipaddress.ip_address(address).reverse_pointer.rsplit(".", 2)[0]
    name, resolver = f"{reverse}.{zone}", examination.parts.resolver
    answer = await resolver.records(name, "A")
    if answer.finding is Found.UNAVAILABLE:
        return notice(f"{zone} did not answer", answer.detail, "Try again later.", subject=address)
    codes = [text for text in answer.texts if text.startswith("127.")]
    if not codes:
        return None
    if any(ipaddress.ip_address(code) in _REFUSED for code in codes):
        what = f"{zone} does not answer questions from your name server"
        remedy = "Ask through a name server of your own (dns.servers), or take the list out of check.dnsbl_zones."
        return notice(what, ", ".join(codes), remedy, subject=address)
    reason = " ".join((await resolver.records(name, "TXT")).texts)[:300]
    remedy = f"Find out why (the text names a page), end it, then ask {zone} to take the address out."
    return error(f"is on the blocklist {zone}", f"{', '.join(codes)} {reason}".strip(), remedy, subject=address)


CHECKS = (
    Check(
        id="outbound.port",
        title="port 25 to the outside",
        explanation="Connects to a host, or to the exchanger of a domain, on port 25. Many providers close that port "
        "to their customers; without it mail leaves through a smart host only.",
        remedy="Ask your provider to open it, or use a smart host.",
        look=_port,
        needs=frozenset({Need.OUTBOUND}),
    ),
    Check(
        id="outbound.blocklists",
        title="blocklists",
        explanation="Asks the lists of check.dnsbl_zones about each of our sending addresses; mail from a listed "
        "address is refused by many.",
        remedy="End what the list complains about, then ask it to take the address out.",
        look=_blocklists,
        needs=frozenset({Need.NAMES}),
    ),
)
