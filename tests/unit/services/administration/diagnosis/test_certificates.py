"""Certificate files: names, chain, key, TLSA data, and everything that may be wrong with them."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from posthouse.config.file import Configuration
from posthouse.services.administration.diagnosis import certificates
from posthouse.services.administration.diagnosis.certificates import covers, read_chain
from posthouse.store.directory_values import PutDomain
from posthouse.testing.resolver import FakeResolver
from tests.support.stores import StillClock
from tests.unit.services.administration.diagnosis.conftest import HOST, LISTENERS, seen

BEGINS = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOW = BEGINS.timestamp() + 86_400


def named(text: str) -> x509.Name:
    """Return a name with an organisation."""
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text), x509.NameAttribute(NameOID.COMMON_NAME, text)]
    )


@dataclass
class Signer:
    """An authority."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def signed(name: str, key, by: Signer, *, days: int = 90, authority: bool = False) -> x509.Certificate:
    """Return a certificate for a host."""
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(by.name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(BEGINS + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(by.key, hashes.SHA256())
    )


ROOT = Signer(named("Test Root"), ec.generate_private_key(ec.SECP256R1()))
MIDDLE = Signer(named("middle"), ec.generate_private_key(ec.SECP256R1()))
ROOT_CERTIFICATE = signed("Test Root", ROOT.key, ROOT, authority=True)
MIDDLE_CERTIFICATE = signed("middle", MIDDLE.key, ROOT, authority=True)
KEY = ec.generate_private_key(ec.SECP256R1())


def write(folder: Path, *chain: x509.Certificate, key=KEY) -> tuple[Path, Path]:
    """Write the files."""
    (folder / "tls").mkdir(exist_ok=True)
    paths = folder / "tls" / "certificate.pem", folder / "tls" / "key.pem"
    paths[0].write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    paths[1].chmod(0o600)
    return paths


@pytest.fixture
def known(monkeypatch) -> None:
    """Make the test's root an authority of this system."""
    make = certificates.client_context

    def context() -> ssl.SSLContext:
        made = make()
        made.load_verify_locations(cadata=ROOT_CERTIFICATE.public_bytes(serialization.Encoding.PEM).decode())
        return made

    monkeypatch.setattr(certificates, "client_context", context)


def test_a_whole_chain(tmp_path, known) -> None:
    """Names, end, issuer, key, and the TLSA data of each certificate, our own key first."""
    facts = read_chain(*write(tmp_path, signed(HOST, KEY, MIDDLE), MIDDLE_CERTIFICATE))
    assert (facts.fault, facts.chain_fault, facts.names) == ("", "", (HOST,))
    assert (facts.issuer, facts.key_kind, facts.key_size) == ("middle", "EC", 256)
    assert [each[:6] for each in facts.tlsa] == [
        "3 1 1 ",
        "3 1 2 ",
        "3 0 1 ",
        "3 0 2 ",
        "2 1 1 ",
        "2 1 2 ",
        "2 0 1 ",
        "2 0 2 ",
    ]
    assert len(facts.digest) == 64


CHAINS = [
    pytest.param(lambda: [signed(HOST, KEY, MIDDLE)], "unable to get local issuer certificate", id="incomplete"),
    pytest.param(
        lambda: [signed(HOST, KEY, MIDDLE), ROOT_CERTIFICATE],
        "unable to get local issuer certificate",
        id="a certificate left out",
    ),
    pytest.param(lambda: [signed(HOST, KEY, ROOT)], "", id="of the root"),
]


@pytest.mark.parametrize(("chain", "fault"), CHAINS)
def test_a_chain_that_does_not_lead_up(tmp_path, known, chain, fault) -> None:
    """Each certificate has to be issued by the next one."""
    found = read_chain(*write(tmp_path, *chain())).chain_fault
    assert fault in found if fault else not found


def test_a_forged_signature(tmp_path, known) -> None:
    """The name of an authority alone is not enough."""
    forger = Signer(MIDDLE.name, ec.generate_private_key(ec.SECP256R1()))
    fault = read_chain(*write(tmp_path, signed(HOST, KEY, forger), MIDDLE_CERTIFICATE)).chain_fault
    assert fault


def test_files_that_cannot_be_used(tmp_path) -> None:
    """Each has its words, and none of them raises."""
    certificate, key = write(tmp_path, signed(HOST, KEY, ROOT))
    assert "cannot be read" in read_chain(tmp_path / "none", key).fault
    assert "the key" in read_chain(certificate, tmp_path / "none").fault
    write(tmp_path, signed(HOST, KEY, ROOT), key=ec.generate_private_key(ec.SECP256R1()))
    assert "values mismatch" in read_chain(certificate, key).fault
    certificate.write_text("not a certificate")
    assert "no PEM file" in read_chain(certificate, key).fault


@pytest.mark.parametrize(
    ("pattern", "host", "found"),
    [
        ("a.org", "A.org.", True),
        ("*.a.org", "b.a.org", True),
        ("*.a.org", "a.org", False),
        ("*.a.org", "c.b.a.org", False),
    ],
)
def test_a_name_stands_for_a_host(pattern, host, found) -> None:
    """A star is one label (RFC 9525 §6.3)."""
    assert covers(pattern, host) is found


def rsa_key() -> rsa.RSAPrivateKey:
    """Return a key that is too short."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=1024)


ROWS = [
    pytest.param("certificate.expiry", {}, ("ok", "good for 89 days"), id="good"),
    pytest.param("certificate.expiry", {"days": 10}, ("warning", "expires in 9 days"), id="soon"),
    pytest.param("certificate.names", {}, ("ok", "every name"), id="names"),
    pytest.param("certificate.names", {"name": "other.org"}, ("warning", f"is not for {HOST}"), id="another name"),
    pytest.param("certificate.key", {}, ("ok", "EC 256"), id="key"),
    pytest.param(
        "certificate.chain",
        {},
        ("warning", "the chain is not complete unable to get local issuer"),
        id="an unknown authority",
    ),
]


@pytest.mark.parametrize(("check", "made", "expected"), ROWS)
async def test_the_certificate_is_judged(look, tmp_path, check, made, expected) -> None:
    """End, names, chain, key."""
    write(tmp_path, signed(made.get("name", HOST), KEY, ROOT, days=made.get("days", 90)))
    (finding,) = await look(check, clock=StillClock(NOW))
    assert finding.severity.value == expected[0]
    assert expected[1] in f"{finding.what} {finding.evidence}"


async def test_a_certificate_that_is_over_or_not_yet(look, tmp_path) -> None:
    """Both are errors."""
    write(tmp_path, signed(HOST, KEY, ROOT))
    (late,) = await look("certificate.expiry", clock=StillClock(NOW + 100 * 86_400))
    assert (late.severity.value, late.what) == ("error", "expired 11 days ago")
    (early,) = await look("certificate.expiry", clock=StillClock(NOW - 2 * 86_400))
    assert (early.severity.value, early.what) == ("error", "not valid yet")


async def test_a_key_that_is_short_or_open(look, tmp_path, monkeypatch) -> None:
    """A key that others can read is an error."""
    key = rsa_key()
    monkeypatch.setattr(certificates, "_pair_fault", lambda *_: "")  # OpenSSL refuses such a key by itself
    _, path = write(tmp_path, signed(HOST, key, ROOT), key=key)
    path.chmod(0o644)
    found = seen(await look("certificate.key"))
    assert [severity for severity, _ in found] == ["error", "warning"]


async def test_an_exchanger_of_another_name_needs_it_in_the_certificate(look, store, tmp_path) -> None:
    """Others ask for the name that the MX record gave them."""
    write(tmp_path, signed(HOST, KEY, ROOT))
    await store.commit(PutDomain(name="house.net"))
    names = {HOST: ["192.0.2.1"], "mx.house.net": ["192.0.2.1"]}
    resolver = FakeResolver({"house.net": [(10, "mx.house.net")]}, names)
    found = seen(await look("certificate.names", store=store, resolver=resolver))
    assert found == [("warning", "mx.house.net: is not for mx.house.net, the exchanger of house.net")]


async def test_an_unusable_certificate_is_said_once(look, tmp_path) -> None:
    """The other checks have nothing to add."""
    configuration = Configuration(home=tmp_path, hostname=HOST, listeners=LISTENERS)
    assert seen(await look("certificate.usable", configuration=configuration))[0][0] == "error"
    assert seen(await look("certificate.chain", configuration=configuration))[0][0] == "ok"
