"""Every DNS finding, from tables of answers."""

from __future__ import annotations

import pytest

from posthouse.services.administration.diagnosis.published import State, published
from posthouse.services.administration.diagnosis.records import DnsFacts, records_for
from posthouse.services.resolver.contract import Finding
from posthouse.store.directory_values import PutDomain
from posthouse.testing.resolver import FakeResolver
from tests.unit.services.administration.diagnosis.conftest import HOST, seen

OUR = "192.0.2.1"
ADDRESSES = {HOST: [OUR]}
REVERSE = "1.2.0.192.in-addr.arpa"

HOST_ROWS = [
    pytest.param("dns.servers", {HOST: Finding.UNAVAILABLE}, {}, "warning", "no name server answers", id="no server"),
    pytest.param("dns.servers", ADDRESSES, {}, "ok", "a name server answers", id="a server"),
    pytest.param("dns.host", ADDRESSES, {}, "ok", "has an address", id="address"),
    pytest.param("dns.host", {}, {}, "warning", "has no address", id="no address"),
    pytest.param("dns.host", {HOST: Finding.UNAVAILABLE}, {}, "notice", "could not be looked up", id="no answer"),
    pytest.param("dns.host", {HOST: ["10.0.0.1"]}, {}, "notice", "private address only", id="private address"),
    pytest.param("dns.host", ADDRESSES, {(HOST, "CNAME"): ["h."]}, "warning", "is an alias (CNAME)", id="alias"),
    pytest.param("dns.ptr", {}, {}, "notice", "not known from which addresses", id="no sending address"),
    pytest.param("dns.ptr", ADDRESSES, {}, "warning", "has no name", id="no PTR"),
    pytest.param("dns.ptr", ADDRESSES, {(REVERSE, "PTR"): [f"{HOST}."]}, "ok", "leads back", id="PTR"),
    pytest.param(
        "dns.ptr",
        ADDRESSES | {"other.net": [OUR]},
        {(REVERSE, "PTR"): ["other.net."]},
        "ok",
        "the name is other.net, which leads back",
        id="another name",
    ),
    pytest.param("dns.ptr", ADDRESSES, {(REVERSE, "PTR"): ["o.net."]}, "warning", "does not lead back", id="forged"),
    pytest.param("dns.ptr", ADDRESSES, {(REVERSE, "PTR"): Finding.UNAVAILABLE}, "notice", "not be looked", id="silence"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "addresses", "records", "severity", "words"), HOST_ROWS)
async def test_the_host_is_judged(look, check, addresses, records, severity, words) -> None:  # noqa: PLR0917  (a table's row)
    """Its address and the names of the addresses from which it sends."""
    (finding,) = await look(check, resolver=FakeResolver({}, addresses, records))
    assert finding.severity.value == severity
    assert words in finding.what
    if check == "dns.ptr" and severity == "warning":
        assert [each.zone_line for each in finding.records] == [f"{REVERSE}. 3600 IN PTR {HOST}."]


