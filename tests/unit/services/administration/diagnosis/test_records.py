"""The records a domain should have, from what the server is."""

from __future__ import annotations

import dns.rdata
import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.services.administration.diagnosis.records import (
    DnsFacts,
    MailService,
    host_records,
    records_for,
    services_of,
    spf_text,
)

FACTS = DnsFacts(
    hostname="mail.house.org",
    addresses=("192.0.2.1",),
    sending=("192.0.2.1",),
    services=(MailService("_imaps._tcp", 993),),
    tlsa=(f"3 1 1 {'ab' * 32}",),
    issuer="Let's Encrypt",
    dkim=(("s1", "v=DKIM1; k=ed25519; p=AAAA"),),
    policy_id="20260101",
    serves_autoconfig=True,
)


def test_everything_a_domain_can_have() -> None:
    """In the order of need; every line can be read by a name server."""
    records = records_for("Müller.example", FACTS)
    name = "xn--mller-kva.example"
    assert [(each.type, each.name) for each in records] == [
        ("MX", name),
        ("TXT", name),
        ("TXT", f"s1._domainkey.{name}"),
        ("TXT", f"_dmarc.{name}"),
        ("TXT", f"_mta-sts.{name}"),
        ("TXT", f"_smtp._tls.{name}"),
        ("TLSA", "_25._tcp.mail.house.org"),
        ("CAA", name),
        ("SRV", f"_imaps._tcp.{name}"),
        ("CNAME", f"autoconfig.{name}"),
        ("CNAME", f"autodiscover.{name}"),
    ]
    for each in records:
        dns.rdata.from_text("IN", each.type, each.zone_line.split(f" {each.type} ", 1)[1])


def test_nothing_is_recommended_that_is_not_there() -> None:
    """No key, no policy, no certificate, no web: no record of theirs."""
    checks = {each.check for each in records_for("house.org", DnsFacts(hostname="mail.house.org"))}
    assert checks == {"dns.mx", "dns.spf", "dns.dmarc", "dns.tls_rpt"}


SPF = [
    pytest.param(FACTS, "v=spf1 mx -all", id="the exchanger sends"),
    pytest.param(
        DnsFacts(hostname="h", addresses=("192.0.2.1",), sending=("192.0.2.1", "2001:db8::9")),
        "v=spf1 mx ip6:2001:db8::9 -all",
        id="a further address",
    ),
    pytest.param(DnsFacts(hostname="h", smart_host="out.far.net"), "v=spf1 mx a:out.far.net ~all", id="smart host"),
    pytest.param(DnsFacts(hostname="h", smart_host="192.0.2.8"), "v=spf1 mx ip4:192.0.2.8 ~all", id="its address"),
]


@pytest.mark.parametrize(("facts", "text"), SPF)
def test_the_spf_record_names_whence_we_send(facts, text) -> None:
    """Softly where a smart host stands between."""
    assert spf_text(facts) == text


def test_the_host_has_addresses_and_names() -> None:
    """A or AAAA, and PTR for each."""
    facts = DnsFacts(hostname="h.org", sending=("192.0.2.1", "2001:db8::1"))
    lines = [each.zone_line for each in host_records(facts)]
    assert lines[:3] == [
        "h.org. 3600 IN A 192.0.2.1",
        "h.org. 3600 IN AAAA 2001:db8::1",
        "1.2.0.192.in-addr.arpa. 3600 IN PTR h.org.",
    ]
    assert lines[3].startswith("1.0.0.0.")


def test_services_come_from_listeners(tmp_path) -> None:
    """Each kind once, encrypted ones first, on the port they have; exchangers and sockets are none."""
    listeners = tuple(
        ListenerConfig(name=f"l{number}", protocol=protocol, bind=(bind,), tls=tls, listener_class=kind)
        for number, (protocol, kind, tls, bind) in enumerate(
            [
                ("smtp", "mx", "starttls", Bind("*", 25)),
                ("imap", "", "starttls", Bind("*", 143)),
                ("smtp", "submission", "implicit", Bind("*", 20_465)),
                ("smtp", "submission", "starttls", Bind("*", 587)),
                ("imap", "", "implicit", Bind("*", 993)),
                ("pop3", "", "off", Bind("run/pop3", -1)),
            ]
        )
    )
    found = services_of(Configuration(home=tmp_path, hostname="h.org", listeners=listeners))
    assert [(each.name, each.port) for each in found] == [
        ("_submissions._tcp", 20_465),
        ("_imaps._tcp", 993),
        ("_submission._tcp", 587),
        ("_imap._tcp", 143),
    ]
