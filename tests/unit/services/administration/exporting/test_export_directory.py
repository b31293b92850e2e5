"""The directory as rows."""

from __future__ import annotations

import pytest

from posthouse.services.administration.exporting import directory
from posthouse.services.administration.exporting.directory import Narrowed, chosen_fields, rows_of
from posthouse.services.administration.exporting.tables import as_csv
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing.csv_accounts import read_csv
from posthouse.services.administration.importing.records import Flawed, ImportedAccount, Unmapped
from posthouse.services.administration.importing.source import file_of
from posthouse.store.directory_values import (
    AccountState,
    ChangeMembers,
    Level,
    PutAccount,
    PutAddress,
    PutAlias,
    PutDomain,
    PutGroup,
    PutOffice,
)
from tests.support.stores import make_store


@pytest.fixture
async def store(tmp_path):
    """Return a store with a little of everything."""
    async with make_store(tmp_path / "home") as opened:
        await opened.commit(
            PutOffice(name="acme"),
            PutDomain(name="example.org", office="acme", catch_all="anna@example.org"),
            PutDomain(name="example.net"),
            PutAccount(address="anna@example.org", display_name="Anna, B", quota_bytes=1000, level=Level.DOMAIN),
            PutAccount(address="bert@example.net", state=AccountState.SIGN_IN_DISABLED, password_hash="$argon2id$x"),
            PutAddress(address="a@example.org", account="anna@example.org"),
            PutAlias(address="info@example.org", targets=("anna@example.org", "x@elsewhere.example")),
            PutGroup(address="team@example.org", display_name="Team"),
            ChangeMembers(group="team@example.org", add=("anna@example.org", "bert@example.net")),
        )
        yield opened


async def rows(store, kind, fields=None, **narrowed):
    wanted = fields or directory.FIELDS[kind]
    return [row async for row in rows_of(store, kind, wanted, Narrowed(**narrowed))]


async def test_accounts(store):
    """With everything about them."""
    anna, bert = await rows(store, "accounts")
    assert (anna["address"], anna["name"], anna["quota"], anna["level"]) == (
        "anna@example.org",
        "Anna, B",
        1000,
        "domain",
    )
    assert (anna["office"], anna["aliases"], anna["groups"]) == ("acme", ["a@example.org"], ["team@example.org"])
    assert (anna["used"], bert["sign_in_disabled"], bert["office"]) == (0, True, "")


async def test_the_others(store):
    """Domains, aliases, groups."""
    assert [(row["name"], row["catch_all"]) for row in await rows(store, "domains")] == [
        ("example.net", ""), ("example.org", "anna@example.org")]  # fmt: skip
    assert (await rows(store, "aliases"))[0]["targets"] == ["anna@example.org", "x@elsewhere.example"]
    assert (await rows(store, "groups"))[0]["members"] == ["anna@example.org", "bert@example.net"]


NARROWED = [
    pytest.param("accounts", {"domain": "example.net"}, ["bert@example.net"], id="a domain"),
    pytest.param("accounts", {"office": "acme"}, ["anna@example.org"], id="a post office"),
    pytest.param("domains", {"office": ""}, ["example.net"], id="domains of none"),
    pytest.param("domains", {"domain": "example.org"}, ["example.org"], id="one domain"),
    pytest.param("groups", {"domain": "example.net"}, [], id="groups of another"),
    pytest.param("aliases", {"office": "acme"}, ["info@example.org"], id="aliases"),
]


@pytest.mark.parametrize(("kind", "narrowed", "expected"), NARROWED)
async def test_only_a_part(store, kind, narrowed, expected):
    """A domain, or what is in a post office."""
    found = await rows(store, kind, **narrowed)
    assert [row.get("address") or row["name"] for row in found] == expected


async def test_pages_are_put_together(store, monkeypatch):
    """Whatever their size."""
    monkeypatch.setattr(directory, "PAGE", 1)
    assert len(await rows(store, "accounts")) == 2
    assert (await rows(store, "groups"))[0]["members"] == ["anna@example.org", "bert@example.net"]


def test_fields_are_chosen():
    """In their order, once; one there is not is told with those there are."""
    assert chosen_fields("accounts", ["quota", "address", "quota"]) == ("quota", "address")
    assert "password_hash" not in chosen_fields("accounts", [])
    with pytest.raises(Refused, match="accounts have no field shoe") as refusal:
        chosen_fields("accounts", ["shoe"])
    assert "quota" in refusal.value.remedy


async def test_what_is_taken_out_can_be_brought_in(store):
    """The import reads every field of the usual export of accounts."""
    fields = (*chosen_fields("accounts", []), "office", "aliases", "groups")
    stream = as_csv(rows_of(store, "accounts", fields, Narrowed()), fields)
    text = b"".join([piece async for piece in stream])
    records = list(read_csv(file_of("accounts.csv", text)))
    assert not [record for record in records if isinstance(record, Flawed | Unmapped)]
    anna, bert = (record for record in records if isinstance(record, ImportedAccount))
    assert (anna.name, anna.quota_bytes, anna.level) == ("Anna, B", 1000, Level.DOMAIN)
    assert bert.state is AccountState.SIGN_IN_DISABLED