MX = {"house.org": [(10, HOST)]}
TEXT = ("house.org", "TXT")
DOMAIN_ROWS = [
    pytest.param("dns.mx", {}, {"mx": MX}, "ok", "is right", id="MX names us"),
    pytest.param("dns.mx", {"mx.house.org": [OUR]}, {"mx": {"house.org": [(5, "mx.house.org")]}}, "ok", "", id="MX is us"),
    pytest.param("dns.mx", {"g.net": ["192.0.2.9"]}, {"mx": {"house.org": [(5, "g.net")]}}, "warning", "other hosts", id="MX"),
    pytest.param("dns.mx", {}, {"mx": {"house.org": [(0, "")]}}, "warning", "null MX", id="null MX"),
    pytest.param("dns.mx", {"house.org": [OUR]}, {}, "ok", "without MX", id="implicit MX"),
    pytest.param("dns.mx", {}, {}, "warning", "nobody can find the way", id="no MX"),
    pytest.param("dns.mx", {}, {"mx": {"house.org": Finding.UNAVAILABLE}}, "notice", "could not be looked up", id="no answer"),
    pytest.param("dns.spf", {}, {"mx": MX, TEXT: ["v=spf1 mx -all"]}, "ok", "1 of 10 lookups", id="SPF"),
    pytest.param("dns.spf", {}, {TEXT: ["hello"]}, "warning", "there is none", id="no SPF"),
    pytest.param("dns.spf", {}, {TEXT: ["v=spf1 -all"]}, "warning", f"does not allow {OUR} (fail)", id="SPF without us"),
    pytest.param("dns.spf", {}, {TEXT: ["v=spf1 -all", "v=spf1 mx -all"]}, "error", "2 SPF records", id="two SPF"),
    pytest.param("dns.spf", {}, {TEXT: ["v=spf1 mxx -all"]}, "error", "no term of SPF", id="SPF misspelt"),
    pytest.param("dns.spf", {}, {TEXT: Finding.UNAVAILABLE}, "notice", "could not be looked up", id="SPF silence"),
    pytest.param("dns.dkim", {}, {}, "notice", "not signed yet", id="no DKIM"),
    pytest.param("dns.dmarc", {}, {("_dmarc.house.org", "TXT"): ["v=DMARC1;p=reject"]}, "ok", "policy reject", id="DMARC"),
    pytest.param("dns.dmarc", {}, {}, "warning", "there is none", id="no DMARC"),
    pytest.param("dns.dmarc", {}, {("_dmarc.house.org", "TXT"): ["v=DMARC1"]}, "warning", "names no policy", id="DMARC, no p"),
    pytest.param("dns.dmarc", {}, {("_dmarc.house.org", "TXT"): ["v=DMARC1;p=x"]}, "warning", "p=x is none of", id="DMARC p"),
    pytest.param("dns.dmarc", {}, {("_dmarc.house.org", "TXT"): ["v=DMARC1;p=none"] * 2}, "warning", "2 DMARC", id="two DMARC"),
    pytest.param("dns.mta_sts", {}, {}, "notice", "no MTA-STS", id="no MTA-STS"),
    pytest.param("dns.mta_sts", {}, {("_mta-sts.house.org", "TXT"): ["v=STSv1; id=1"]}, "warning", "cannot be used", id="STS"),
    pytest.param("dns.mta_sts", {}, {("_mta-sts.house.org", "TXT"): ["v=STSv1; id=1"] * 2}, "warning", "2 MTA-STS", id="two"),
    pytest.param("dns.tls_rpt", {}, {("_smtp._tls.house.org", "TXT"): ["v=TLSRPTv1; rua=mailto:a@b.c"]}, "ok", "", id="RPT"),
    pytest.param("dns.tls_rpt", {}, {("_smtp._tls.house.org", "TXT"): ["v=TLSRPTv1"]}, "warning", "nobody", id="RPT to none"),
    pytest.param("dns.tls_rpt", {}, {}, "notice", "there is none", id="no TLS reports"),
    pytest.param("dns.services", {}, {("_imaps._tcp.house.org", "SRV"): [f"0 1 993 {HOST}."]}, "ok", "is right", id="SRV"),
    pytest.param("dns.services", {}, {("_imaps._tcp.house.org", "SRV"): ["0 0 0 ."]}, "warning", "our port 993", id="no SRV"),
    pytest.param("dns.services", {}, {("_imaps._tcp.house.org", "SRV"): ["nonsense"]}, "warning", "our port", id="odd SRV"),
    pytest.param("dns.services", {}, {}, "notice", "there is none", id="SRV missing"),
    pytest.param("dns.autoconfig", {}, {}, "ok", "nothing of the kind", id="no web"),
    pytest.param("dns.caa", {}, {}, "notice", "every authority", id="no CAA"),
    pytest.param("dns.caa", {}, {("house.org", "CAA"): ['0 issue "ca.net"']}, "ok", "names who may", id="CAA"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "addresses", "tables", "severity", "words"), DOMAIN_ROWS)
async def test_a_domain_is_judged(look, store, check, addresses, tables, severity, words) -> None:  # noqa: PLR0917  (a table's row)
    """Each record right, wrong, missing, or not known because the name server is silent."""
    await store.commit(PutDomain(name="house.org"))
    tables = dict(tables)
    resolver = FakeResolver(tables.pop("mx", {}), ADDRESSES | addresses, tables)
    (finding,) = await look(check, "house.org", store=store, resolver=resolver)
    assert finding.severity.value == severity, finding
    assert words in finding.what
    if severity in {"warning", "error"} and check != "dns.mta_sts":
        assert [each.check for each in finding.records] == [check]


POLICIES = [
    pytest.param("enforce", HOST, "ok", "allows us", id="allows"),
    pytest.param("enforce", "*.house.org", "ok", "allows us", id="by a star"),
    pytest.param("enforce", "other.net", "error", "mail for it stops", id="enforced against us"),
    pytest.param("testing", "other.net", "warning", "does not allow", id="tested against us"),
    pytest.param("none", "other.net", "ok", "", id="withdrawn"),
]


@pytest.mark.parametrize(("mode", "mx", "severity", "words"), POLICIES)
async def test_a_policy_has_to_name_us(look, mode, mx, severity, words) -> None:
    """Where it is enforced mail stops else."""
    policy = f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n"
    resolver = FakeResolver({}, ADDRESSES, {("_mta-sts.house.org", "TXT"): ["v=STSv1; id=1"]})
    (finding,) = await look("dns.mta_sts", "house.org", resolver=resolver, policy=policy)
    assert finding.severity.value == severity
    assert words in finding.what


