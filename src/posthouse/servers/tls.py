"""TLS for listeners: contexts made from certificate files, and the self-signed certificate a new home starts with.

A reload makes a new context and swaps it; connections keep the one they began with. A certificate that cannot be
read at reload leaves the old one in use. Tests: ``tests/unit/servers/test_tls.py``.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from posthouse.config.definitions.tls import MINIMUM_VERSION
from posthouse.config.faults import ConfigFault
from posthouse.config.settings import Settings

if TYPE_CHECKING:
    from cryptography import x509  # imported where it is used: it is slow to load and most starts need no new key

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# Forward secrecy and authenticated encryption only, as RFC 9325 §4.2 recommends for TLS 1.2; 1.3 has nothing else.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!MD5"
_SELF_SIGNED_DAYS = 3650
_ALWAYS_NAMES = ("localhost",)
_ALWAYS_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a person wants to know of a certificate; ``expires`` is seconds since the epoch."""

    names: tuple[str, ...]
    expires: float
    self_signed: bool


class TlsContexts:
    """The server contexts of a worker.

    Args:
        certificate: PEM file with the certificate and its chain.
        key: PEM file with the private key.
        settings: for the minimum version.

    Raises ConfigFault: where the files cannot be used.
    """

    def __init__(self, certificate: Path, key: Path, settings: Settings) -> None:
        self._certificate = certificate
        self._key = key
        self._settings = settings
        self._context = make_server_context(certificate, key, settings.get(MINIMUM_VERSION))

    @property
    def server_context(self) -> ssl.SSLContext:
        """The context for a connection that begins now."""
        return self._context

    def reload(self) -> None:
        """Read the files again. Raises ConfigFault: where they cannot be used; the old ones stay in use."""
        self._context = make_server_context(self._certificate, self._key, self._settings.get(MINIMUM_VERSION))


def make_server_context(certificate: Path, key: Path, minimum_version: str = "1.2") -> ssl.SSLContext:
    """Return a server context without ALPN and client certificates. Raises ConfigFault."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[minimum_version]
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigFault(
            f"the certificate {certificate} with the key {key} cannot be used: {_reason(error)}",
            key="tls.certificate",
            remedy="Both must be PEM files, readable for the server's user, and belong to each other.",
        ) from error
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a PEM file of that kind").replace("_", " ").lower()
    return error.strerror or "cannot be read"


def write_self_signed(certificate: Path, key: Path, hostname: str, now: float) -> None:
    """Make a key (EC P-256, mode 0600) and a certificate for the hostname, ``localhost`` and the loopback addresses.

    Raises OSError: where a file exists or cannot be written.
    """
    certificate_pem, key_pem = make_self_signed(hostname, now)
    _write_new(key, key_pem, 0o600)
    _write_new(certificate, certificate_pem, 0o644)


def make_self_signed(hostname: str, now: float) -> tuple[bytes, bytes]:
    """Return the certificate and its private key, both PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    private_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    begins = dt.datetime.fromtimestamp(now, tz=dt.UTC) - dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + dt.timedelta(days=_SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName(_alternative_names(hostname)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private_key, hashes.SHA256())
    )
    key_pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key_pem


def _alternative_names(hostname: str) -> list[x509.GeneralName]:
    from cryptography import x509

    names = dict.fromkeys((hostname.encode("idna").decode("ascii"), *_ALWAYS_NAMES))
    return [
        *(x509.DNSName(name) for name in names),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in _ALWAYS_ADDRESSES),
    ]


def _write_new(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def read_certificate(certificate: Path) -> CertificateFacts:
    """Return names and end of a certificate. Raises ConfigFault."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigFault(
            f"the certificate {certificate} cannot be read",
            key="tls.certificate",
            remedy="It must be a PEM file, readable for the server's user.",
        ) from error
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(extension.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = ()
    expires = found.not_valid_after_utc.timestamp()
    return CertificateFacts(names, expires, found.issuer == found.subject)
