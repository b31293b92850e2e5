"""Which DNS records a domain of ours should have, computed from what the server is.

``records_for`` is the one place that knows; the checks compare with it, `posthouse check dns` prints it, and whoever
guides somebody through setting up a domain shows it.
RFC 7208 (SPF), RFC 7489 (DMARC), RFC 8460 §3 (TLS reports),
RFC 8461 §3.1 (MTA-STS), RFC 7672 §3.1 (TLSA), RFC 6186 §3.1 and RFC 8314 §5.1 (SRV).
Not here: what is published now (``published``).
Tests: ``tests/unit/services/administration/diagnosis/test_records.py``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from posthouse.config.file import Configuration, ListenerConfig
from posthouse.core.address import domain_to_ascii
from posthouse.services.administration.diagnosis.findings import DnsRecord

# What certificate authorities call themselves in certificates, and in CAA records.
_CAA_NAMES: Final = {
    "let's encrypt": "letsencrypt.org",
    "zerossl": "sectigo.com",
    "sectigo limited": "sectigo.com",
    "google trust services": "pki.goog",
    "digicert inc": "digicert.com",
    "buypass as-983163327": "buypass.com",
    "ssl corporation": "ssl.com",
    "globalsign nv-sa": "globalsign.com",
}


@dataclass(frozen=True, slots=True)
class MailService:
    """A service that mail programs look for: its SRV name, such as ``_imaps._tcp``, and our port."""

    name: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFacts:
    """What records are made from.

    Attributes:
        hostname: ours, in A-labels: the exchanger and the host of every service.
        addresses: of the host name.
        sending: addresses we send from, as others see them.
        smart_host: through which all mail leaves, "" where it leaves directly.
        services: what mail programs may find by SRV.
        tlsa: data of the TLSA records to publish, () where there is no certificate; ``tlsa_accepted``: all that match.
        issuer: who issued our certificate.
        dkim: ``(selector, text)`` of each key that signs.
        policy_id: of the MTA-STS policy that we serve, "" where we serve none.
        serves_autoconfig: whether this server tells mail programs over HTTP how to set themselves up.
    """

    hostname: str
    addresses: tuple[str, ...] = ()
    sending: tuple[str, ...] = ()
    smart_host: str = ""
    services: tuple[MailService, ...] = ()
    tlsa: tuple[str, ...] = ()
    tlsa_accepted: tuple[str, ...] = ()
    issuer: str = ""
    dkim: tuple[tuple[str, str], ...] = ()
    policy_id: str = ""
    serves_autoconfig: bool = False


def services_of(configuration: Configuration) -> tuple[MailService, ...]:
    """Return the services that listeners offer to mail programs, encrypted ones first."""
    found: dict[str, MailService] = {}
    for listener in configuration.listeners:
        name = _service_name(listener)
        ports = [bind.port for bind in listener.bind if not bind.is_unix]
        if name and ports:
            found.setdefault(name, MailService(name, ports[0]))
    order = ["_submissions._tcp", "_imaps._tcp", "_pop3s._tcp", "_submission._tcp", "_imap._tcp", "_pop3._tcp"]
    return tuple(found[name] for name in order if name in found)


def _service_name(listener: ListenerConfig) -> str:
    secure = "s" if listener.tls == "implicit" else ""
    if listener.protocol == "smtp" and listener.listener_class == "submission":
        return f"_submission{secure}._tcp"
    return f"_{listener.protocol}{secure}._tcp" if listener.protocol in {"imap", "pop3"} else ""


def records_for(domain: str, facts: DnsFacts) -> tuple[DnsRecord, ...]:
    """Return the records that a domain of ours should have, the most needed first. ``domain`` is in either form."""
    name = domain_to_ascii(domain)
    return (*_reaching(name, facts), *_proving(name, facts), *_securing(name, facts), *_finding(name, facts))


def host_records(facts: DnsFacts) -> tuple[DnsRecord, ...]:
    """Return the records of the host itself, which all domains share: addresses and their names."""
    found = []
    for address in facts.sending or facts.addresses:
        kind = "AAAA" if ":" in address else "A"
        value = str(ipaddress.ip_address(address))
        found.append(DnsRecord(name=facts.hostname, type=kind, value=value, check="dns.host", purpose="our address"))
    return (*found, *(reverse_record(address, facts.hostname) for address in facts.sending))


def reverse_record(address: str, hostname: str) -> DnsRecord:
    """Return the PTR record of an address; whoever gave us the address publishes it."""
    name = ipaddress.ip_address(address).reverse_pointer
    return DnsRecord(
        name=name, type="PTR", value=f"{hostname}.", check="dns.ptr", purpose=f"the name of {address}, at its provider"
    )


def _reaching(name: str, facts: DnsFacts) -> Iterator[DnsRecord]:
    value = f"10 {facts.hostname}."
    yield DnsRecord(name=name, type="MX", value=value, check="dns.mx", purpose="where mail for the domain goes")


def _proving(name: str, facts: DnsFacts) -> Iterator[DnsRecord]:
    yield DnsRecord(
        name=name, type="TXT", value=spf_text(facts), check="dns.spf", purpose="who may send with the domain"
    )
    for selector, text in facts.dkim:
        yield DnsRecord(
            name=f"{selector}._domainkey.{name}", type="TXT", value=text, check="dns.dkim", purpose="the signing key"
        )
    yield DnsRecord(
        name=f"_dmarc.{name}",
        type="TXT",
        value=f"v=DMARC1; p=none; rua=mailto:postmaster@{name}",
        check="dns.dmarc",
        purpose="what others do with mail that proves nothing",
    )


def spf_text(facts: DnsFacts) -> str:
    """Return the SPF record: our exchanger, further addresses we send from, the smart host (RFC 7208 §10.1.3)."""
    more = [address for address in facts.sending if address not in facts.addresses]
    words = [f"ip{6 if ':' in address else 4}:{address}" for address in more]
    if facts.smart_host and not _is_address(facts.smart_host):
        words.append(f"a:{domain_to_ascii(facts.smart_host)}")
    elif facts.smart_host:
        words.append(f"ip{6 if ':' in facts.smart_host else 4}:{facts.smart_host}")
    # Behind a smart host others see addresses that we cannot know for certain: fail softly.
    return " ".join(["v=spf1", "mx", *words, "~all" if facts.smart_host else "-all"])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _securing(name: str, facts: DnsFacts) -> Iterator[DnsRecord]:
    if facts.policy_id:
        yield DnsRecord(
            name=f"_mta-sts.{name}",
            type="TXT",
            value=f"v=STSv1; id={facts.policy_id}",
            check="dns.mta_sts",
            purpose="that others must use TLS to us",
        )
    yield DnsRecord(
        name=f"_smtp._tls.{name}",
        type="TXT",
        value=f"v=TLSRPTv1; rua=mailto:postmaster@{name}",
        check="dns.tls_rpt",
        purpose="where others report that TLS to us fails",
    )
    for data in facts.tlsa:
        yield DnsRecord(
            name=f"_25._tcp.{facts.hostname}",
            type="TLSA",
            value=data,
            check="dns.dane",
            purpose="our key, for zones with DNSSEC",
        )
    authority = _CAA_NAMES.get(facts.issuer.lower())
    if authority:
        yield DnsRecord(
            name=name, type="CAA", value=f'0 issue "{authority}"', check="dns.caa", purpose="who may issue certificates"
        )


def _finding(name: str, facts: DnsFacts) -> Iterator[DnsRecord]:
    for service in facts.services:
        yield DnsRecord(
            name=f"{service.name}.{name}",
            type="SRV",
            value=f"0 1 {service.port} {facts.hostname}.",
            check="dns.services",
            purpose="where mail programs find us",
        )
    if facts.serves_autoconfig:
        for label in ("autoconfig", "autodiscover"):
            yield DnsRecord(
                name=f"{label}.{name}",
                type="CNAME",
                value=f"{facts.hostname}.",
                check="dns.autoconfig",
                purpose="where mail programs ask how to set themselves up",
            )
