"""``posthouse check`` on a running server with a name server: well at first, then broken in turn, and each time named.

Names are answered by the tests' own name server; addresses are documentation addresses, to which nothing is sent.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator

import pytest

from posthouse.checking import check_home
from posthouse.config.home import Home
from posthouse.servers.tls import write_self_signed
from posthouse.services.administration.diagnosis.examination import Selection
from posthouse.services.administration.diagnosis.run import Report
from posthouse.store.directory_values import PutSetting
from tests.support.nameserver import NameServer
from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("check")]

HOST = f"mx.{DOMAIN}"
ADDRESS = "192.0.2.25"
REVERSE = "25.2.0.192.in-addr.arpa"
SERVICES = {"submissions": 465, "imaps": 993, "pop3s": 995, "submission": 587, "imap": 143, "pop3": 110}


def zone(server: PosthouseServer) -> dict[tuple[str, str], list[str]]:
    """Return records with which nothing is to be said."""
    records = {
        (DOMAIN, "MX"): [f"10 {HOST}."],
        (DOMAIN, "TXT"): ['"v=spf1 mx -all"'],
        (f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=reject"'],
        (f"_smtp._tls.{DOMAIN}", "TXT"): [f'"v=TLSRPTv1; rua=mailto:tls@{DOMAIN}"'],
        (HOST, "A"): [ADDRESS],
        (REVERSE, "PTR"): [f"{HOST}."],
        (DOMAIN, "CAA"): ['0 issue "ca.example"'],
    }
    for name, port in SERVICES.items():
        records[f"_{name}._tcp.{DOMAIN}", "SRV"] = [f"0 1 {server.port(port)} {HOST}."]
    return records


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """Return a running name server."""
    with NameServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(names, tmp_path_factory) -> Iterator[PosthouseServer]:
    """Return a running server that asks this name server."""
    server = PosthouseServer(tmp_path_factory.mktemp("check") / "home").found()
    server.set(dns__servers=f"127.0.0.1:{names.port}", check__dnsbl_zones="list.test")
    with server.start():
        yield server


@pytest.fixture
def house(running, names) -> Iterator[PosthouseServer]:
    """Return the server with a zone in which all is well, and its file as it was afterwards."""
    names.records.clear()
    names.records.update(zone(running))
    names.broken.clear()
    file = running.home / "posthouse.toml"
    text = file.read_text()
    yield running
    file.write_text(text)


def look(house: PosthouseServer, *only: str) -> Report:
    """Check in this process, with a cache of its own."""
    return asyncio.run(check_home(Home(house.home), Selection(only=only)))


def told(report: Report) -> dict[str, str]:
    """Return what is worse than a notice: the words and the evidence, by check."""
    return {
        each.id: f"{each.severity.value}: {each.subject}: {each.what} ({each.evidence})"
        for each in report.findings
        if each.severity.rank > 1
    }


def test_a_server_that_is_well(house) -> None:
    """Nothing but the self-signed certificate is complained of, and every listener was talked to."""
    report = look(house)
    found = told(report)
    assert set(found) <= {"certificate.chain", "configuration.user", "disk.filesystem"}, found
    well = {each.id: each.what for each in report.findings if each.severity.value == "ok"}
    assert re.fullmatch(r"127\.0\.0\.1:\d+ refused all \d\d tricks", well["relay.self_test"])
    assert "starts TLS with our certificate" in well["services.tls"]
    assert "is on" not in well["outbound.blocklists"]


ROWS = [
    pytest.param((DOMAIN, "MX"), ["10 other.test."], ("dns.mx", "warning", "goes to other hosts"), id="MX elsewhere"),
    pytest.param((DOMAIN, "MX"), None, ("dns.mx", "warning", "nobody can find the way"), id="no MX"),
    pytest.param((DOMAIN, "MX"), ["0 ."], ("dns.mx", "warning", "null MX"), id="null MX"),
    pytest.param((HOST, "A"), None, ("dns.host", "warning", "has no address"), id="no address"),
    pytest.param((REVERSE, "PTR"), None, ("dns.ptr", "warning", "has no name"), id="no PTR"),
    pytest.param((REVERSE, "PTR"), ["else.test."], ("dns.ptr", "warning", "does not lead back"), id="PTR elsewhere"),
    pytest.param((DOMAIN, "TXT"), None, ("dns.spf", "warning", "there is none"), id="no SPF"),
    pytest.param(
        (DOMAIN, "TXT"),
        ['"v=spf1 ip4:198.51.100.1 -all"'],
        ("dns.spf", "warning", "does not allow"),
        id="SPF without us",
    ),
    pytest.param(
        (DOMAIN, "TXT"), ['"v=spf1 mx -all"', '"v=spf1 -all"'], ("dns.spf", "error", "2 SPF records"), id="two SPF"
    ),
    pytest.param((DOMAIN, "TXT"), ['"v=spf1 mx -al"'], ("dns.spf", "error", "'-al' is no term"), id="SPF misspelt"),
    pytest.param((f"_dmarc.{DOMAIN}", "TXT"), None, ("dns.dmarc", "warning", "there is none"), id="no DMARC"),
    pytest.param(
        (f"_dmarc.{DOMAIN}", "TXT"), ['"v=DMARC1; p=refuse"'], ("dns.dmarc", "warning", "p=refuse"), id="DMARC misspelt"
    ),
    pytest.param(
        (f"_smtp._tls.{DOMAIN}", "TXT"), ['"v=TLSRPTv1"'], ("dns.tls_rpt", "warning", "nobody to report"), id="TLSRPT"
    ),
    pytest.param(
        (f"_25._tcp.{HOST}", "TLSA"), [f"3 1 1 {'ab' * 32}"], ("dns.dane", "warning", "of our certificate"), id="TLSA"
    ),
    pytest.param(
        (f"_imaps._tcp.{DOMAIN}", "SRV"), ["0 1 1 other.test."], ("dns.services", "warning", "our port"), id="SRV"
    ),
    pytest.param(
        (f"_mta-sts.{DOMAIN}", "TXT"), ['"v=STSv1; id=1"'], ("dns.mta_sts", "warning", "no address"), id="no policy"
    ),
    pytest.param(
        ("25.2.0.192.list.test", "A"), ["127.0.0.2"], ("outbound.blocklists", "error", "list.test"), id="listed"
    ),
]


@pytest.mark.parametrize(("key", "records", "expected"), ROWS)
def test_the_dns_broken_in_turn(house, names, key, records, expected) -> None:
    """The one check that is about it says so, with what was seen."""
    check, severity, words = expected
    names.records.pop(key, None)
    if records is not None:
        names.records[key] = records
    found = told(look(house, "dns.*", "outbound.*"))
    assert check in found, found
    assert found[check].startswith(f"{severity}: ")
    assert words in found[check]


def test_a_name_server_that_is_down(house, names) -> None:
    """One warning, and the checks that need names are left out with that reason."""
    names.broken.update({HOST, DOMAIN})
    report = look(house, "dns.*")
    assert list(told(report)) == ["dns.servers"]
    assert any("no name server answers" in each.reason and "dns.mx" in each.checks for each in report.left_out)


def test_an_open_relay_is_found_by_trying(house) -> None:
    """The self-test is let through, names the tricks, and is an error."""

    def put(value: str | None) -> None:
        change = PutSetting(name="relay.networks", value=value, scope="server", by="", at=0.0)
        house.tools(lambda tools: tools.store.commit(change))

    put("0.0.0.0/0")
    try:
        found = until(lambda: told(look(house, "relay.self_test")).get("relay.self_test"), "the change to hold")
        assert found.startswith("error: ")
        assert "is an open relay" in found
        assert "a stranger writes to a stranger" in found
    finally:
        put(None)
    until(lambda: not told(look(house, "relay.self_test")), "the change to be undone")


def test_a_machine_that_is_trusted_tries_from_another_address(house) -> None:
    """127.0.0.1 in relay.networks says nothing of strangers: the test comes from an address that is not in it."""
    house.set(relay__networks="127.0.0.1")
    try:
        report = look(house, "relay.self_test")
        mx = next(each for each in report.findings if each.subject == "mx")
        assert (mx.severity.value, mx.evidence) == ("ok", "from 127.83.41.7")
        house.set(relay__networks="127.0.0.0/8")
        report = look(house, "relay.self_test")
        assert "shows nothing" in next(each for each in report.findings if each.subject == "mx").what
    finally:
        house.say("setting", "unset", "relay.networks")


def test_a_renewed_certificate_that_is_not_served(house) -> None:
    """Who replaces the file and forgets to reload is told."""
    certificate, key = house.home / "tls" / "certificate.pem", house.home / "tls" / "key.pem"
    before = certificate.read_bytes(), key.read_bytes()
    certificate.unlink()
    key.unlink()
    try:
        write_self_signed(certificate, key, HOST, 1_800_000_000.0)
        assert "serves another certificate" in told(look(house, "services.tls"))["services.tls"]
    finally:
        certificate.write_bytes(before[0])
        key.write_bytes(before[1])


def test_a_listener_and_a_worker_that_are_not_there(house) -> None:
    """Ports, greetings and workers are compared with what posthouse.toml wants."""
    house.configure(r"^count = .*$", "count = 3")
    file = house.home / "posthouse.toml"
    silent = house.offset + 7
    more = f'\n[[listener]]\nname = "more"\nprotocol = "imap"\nbind = ["127.0.0.1:{silent}"]\ntls = "off"\n'
    file.write_text(file.read_text() + more)
    found = told(look(house, "services.*", "ports.*"))
    assert "2 of 3 workers answer" in found["services.workers"]
    assert f"more: 127.0.0.1:{silent} does not answer" in found["ports.listeners"]
    assert f"more: 127.0.0.1:{silent} does not greet" in found["services.greetings"]


SIGN_INS = [
    pytest.param((f"anna@{DOMAIN}", PASSWORD, "imap"), 0, "signed in at", id="imap"),
    pytest.param((f"anna@{DOMAIN}", PASSWORD, "pop3"), 0, "signed in at", id="pop3"),
    pytest.param((f"anna@{DOMAIN}", PASSWORD, "smtp"), 0, "signed in at", id="smtp"),
    pytest.param((f"anna@{DOMAIN}", "wrong-password", "imap"), 77, "refused at", id="wrong password"),
    pytest.param((f"dora@{DOMAIN}", PASSWORD, "imap"), 77, "there is no account", id="nobody"),
    pytest.param(("anna@else.test", PASSWORD, "imap"), 77, "is no domain of ours", id="another domain"),
    pytest.param(("not an address@@", PASSWORD, "imap"), 77, "is no address", id="no address"),
]


@pytest.mark.parametrize(("given", "code", "words"), SIGN_INS)
def test_a_sign_in_is_explained(house, given, code, words) -> None:
    """Each step is told, the real listener has the last word, and the password is told nowhere."""
    address, password, protocol = given
    done = house.run("check", "sign-in", address, "--password-file", "-", "--protocol", protocol, text=f"{password}\n")
    assert done.returncode == code, done.stderr
    assert words in done.stdout
    assert password not in done.stdout + done.stderr


def test_the_records_to_publish_are_printed(house, names) -> None:
    """As lines of a zone file, each with how it stands; as objects for programs."""
    names.records[DOMAIN, "TXT"] = ['"v=spf1 -all"']
    lines = house.say("check", "dns", DOMAIN).splitlines()
    assert f"{DOMAIN}. 3600 IN MX 10 {HOST}." in lines
    assert "; where mail for the domain goes: right" in lines
    assert any("who may send with the domain: WRONG: has v=spf1 -all" in line for line in lines)
    rows = [json.loads(line) for line in house.say("check", "dns", "--json").splitlines()]
    states = {(row["type"], row["check"]): row["state"] for row in rows}
    assert states["TXT", "dns.spf"] == "wrong"
    assert states["TLSA", "dns.dane"] == "missing"
    assert states["PTR", "dns.ptr"] == "right"
    assert house.run("check", "dns", "nowhere.test").returncode == 65


def test_the_mx_query(house, names) -> None:
    """Exchangers in order with addresses, and what the courier would do, by MX and by route."""
    names.records.update(
        {
            ("far.test", "MX"): ["20 b.far.test.", "10 a.far.test."],
            ("a.far.test", "A"): ["192.0.2.80"],
            ("b.far.test", "A"): ["192.0.2.81"],
            ("_25._tcp.a.far.test", "TLSA"): [f"3 1 1 {'cd' * 32}"],
            ("none.test", "MX"): ["0 ."],
        }
    )
    said = house.say("check", "mx", "far.test")
    assert re.search(r"10  a\.far\.test  192\.0\.2\.80, 1 TLSA \(not proven\)\n +20  b\.far\.test", said)
    assert "The courier would connect to a.far.test [192.0.2.80] port 25." in said
    assert "with TLS where the host offers it" in said
    assert "would be returned to its sender: 556" in house.say("check", "mx", "none.test")
    house.route("far.test", 2525)
    said = json.loads(house.say("check", "mx", "far.test", "--json"))
    assert said["route"] == "the route of far.test: 127.0.0.1, port 2525"
    assert said["plan"] == ["127.0.0.1[127.0.0.1]:2525"]
