"""Accounts made at a first sign-in: within the limits, traced, once, with what a source may say of a person."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.services.administration.newcomers import AccountsForNewcomers
from posthouse.services.identity.sources.contract import SourcePerson
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import PutAccount, PutAlias, PutDomain
from posthouse.testing.telemetry import RecordingTelemetry

ANNA = SourcePerson(
    address="anna@acme.test", display_name="Anna Älv", external_id="u-1", attributes={"quota": "1048576"}
)


@pytest.fixture
async def welcome(store, store_clock):
    """Return a function that welcomes a person, under settings."""
    await store.commit(PutDomain(name="acme.test"), PutDomain(name="also.test", alias_of="acme.test"))
    await store.commit(PutDomain(name="off.test", disabled=True))
    telemetry = RecordingTelemetry()

    async def run(person: SourcePerson, **values: str):
        rows = [
            SettingRow(name.replace("__", "."), "domain:acme.test", value, "", 0.0) for name, value in values.items()
        ]
        return await AccountsForNewcomers(store, Settings(rows), store_clock, telemetry).welcome(person, "corp")

    run.told = telemetry
    return run


async def test_a_newcomer_gets_an_account(store, welcome) -> None:
    """With name, id, quota and source; the audit log says where from."""
    row = await welcome(ANNA)
    assert (row.address, row.display_name, row.source, row.external_id) == ("anna@acme.test", "Anna Älv", "corp", "u-1")
    assert row.quota_bytes == 1_048_576
    assert row.password_hash == ""
    (entry,) = await store.audit()
    assert (entry.actor, entry.operation, entry.subject) == ("source corp", "account.add", "account:anna@acme.test")


DECLINED = {
    "a domain that is not ours": (SourcePerson(address="anna@elsewhere.test"), {}),
    "a domain that is disabled": (SourcePerson(address="anna@off.test"), {}),
    "another name of a domain": (SourcePerson(address="anna@also.test"), {}),
    "no address": (SourcePerson(address="anna"), {}),
    "a strange address": (SourcePerson(address="a\r\nb@acme.test"), {}),
    "switched off": (ANNA, {"auth__newcomers": "no"}),
    "no room in the domain": (ANNA, {"limit__accounts": "0"}),
    "more quota than allowed": (ANNA, {"limit__account_quota": "1K"}),
    "no room in all": (ANNA, {"limit__total_quota": "1K"}),
}


@pytest.mark.parametrize("name", DECLINED)
async def test_who_gets_none(store, welcome, name) -> None:
    """Limits hold as for an administrator; an event says why; nothing is made."""
    person, values = DECLINED[name]
    assert await welcome(person, **values) is None
    assert [name for name, *_ in welcome.told.events] == ["auth.newcomer_declined"]
    assert await store.accounts(domain="acme.test") == []


async def test_limits_hold_for_many_at_once(store, welcome) -> None:
    """Ten first sign-ins at the same moment where three may be: three accounts."""
    people = [SourcePerson(address=f"p{number}@acme.test") for number in range(10)]
    made = await asyncio.gather(*(welcome(person, limit__accounts="3") for person in people))
    assert sum(row is not None for row in made) == 3
    assert len(await store.accounts(domain="acme.test")) == 3


async def test_two_connections_at_once_make_one_account(store, welcome) -> None:
    """A mail program opens several; both are let in."""
    made = await asyncio.gather(*(welcome(ANNA) for _ in range(4)))
    assert {row.id for row in made} == {made[0].id}
    assert len(await store.audit()) == 1


async def test_an_address_that_is_taken_is_not_taken_over(store, welcome) -> None:
    """Neither a local account nor an alias becomes the newcomer's."""
    await store.commit(PutAccount(address="anna@acme.test"), PutAlias(address="ben@acme.test", targets=("x@y.test",)))
    assert await welcome(ANNA) is None
    assert await welcome(SourcePerson(address="ben@acme.test")) is None


async def test_what_a_source_says_is_made_harmless(welcome) -> None:
    """Control characters, endless names, and quotas that are no numbers."""
    for number, quota in enumerate(("9" * 5_000, "-1", "1e9", "٣", "", "many")):
        person = SourcePerson(
            address=f"p{number}@acme.test", display_name="A\r\nB\x00" + "x" * 10_000, attributes={"quota": quota}
        )
        row = await welcome(person)
        assert row.display_name.startswith("ABx")
        assert len(row.display_name) == 200
        assert row.quota_bytes == 0


async def test_the_local_part_is_folded(welcome) -> None:
    """An address has one form."""
    row = await welcome(SourcePerson(address="Anna.B@ACME.test"))
    assert parse_address(row.address).local_part == "anna.b"
