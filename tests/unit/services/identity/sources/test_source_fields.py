"""Configurations of sources: good ones are typed, bad ones name the field, secrets are never shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from posthouse.services.identity.sources.fields import SourceFault
from posthouse.services.identity.sources.kinds import Parts, kind_names, kind_of, make_source
from posthouse.services.identity.sources.verified_tls import tls_context
from posthouse.testing.clock import FakeClock

PARTS = Parts(clock=FakeClock(), verify_hash=lambda encoded, password: False)
GOOD = {
    "ldap": {"servers": "ldaps://dc1.example.org, ldap://dc2.example.org:3268", "base": "dc=example,dc=org"},
    "sql": {"url": "postgresql://mail@db.example.org/users", "query": "SELECT h AS password FROM u WHERE a = :address"},
    "pam": {},
    "oidc": {"issuer": "https://id.example.org", "client_id": "mail"},
    "http": {"url": "https://portal.example.org/login"},
}


def make(kind, **fields):
    """Make a source with some fields replaced."""
    return make_source(kind, "corp", GOOD[kind] | fields, {}, PARTS)


@pytest.mark.parametrize("kind", GOOD)
async def test_a_good_configuration_makes_a_source(kind) -> None:
    """Making one connects to nothing."""
    source = make(kind)
    assert source.name == "corp"
    await source.close()


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("ldap", "servers", ""),
        ("ldap", "servers", "http://x"),
        ("ldap", "servers", "ldap://"),
        ("ldap", "servers", "ldap://user:secret@x"),
        ("ldap", "servers", "ldap://x:99999"),
        ("ldap", "servers", " ".join(["ldap://x"] * 17)),
        ("ldap", "base", "dc"),
        ("ldap", "filter", "(mail={address}"),
        ("ldap", "filter", "(mail={adress})"),
        ("ldap", "bind_template", "uid=anna,dc=example"),
        ("ldap", "timeout", "soon"),
        ("ldap", "timeout", "2h"),
        ("ldap", "connections", "0"),
        ("ldap", "connections", "٣"),
        ("ldap", "nested_groups", "perhaps"),
        ("ldap", "ca_file", "/nonexistent/file.pem"),
        ("ldap", "bind_dn", "a\x00b"),
        ("ldap", "bind_dn", "x" * 10_001),
        ("ldap", "colour", "blue"),
        ("ldap", "base_file", "/etc/hostname"),
        ("ldap", "bind_password_file", "/nonexistent/secret"),
        ("sql", "url", "oracle://x/y"),
        ("sql", "url", "not a url"),
        ("sql", "url", "postgresql://mail:secret@db/users"),
        ("sql", "query", "SELECT 1 WHERE a = :nobody"),
        ("sql", "query", "SELECT 1; DROP TABLE people"),
        ("sql", "check", "maybe"),
        ("pam", "service", "../shadow"),
        ("oidc", "issuer", "http://id.example.org"),
        ("oidc", "algorithms", "HS256"),
        ("oidc", "algorithms", "none"),
        ("oidc", "leeway", "1h"),
        ("http", "url", "http://portal.example.org/login"),
        ("http", "url", "ftp://x"),
    ],
)
def test_a_bad_field_is_named_with_a_remedy(kind, field, value) -> None:
    """One line, that begins with the field."""
    with pytest.raises(SourceFault) as caught:
        make(kind, **{field: value})
    fault = caught.value
    assert fault.field == field
    assert fault.detail.startswith(f"{field}: ")
    assert "\n" not in fault.detail
    assert len(fault.detail) < 600
    assert "secret@" not in fault.detail or field in {"servers", "url"}


def test_tokens_for_nobody_in_particular_are_refused() -> None:
    """A provider's token for any of its clients would do otherwise."""
    with pytest.raises(SourceFault, match="audience"):
        make("oidc", client_id="")


def test_unknown_kinds_and_the_own_name_are_refused() -> None:
    """Our own store is not made, and a kind that is none is named."""
    with pytest.raises(SourceFault, match="no kind"):
        make_source("radius", "corp", {}, {}, PARTS)
    with pytest.raises(SourceFault, match="own"):
        make_source("pam", "own", {}, {}, PARTS)


def test_a_secret_may_stand_in_a_file(tmp_path) -> None:
    """Its last line end is not part of it; a field that is no secret has no file; secrets are known by kind."""
    (tmp_path / "secret").write_text("hush\n")
    make("http", secret_file=str(tmp_path / "secret"))
    with pytest.raises(SourceFault, match="secret_folder"):
        make("http", secret_folder="x")
    with pytest.raises(SourceFault, match="url"):
        make_source("http", "corp", {}, {"url": "https://x.example"}, PARTS)
    assert [field.name for field in kind_of("ldap").fields if field.is_secret] == ["bind_password"]


def test_a_secret_is_never_shown() -> None:
    """A fault about a secret tells its field alone."""
    with pytest.raises(SourceFault) as caught:
        make_source("http", "corp", GOOD["http"], {"secret": "hu\x00sh"}, PARTS)
    assert "sh" not in caught.value.detail.partition(":")[2].replace("characters", "")


@pytest.mark.parametrize("kind", kind_names())
def test_every_field_is_in_the_manual(kind) -> None:
    """The table of each kind in docs/sign-in.md names every field, and no other."""
    text = (Path(__file__).parents[5] / "docs" / "sign-in.md").read_text()
    section = text.partition(f"### Fields of `{kind}`")[2].partition("\n### ")[0].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert rows == [field.name for field in kind_of(kind).fields]


def test_certificates_are_always_verified() -> None:
    """There is no way to a context that takes any certificate."""
    context = tls_context()
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
