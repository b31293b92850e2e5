"""Facts about a machine and what ``posthouse check`` says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.core.ids import AccountId, DomainId
from posthouse.services.administration.diagnosis import check
from posthouse.services.administration.diagnosis.check import CertificateFacts, MachineFacts, PortFacts, PortState
from posthouse.store.directory_rows import AccountRow, DomainRow, RouteRow

NOW = 1_700_000_000.0
MX = ListenerConfig(name="mx", protocol="smtp", bind=(Bind("192.0.2.1", 25),), tls="starttls", listener_class="mx")
CONFIGURATION = Configuration(home=Path("/home"), hostname="mail.example.org", listeners=(MX,))
MACHINE = MachineFacts(is_root=False, user_exists=True, home_is_public=False, free=1 << 40)


def told(findings) -> list[tuple[str, str]]:
    """Return severity and text of each finding; every one that is not ok must name a remedy."""
    findings = list(findings)
    assert all(finding.remedy for finding in findings if finding.severity.value != "ok")
    return [(finding.severity.value, finding.what) for finding in findings]


def configuration(**values) -> Configuration:
    """Return a configuration that differs in some values."""
    return Configuration(**{"home": Path("/home"), "hostname": "mail.example.org", "listeners": (MX,)} | values)


def machine(**values) -> MachineFacts:
    """Return a machine that differs in some facts."""
    return MachineFacts(**{"is_root": False, "user_exists": True, "home_is_public": False, "free": 1 << 40} | values)


LOOSE = ListenerConfig(name="sub", protocol="smtp", bind=(Bind("*", 587),), tls="starttls", plaintext_auth="always")
CONFIGURATIONS = [
    pytest.param(CONFIGURATION, MACHINE, ("ok", "1 listener"), id="well"),
    pytest.param(configuration(listeners=()), MACHINE, ("error", "no listener"), id="no listener"),
    pytest.param(
        configuration(user="mail"), machine(user_exists=False), ("error", "there is no user 'mail'"), id="no such user"
    ),
    pytest.param(CONFIGURATION, machine(is_root=True), ("warning", "the server would keep running as root"), id="root"),
    pytest.param(
        configuration(listeners=(LOOSE,)),
        MACHINE,
        ("warning", "the listener 'sub' takes passwords in the clear from anywhere"),
        id="plaintext passwords",
    ),
    pytest.param(
        CONFIGURATION,
        machine(home_is_public=True),
        ("warning", "other users of this machine can look into the home"),
        id="public home",
    ),
]


@pytest.mark.parametrize(("given", "facts", "finding"), CONFIGURATIONS)
def test_the_file_is_judged(given, facts, finding) -> None:
    """What is wrong with posthouse.toml is named, and nothing where nothing is."""
    found = told(check.check_configuration(given, facts))
    assert finding in found
    assert len(found) == (1 if finding[0] == "ok" or finding[1] == "no listener" else 2)


def certificate(**values) -> CertificateFacts:
    """Return facts of a certificate that differ in some values."""
    return CertificateFacts(
        **{"path": "c.pem", "names": ("mail.example.org",), "expires": NOW + 90 * check.DAY} | values
    )


CERTIFICATES = [
    pytest.param(certificate(), [("ok", "good for 90 days")], id="well"),
    pytest.param(certificate(expires=NOW + 3 * check.DAY), [("warning", "expires in 3 days")], id="soon over"),
    pytest.param(certificate(expires=NOW - 2.5 * check.DAY), [("error", "expired 3 days ago")], id="over"),
    pytest.param(
        certificate(names=("other.example",)),
        [("ok", "good for 90 days"), ("warning", "is not for mail.example.org")],
        id="another name",
    ),
    pytest.param(certificate(names=("*.example.org",)), [("ok", "good for 90 days")], id="wildcard"),
    pytest.param(
        certificate(self_signed=True),
        [("ok", "good for 90 days"), ("warning", "self-signed: mail programs will ask whether to trust it")],
        id="self-signed",
    ),
    pytest.param(
        certificate(key_is_public=True),
        [("ok", "good for 90 days"), ("error", "the private key is readable for everyone")],
        id="public key file",
    ),
    pytest.param(
        CertificateFacts(path="c.pem", fault="cannot be used", remedy="mend it"),
        [("error", "cannot be used")],
        id="unusable",
    ),
]


@pytest.mark.parametrize(("facts", "findings"), CERTIFICATES)
def test_the_certificate_is_judged(facts, findings) -> None:
    """A certificate is good, or what is wrong with it is named."""
    assert told(check.check_certificate(facts, "mail.example.org", NOW)) == findings


@pytest.mark.parametrize(
    ("pattern", "host", "is_covered"),
    [
        ("mail.example.org", "MAIL.example.org", True),
        ("*.example.org", "mail.example.org", True),
        ("*.example.org", "a.mail.example.org", False),
        ("*.example.org", "example.org", False),
        ("example.org", "mail.example.org", False),
    ],
)
def test_names_of_certificates_cover_hosts(pattern, host, is_covered) -> None:
    """A wildcard stands for one label, and for the first one only."""
    assert check.covers(pattern, host) is is_covered


PORTS = [
    pytest.param([PortState.ANSWERS, PortState.ANSWERS], [("ok", "2 answer")], id="all answer"),
    pytest.param([PortState.FREE], [("ok", "1 free")], id="free"),
    pytest.param([PortState.SILENT], [("error", "mx: 192.0.2.1:25 does not answer")], id="silent"),
    pytest.param(
        [PortState.FREE, PortState.TAKEN],
        [("error", "mx: 192.0.2.1:25 is in use by another program"), ("ok", "1 free")],
        id="one is taken",
    ),
    pytest.param(
        [PortState.NO_RIGHT],
        [("warning", "mx: 192.0.2.1:25 needs a right that this user does not have")],
        id="privileged",
    ),
    pytest.param([PortState.NO_ADDRESS], [("error", "mx: 192.0.2.1:25 is no address of this machine")], id="elsewhere"),
]


@pytest.mark.parametrize(("states", "findings"), PORTS)
def test_ports_are_judged(states, findings) -> None:
    """Every port that is not well is named; those that are share one line."""
    assert told(check.check_ports([PortFacts("mx", "192.0.2.1:25", state) for state in states])) == findings


STORES = [
    pytest.param(1 << 40, "", [("ok", "opened, written and flushed")], id="well"),
    pytest.param(1 << 40, "SQLITE_READONLY", [("error", "cannot be written")], id="read-only"),
    pytest.param(
        500 << 20, "", [("ok", "opened, written and flushed"), ("warning", "the disk is nearly full")], id="little room"
    ),
    pytest.param(1 << 20, "SQLITE_FULL", [("error", "cannot be written"), ("error", "the disk is full")], id="full"),
]


@pytest.mark.parametrize(("free", "fault", "findings"), STORES)
def test_the_store_is_judged(free, fault, findings) -> None:
    """A store that cannot be written and a disk without room are errors."""
    assert told(check.check_store("store.db", free, fault)) == findings


RELAYS = [
    pytest.param((), {}, [("ok", "only who signs in may send to anywhere")], id="closed"),
    pytest.param(("192.0.2.0/24",), {}, [("ok", "relay.networks is narrow")], id="a site"),
    pytest.param(
        ("0.0.0.0/0",), {}, [("error", "open relay: anyone may send to anywhere through this server")], id="open"
    ),
    pytest.param(
        ("0.0.0.0/0",),
        {"forced": True},
        [("warning", "open relay: anyone may send to anywhere through this server")],
        id="open, and meant so",
    ),
    pytest.param(("44.0.0.0/8",), {}, [("warning", "a wide network may send to anywhere")], id="wide"),
    pytest.param(("nonsense",), {}, [("error", "not a network, so it trusts nobody")], id="unreadable"),
    pytest.param(
        (),
        {"local_sender": True},
        [("warning", "anyone who knows one of your addresses may send to anywhere")],
        id="local sender",
    ),
]


@pytest.mark.parametrize(("networks", "options", "findings"), RELAYS)
def test_relaying_is_judged(networks, options, findings) -> None:
    """An open relay is an error unless it is meant."""
    options = {"local_sender": False, "forced": False} | options
    assert told(check.check_relay(networks, **options)) == findings


def route(domain: str, host: str, port: int = 25, *, recipients_local: bool = False) -> RouteRow:
    """Return a route."""
    return RouteRow(domain, host, port, "may", recipients_local, False)


ROUTES = [
    pytest.param(route("*", "smart.example.net"), [], id="a smart host"),
    pytest.param(route("far.example", "192.0.2.1", 2525), [], id="another port of this machine"),
    pytest.param(
        route("*", "mail.example.org"), [("error", "the route of * leads back to this server")], id="loop by name"
    ),
    pytest.param(
        route("*", "127.0.0.1"), [("error", "the route of * leads back to this server")], id="loop by loopback"
    ),
    pytest.param(
        route("a.example", "192.0.2.1"),
        [("error", "the route of a.example leads back to this server")],
        id="loop by address",
    ),
    pytest.param(route("partner.example", "gw.example", recipients_local=True), [], id="a gateway"),
    pytest.param(
        route(".com", "gw.example", recipients_local=True),
        [("error", "open relay: strangers may send to a whole top-level domain")],
        id="a top-level domain",
    ),
    pytest.param(route(".example.com", "gw.example", recipients_local=True), [], id="subdomains"),
]


@pytest.mark.parametrize(("row", "findings"), ROUTES)
def test_routes_are_judged(row, findings) -> None:
    """A route that leads back here, or opens a top-level domain to strangers, is an error."""
    assert told(check.check_routes([row], CONFIGURATION)) == findings


def test_settings_are_judged() -> None:
    """Rows that cannot be used are errors, defaults of earlier versions are warnings."""
    assert told(check.check_settings([], [])) == [("ok", "all can be used")]
    assert [severity for severity, _ in told(check.check_settings(["x: no such setting"], ["smtp.recipients"]))] == [
        "error",
        "warning",
    ]


def account(address: str = "a@example.org", **values) -> AccountRow:
    """Return an administrator."""
    fields = {"display_name": "", "password_hash": "x", "quota_bytes": 0, "disabled": False, "is_admin": True}
    return AccountRow(id=AccountId(1), address=address, **fields | values)


DOMAIN = DomainRow(id=DomainId(1), name="example.org", alias_of="", disabled=False, catch_all="")
DIRECTORIES = [
    pytest.param([DOMAIN], [account()], "ok", id="well"),
    pytest.param([], [account()], "error", id="no domain"),
    pytest.param([DOMAIN], [], "error", id="no administrator"),
    pytest.param([DOMAIN], [account(disabled=True)], "error", id="administrator switched off"),
    pytest.param([DOMAIN], [account(password_hash="")], "warning", id="administrator cannot sign in"),
]


@pytest.mark.parametrize(("domains", "administrators", "severity"), DIRECTORIES)
def test_the_directory_is_judged(domains, administrators, severity) -> None:
    """Somebody must answer for the domains."""
    assert [found for found, _ in told(check.check_directory(domains, administrators))] == [severity]
