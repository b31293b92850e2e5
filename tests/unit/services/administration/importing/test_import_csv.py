"""CSV: columns, delimiters, quotes, and rows that cannot be used."""

from __future__ import annotations

import pytest

from posthouse.services.administration.importing.csv_accounts import CsvOptions, read_csv
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    Unmapped,
)
from posthouse.services.administration.importing.source import Unreadable, file_of
from posthouse.store.directory_values import AccountState, Level

MIB = 1024 * 1024


def read(content, **options):
    raw = content if isinstance(content, bytes) else content.encode()
    return list(read_csv(file_of("people.csv", raw), CsvOptions(**options)))


def only(records, kind):
    return [record for record in records if isinstance(record, kind)]


PLAIN = [
    pytest.param("anna@example.org,geheim,100M\n", id="positions"),
    pytest.param("anna@example.org;geheim;100M\r\n", id="semicolons"),
    pytest.param("anna@example.org\tgeheim\t100M\n", id="tabs, as MailEnable exports"),
    pytest.param("address,password,quota\nanna@example.org,geheim,100M\n", id="named"),
    pytest.param("Quota|E-Mail|Password\n100M|anna@example.org|geheim\n", id="named, another order"),
    pytest.param('"anna@example.org","geheim","100M"', id="quoted, no line end"),
    pytest.param("\ufeffaddress,password,quota\nanna@example.org,geheim,100M\n", id="a mark before the header"),
    pytest.param("address,password,quota\nanna@example.org,geheim,100M\n".encode("utf-16"), id="utf-16"),
]


@pytest.mark.parametrize("content", PLAIN)
def test_the_three_columns_are_read(content):
    """Whatever divides and encodes them."""
    account = only(read(content), ImportedAccount)[0]
    assert (account.address, account.password, account.quota_bytes) == ("anna@example.org", b"geheim", 100 * MIB)


def test_every_column_has_its_place():
    """All properties of an account can be named, and what is around it."""
    records = read(
        "address,password_hash,display name,First Name,surname,quota,quota_messages,office,level,aliases,groups,disabled\n"
        "anna@example.org,{SSHA512}"
        + "A"
        * 86
        + "==,Anna B,Anna,B,1G,500,acme,domain,a@example.org;b@example.net,staff@example.org,no\n"
        "bert@example.org,,,,,-1,,acme,,,staff,yes\n"
    )
    anna, bert = only(records, ImportedAccount)
    assert anna.password_hash.startswith("{SSHA512}")
    assert (anna.name, anna.given_name, anna.family_name) == ("Anna B", "Anna", "B")
    assert (anna.quota_bytes, anna.quota_messages, anna.level) == (1024 * MIB, 500, Level.DOMAIN)
    assert (anna.state, bert.state) == (AccountState.ACTIVE, AccountState.DISABLED)
    assert bert.quota_bytes == 0
    assert [each.name for each in only(records, ImportedOffice)] == ["acme"]
    assert [(each.name, each.office) for each in only(records, ImportedDomain)] == [("example.org", "acme")]
    assert [each.address for each in only(records, ImportedAddress)] == ["a@example.org", "b@example.net"]
    members = [(each.address, each.members, each.is_more) for each in only(records, ImportedGroup)]
    assert members == [
        ("staff@example.org", ("anna@example.org",), True),
        ("staff@example.org", ("bert@example.org",), True),
    ]


def test_a_quoted_line_end_is_part_of_a_field():
    """And the place of the next row is right (RFC 4180 §2)."""
    records = read('address,name\nanna@example.org,"Anna\nB"\nno-address-here,x\n,y\n')
    assert only(records, ImportedAccount)[0].name == "Anna\nB"
    assert only(records, Flawed) == [Flawed(where="people.csv:5", why="the row has no address")]


FLAWED = [
    pytest.param("a@b.example,x,many\n", "is not a size", id="quota"),
    pytest.param("address,level\na@b.example,king\n", "level: 'king'", id="level"),
    pytest.param("address,disabled\na@b.example,perhaps\n", "disabled: 'perhaps'", id="disabled"),
    pytest.param("address,quota_messages\na@b.example,-5\n", "quota_messages", id="messages"),
    pytest.param("address,password_hash\na@b.example,{WHAT}x\n", "cannot be used", id="hash of no known scheme"),
    pytest.param("a@b.example,x,1M\nb@b.example,x,1M,too,many\n", "the row has 5 fields, not 3", id="fields"),
]


@pytest.mark.parametrize(("content", "why"), FLAWED)
def test_a_row_that_makes_no_sense_is_told_and_left(content, why):
    """The others are read."""
    flaws = only(read(content), Flawed)
    assert len(flaws) == 1
    assert why in flaws[0].why
    assert "{WHAT}x" not in flaws[0].why


def test_columns_nobody_knows_are_told():
    """Once, with their name."""
    assert only(read("address,shoe size\na@b.example,43\n"), Unmapped)[0].what == "column 'shoe size'"


UNREADABLE = [
    pytest.param("name,quota\nx,1\n", "people.csv:1: no column is named address", id="no address"),
    pytest.param("address,mail\na@b.c,x@y.z\n", "two columns mean address", id="twice"),
    pytest.param('a@b.example,"open\n' + "x@y.example,z,1\n" * 20_000, "a quote is opened", id="open quote"),
    pytest.param(b"a@b.example,x\n\0\0\n", "NUL", id="NUL"),
]


@pytest.mark.parametrize(("content", "why"), UNREADABLE)
def test_what_cannot_be_read_on_ends_with_its_line(content, why):
    """One error that names file and line."""
    with pytest.raises(Unreadable, match=why):
        read(content)


def test_options_say_what_the_file_does_not():
    """The unit of quotas and the domain of bare names."""
    account = only(read("anna,geheim,1024\n", quota_unit="k", domain="example.org", delimiter=","), ImportedAccount)[0]
    assert (account.address, account.quota_bytes) == ("anna@example.org", MIB)
    with pytest.raises(Unreadable, match="is no encoding"):
        read("a@b.c,x\n", encoding="klingon")


def test_a_password_that_is_surely_a_hash_is_one():
    """What can be checked as a hash is kept as a hash; what only looks like one is a password."""
    hashed = "{SSHA512}" + "A" * 86 + "=="
    records = only(read(f"a@b.example,{hashed}\nb@b.example,{{secret}}\nc@b.example,$money$\n"), ImportedAccount)
    assert [(each.password, each.password_hash) for each in records] == [
        (None, hashed),
        (b"{secret}", ""),
        (b"$money$", ""),
    ]


def test_an_empty_file_has_nothing():
    """No rows, no error."""
    assert read("") == []