FACTS = DnsFacts(
    hostname=HOST,
    addresses=(OUR,),
    tlsa=(f"3 1 1 {'ab' * 32}",),
    tlsa_accepted=(f"3 1 1 {'ab' * 32}", f"3 0 1 {'cd' * 32}"),
    issuer="Let's Encrypt",
    dkim=(("s1", "v=DKIM1; p=AAAA"),),
    serves_autoconfig=True,
)
TLSA = f"_25._tcp.{HOST}"
STATES = [
    pytest.param("dns.dane", {}, State.MISSING, "", id="no TLSA"),
    pytest.param("dns.dane", {(TLSA, "TLSA"): [f"3 1 1 {'AB' * 16} {'ab' * 16}"]}, State.RIGHT, "of no use", id="TLSA"),
    pytest.param("dns.dane", {(TLSA, "TLSA"): [f"3 0 1 {'cd' * 32}"]}, State.RIGHT, "", id="TLSA of the certificate"),
    pytest.param("dns.dane", {(TLSA, "TLSA"): [f"3 1 1 {'00' * 32}"]}, State.WRONG, "our certificate", id="old TLSA"),
    pytest.param("dns.dkim", {("s1._domainkey.house.org", "TXT"): ["v=DKIM1;  p=AAAA"]}, State.RIGHT, "", id="DKIM"),
    pytest.param("dns.dkim", {("s1._domainkey.house.org", "TXT"): ["v=DKIM1; p=BB"]}, State.WRONG, "another", id="key"),
    pytest.param("dns.caa", {("house.org", "CAA"): ['0 issue "letsencrypt.org"']}, State.RIGHT, "", id="CAA"),
    pytest.param("dns.caa", {("org", "CAA"): ['0 issue "ca.net"']}, State.WRONG, "cannot be renewed", id="other CAA"),
    pytest.param("dns.caa", {("house.org", "CAA"): ['0 iodef "mailto:a@b.c"']}, State.RIGHT, "", id="CAA of nobody"),
    pytest.param("dns.autoconfig", {}, State.MISSING, "", id="no autoconfig"),
]


@pytest.mark.parametrize(("check", "records", "state", "words"), STATES)
async def test_a_record_is_compared(check, records, state, words) -> None:
    """What does the same is right, whatever its letters."""
    resolver = FakeResolver({}, ADDRESSES, records)
    record = next(each for each in records_for("house.org", FACTS) if each.check == check)
    found = await published(resolver, FACTS, record, "house.org")
    assert found.state is state
    assert words in found.reason


async def test_a_wrong_tlsa_record_that_is_proven_is_broken() -> None:
    """Senders that use DANE stop then; else they do not look."""
    resolver = FakeResolver({}, ADDRESSES, {(TLSA, "TLSA"): [f"3 1 1 {'00' * 32}"]}, [TLSA])
    record = next(each for each in records_for("house.org", FACTS) if each.check == "dns.dane")
    assert (await published(resolver, FACTS, record, "house.org")).is_broken


@pytest.mark.parametrize(("address", "state"), [([OUR], State.RIGHT), (["192.0.2.9"], State.WRONG)])
async def test_autoconfig_has_to_lead_here(address, state) -> None:
    """By address: an alias or an address of its own does the same."""
    resolver = FakeResolver({}, ADDRESSES | {"autoconfig.house.org": address})
    record = next(each for each in records_for("house.org", FACTS) if each.check == "dns.autoconfig")
    assert (await published(resolver, FACTS, record, "house.org")).state is state


async def test_the_policy_of_a_parent_domain_holds() -> None:
    """DMARC of house.org is that of sub.house.org where it has none itself."""
    resolver = FakeResolver({}, {}, {("_dmarc.house.org", "TXT"): ["v=DMARC1; p=none"]})
    record = next(each for each in records_for("sub.house.org", FACTS) if each.check == "dns.dmarc")
    found = await published(resolver, FACTS, record, "sub.house.org")
    assert (found.state, found.reason) == (State.RIGHT, "the one of house.org holds")


LISTS = [
    pytest.param({}, "ok", "on no blocklist", id="listed nowhere"),
    pytest.param({("1.2.0.192.b.net", "A"): ["127.0.0.4"]}, "error", "is on the blocklist b.net", id="listed"),
    pytest.param({("1.2.0.192.b.net", "A"): ["127.255.255.254"]}, "notice", "does not answer", id="refused"),
    pytest.param({("1.2.0.192.b.net", "A"): ["198.51.100.1"]}, "ok", "on no blocklist", id="a parked zone"),
    pytest.param({("1.2.0.192.b.net", "A"): Finding.UNAVAILABLE}, "notice", "b.net did not answer", id="silent"),
]


@pytest.mark.parametrize(("records", "severity", "words"), LISTS)
async def test_blocklists_are_asked(look, records, severity, words) -> None:
    """About each address from which we send, as RFC 5782 has it."""
    found = await look(
        "outbound.blocklists",
        resolver=FakeResolver({}, {}, records),
        settings={"check.dnsbl_zones": "a.net, b.net", "check.addresses": "192.0.2.1"},
    )
    assert [each for each in seen(found) if each[0] == severity and words in each[1]]
