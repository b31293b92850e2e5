"""hMailServer's database in the dumps of three tools, and as an SQLite file. All hold the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from posthouse.services.administration.importing.hmailserver import read_hmailserver
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedRoute,
    ImportedSetting,
    Unmapped,
)
from posthouse.services.administration.importing.source import Unreadable, file_at, file_of
from posthouse.services.identity.schemes import verify
from posthouse.store.directory_values import AccountState, Level, SenderPolicy

DATA = Path(__file__).parents[4] / "data" / "imports"
MIB = 1024 * 1024


@pytest.fixture(params=["mysql", "postgresql", "sqlite", "file"])
def records(request, tmp_path):
    """Return the records of one of the sources."""
    if request.param != "file":
        return list(read_hmailserver(file_at(DATA / f"hmailserver-{request.param}.sql")))
    path = tmp_path / "hmailserver.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / "hmailserver-sqlite.sql").read_text())
    return list(read_hmailserver(file_at(path)))


def only(records, kind):
    return [record for record in records if isinstance(record, kind)]


def test_domains(records):
    """With their state, their catch-all and their other names."""
    found = [(each.name, each.alias_of, each.catch_all, each.disabled) for each in only(records, ImportedDomain)]
    assert found == [
        ("example.org", "", "anna@example.org", False),
        ("old.example", "", "", True),
        ("example.net", "example.org", "", False),
    ]


def test_accounts(records):
    """With names, quotas, levels and passwords of every kind."""
    anna, bert, carla, dora, emil, broken = only(records, ImportedAccount)
    assert (anna.name, anna.family_name, anna.quota_bytes, anna.level) == (
        "Anna O'Hara",
        "O'Hara",
        100 * MIB,
        Level.SERVER,
    )
    assert (anna.password, bert.password, bert.family_name) == (b"geheim123", b"geheim123", "Müller")
    assert verify(carla.password_hash, b"geheim123")
    assert verify(emil.password_hash, b"geheim123")
    assert (dora.password, dora.password_hash, broken.password_hash) == (None, "", "")
    assert (bert.level, emil.state, anna.state) == (Level.DOMAIN, AccountState.DISABLED, AccountState.ACTIVE)


def test_aliases_and_lists(records):
    """Inactive aliases are disabled ones; lists are groups with who may send."""
    assert [(each.address, each.targets, each.disabled) for each in only(records, ImportedAlias)] == [
        ("info@example.org", ("anna@example.org",), False),
        ("sleeping@example.org", ("bert@example.org",), True),
    ]
    groups = [each for each in only(records, ImportedGroup) if not each.is_more]
    assert [(each.address, each.senders, each.listed) for each in groups] == [
        ("team@example.org", SenderPolicy.MEMBERS, ()),
        ("news@example.org", SenderPolicy.LISTED, ("anna@example.org",)),
    ]
    members = [each.members for each in only(records, ImportedGroup) if each.is_more]
    assert members == [("anna@example.org",), ("bert@example.org",)]


def test_routes_and_settings(records):
    """The relayer is the route for everything; sizes are in kilobytes."""
    routes = [
        (each.domain, each.host, each.port, each.tls, each.recipients_local) for each in only(records, ImportedRoute)
    ]
    assert routes == [
        ("partner.example", "mail.partner.example", 25, "must", True),
        ("*", "smart.example", 587, "may", False),
    ]
    assert [(each.name, each.value) for each in only(records, ImportedSetting)] == [("smtp.message_size", "20480K")]


TOLD = [
    "the automatic reply of carla@example.org",
    "dora@example.org signs in as CORP\\dora",
    "emil@old.example forwards to emil@elsewhere.example, with a copy kept",
    "the password of broken@example.org",
    "at most 50 accounts in example.org",
    "the DKIM key of old.example",
    "the group Managers",
    "the route for a*b.example",
    "the route for partner.example signs in as us",
    "only@partner.example as one of the addresses of the route for partner.example",
    "rules: Junk",
    "dnsbl: zen.example",
    "fetchaccounts: old provider",
    "the setting hostname = mail.example.org",
]


def test_what_has_no_place_is_told(records):
    """Each with a place and a reason; no password is shown."""
    told = only(records, Unmapped)
    assert {each.what for each in told} >= set(TOLD)
    assert all(each.where and each.why for each in told)
    assert "nohash" not in str(told)


def test_a_row_that_refers_to_nothing_is_told(records):
    """It does not end the import."""
    assert [each.why for each in only(records, Flawed)] == ["a recipient of a list that is not in the source"]


def test_a_dump_that_is_cut_off_yields_nothing():
    """The first reading finds it, before anything is made."""
    whole = (DATA / "hmailserver-mysql.sql").read_bytes()
    reader = read_hmailserver(file_of("cut.sql", whole[: len(whole) * 3 // 4]))
    with pytest.raises(Unreadable, match=r"cut.sql:\d+: "):
        next(reader)


@pytest.mark.parametrize("content", [b"", b"SELECT 1;", b"SQLite format 3\0" + b"x" * 100])
def test_what_is_no_such_database_is_told(tmp_path, content):
    """One error, that names the file."""
    path = tmp_path / "what"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="what: "):
        list(read_hmailserver(file_at(path)))


def test_domains_come_before_what_is_in_them(records):
    """Whatever the order of the tables."""
    kinds = [type(each) for each in records]
    assert max(index for index, kind in enumerate(kinds) if kind is ImportedDomain) < kinds.index(ImportedAccount)
