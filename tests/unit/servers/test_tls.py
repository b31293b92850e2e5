"""Certificates and contexts of listeners."""

from __future__ import annotations

import ssl

import pytest

from posthouse.config.faults import ConfigFault
from posthouse.config.settings import Settings
from posthouse.servers.tls import TlsContexts, make_self_signed, read_certificate, write_self_signed
from posthouse.store.directory_rows import SettingRow

NOW = 1_700_000_000.0


def test_a_new_home_gets_a_certificate(tmp_path) -> None:
    """The key is for the server's user alone; the names are the host's and this machine's."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    write_self_signed(certificate, key, "mail.bücher.test", NOW)
    assert key.stat().st_mode & 0o777 == 0o600
    facts = read_certificate(certificate)
    assert facts.names == ("mail.xn--bcher-kva.test", "localhost")
    assert facts.self_signed
    assert facts.expires == NOW + 3649 * 86400
    with pytest.raises(FileExistsError):
        write_self_signed(certificate, key, "other.test", NOW)


def test_contexts_are_swapped_by_reload(tmp_path) -> None:
    """A reload makes a new context; a certificate that cannot be read leaves the old one in use."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    write_self_signed(certificate, key, "mail.test", NOW)
    settings = Settings()
    contexts = TlsContexts(certificate, key, settings)
    first = contexts.server_context
    assert first.minimum_version == ssl.TLSVersion.TLSv1_2
    settings.load([SettingRow("tls.minimum_version", "server", "1.3", "", 0.0)])
    contexts.reload()
    second = contexts.server_context
    assert second is not first
    assert second.minimum_version == ssl.TLSVersion.TLSv1_3
    certificate.write_text("nonsense")
    with pytest.raises(ConfigFault):
        contexts.reload()
    assert contexts.server_context is second


BROKEN = {
    "missing": (None, None),
    "nonsense": (b"nonsense", b"nonsense"),
    "another key": (make_self_signed("a.test", NOW)[0], make_self_signed("b.test", NOW)[1]),
}


@pytest.mark.parametrize(("certificate", "key"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_used(tmp_path, certificate, key) -> None:
    """One line with both files and a remedy."""
    for name, content in (("c.pem", certificate), ("k.pem", key)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigFault, match="cannot be used") as caught:
        TlsContexts(tmp_path / "c.pem", tmp_path / "k.pem", Settings())
    assert "k.pem" in caught.value.detail
    assert caught.value.remedy


def test_reading_a_certificate_that_is_none(tmp_path) -> None:
    """A file that is missing or no certificate is a fault of the configuration."""
    with pytest.raises(ConfigFault):
        read_certificate(tmp_path / "none")
    (tmp_path / "x").write_text("x")
    with pytest.raises(ConfigFault):
        read_certificate(tmp_path / "x")
