"""What is to be known of the certificate file and its key, as values: names, end, chain, key, TLSA data.

The chain is judged with the system's authorities, without asking anybody. RFC 6698 §2.1 (TLSA). Nothing raises: what
cannot be read is the ``fault``. Tests: ``tests/unit/services/administration/diagnosis/test_certificates.py``.
"""

from __future__ import annotations

import hashlib
import ssl
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

MUST_BE_PEM: Final = "Both must be PEM files, readable for the server's user, and belong to each other."
_LONGEST_CHAIN: Final = 20
_LONGEST_FILE: Final = 1 << 20
_FLIGHTS: Final = 10  # a handshake has three
_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME, which the standard library does not name


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """A certificate and its key.

    Attributes:
        path: of the certificate.
        names: DNS names it is for; ``addresses`` the IP addresses.
        begins, expires: seconds since the epoch.
        self_signed: whether it is its own authority.
        issuer: the organisation that issued it, or its name.
        chain_fault: why the chain does not lead to an authority of this system, "" where it does.
        key_kind, key_size: such as ``RSA`` and 2048; bits.
        key_is_public: whether every user of the machine can read the key.
        tlsa: data of TLSA records that match, best first (``3 1 1 ...``).
        digest: SHA-256 of the certificate, in hex.
        fault, remedy: why it cannot be used; "" where it can.
    """

    path: str
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    begins: float = 0.0
    expires: float = 0.0
    self_signed: bool = False
    issuer: str = ""
    chain_fault: str = ""
    key_kind: str = ""
    key_size: int = 0
    key_is_public: bool = False
    tlsa: tuple[str, ...] = ()
    digest: str = ""
    fault: str = ""
    remedy: str = ""


def covers(pattern: str, hostname: str) -> bool:
    """Whether a name of a certificate stands for a host; ``*`` for exactly its first label (RFC 9525 §6.3)."""
    pattern, hostname = pattern.lower().rstrip("."), hostname.lower().rstrip(".")
    if pattern.startswith("*."):
        return hostname.partition(".")[2] == pattern[2:]
    return pattern == hostname


def read_chain(certificate: Path, key: Path) -> CertificateFacts:
    """Return what is to be known; blocks for milliseconds."""
    from cryptography import x509

    path = str(certificate)
    try:
        chain = x509.load_pem_x509_certificates(_read(certificate))[:_LONGEST_CHAIN]
    except OSError as error:
        return CertificateFacts(path=path, fault=f"cannot be read: {error.strerror}", remedy=MUST_BE_PEM)
    except ValueError:
        return CertificateFacts(path=path, fault="is no PEM file with a certificate", remedy=MUST_BE_PEM)
    fault = _pair_fault(certificate, key)
    if fault:
        return CertificateFacts(path=path, fault=fault, remedy=MUST_BE_PEM)
    return _facts(path, chain, key)


def _facts(path: str, chain: Sequence[x509.Certificate], key: Path) -> CertificateFacts:
    leaf = chain[0]
    names, addresses = _alternative_names(leaf)
    kind, size = _key_size(leaf.public_key())
    self_signed = leaf.issuer == leaf.subject
    return CertificateFacts(
        path=path,
        names=names,
        addresses=addresses,
        begins=leaf.not_valid_before_utc.timestamp(),
        expires=leaf.not_valid_after_utc.timestamp(),
        self_signed=self_signed,
        issuer=_issuer(leaf),
        chain_fault="" if self_signed else _chain_fault(Path(path), key),
        key_kind=kind,
        key_size=size,
        key_is_public=bool(key.stat().st_mode & stat.S_IROTH),
        tlsa=tuple(_tlsa(chain)),
        digest=hashlib.sha256(_der(leaf)).hexdigest(),
    )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LONGEST_FILE)


def _pair_fault(certificate: Path, key: Path) -> str:
    """Return why certificate and key cannot be used together, in words; "" where they can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        return f"cannot be used with {key}: {(error.reason or 'not a key of that kind').replace('_', ' ').lower()}"
    except OSError as error:
        return f"the key {key} cannot be read: {error.strerror}"
    return ""


def _alternative_names(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from cryptography import x509

    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return (), ()
    return tuple(found.get_values_for_type(x509.DNSName)), tuple(map(str, found.get_values_for_type(x509.IPAddress)))


def _issuer(leaf: x509.Certificate) -> str:
    from cryptography.x509.oid import NameOID

    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for attribute in leaf.issuer.get_attributes_for_oid(oid):
            return str(attribute.value)
    return ""


def _key_size(key: PublicKeyTypes) -> tuple[str, int]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size
    return type(key).__name__.removesuffix("PublicKey").lstrip("_"), 0


def _chain_fault(certificate: Path, key: Path) -> str:
    """Return why a client of this system would not believe the chain, whatever name and time; "" where it would.

    A handshake in memory: what OpenSSL says here is what mail programs say.
    """
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server_context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        return "the certificate cannot be used"
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context().wrap_bio(to_client, to_server)
    for _ in range(_FLIGHTS):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
            except ssl.SSLError as error:
                return (error.reason or "the handshake fails").replace("_", " ").lower()
            if side is client:
                return ""
    return "the handshake does not end"


def client_context() -> ssl.SSLContext:
    """Return a context that verifies chains with the authorities of this system; name and time are judged elsewhere."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_flags = (context.verify_flags & ~ssl.VERIFY_X509_STRICT) | _NO_CHECK_TIME
    return context


def _tlsa(chain: Sequence[x509.Certificate]) -> Iterator[str]:
    """Yield the data of every TLSA record that matches: key of our own certificate first (RFC 7671 §5.1)."""
    for place, certificate in enumerate(chain):
        usage = 2 if place else 3
        for selector, octets in ((1, _spki(certificate)), (0, _der(certificate))):
            yield f"{usage} {selector} 1 {hashlib.sha256(octets).hexdigest()}"
            yield f"{usage} {selector} 2 {hashlib.sha512(octets).hexdigest()}"


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def _spki(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
