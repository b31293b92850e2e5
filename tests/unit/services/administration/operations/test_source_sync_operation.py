"""Synchronising: accounts and groups follow a source, within the limits, again and again, and a dry run tells before."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account, source, source_sync
from posthouse.services.identity.sources.contract import QuietSource, SourceDown, SourceGroup, SourcePerson
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import AccountState
from tests.support.desks import do


class Listed(QuietSource):
    """A source that lists what the test wants."""

    def __init__(self) -> None:
        super().__init__("corp")
        self.everybody: list[SourcePerson] = []
        self.teams: list[SourceGroup] = []
        self.is_down = False

    async def people(self):
        for person in self.everybody:
            yield person
        if self.is_down:
            raise SourceDown("cut off in the middle")

    async def groups(self):
        for group in self.teams:
            yield group

    async def test(self):
        raise NotImplementedError


@pytest.fixture
async def corp(desk, monkeypatch):
    """Return a source that lists three people and a group."""
    made = Listed()
    made.everybody = [
        SourcePerson(address=f"{name}@acme.test", display_name=name.title(), external_id=f"u-{name}")
        for name in ("kim", "lee", "max")
    ]
    made.teams = [SourceGroup(name="Team", address="team@acme.test", members=("kim@acme.test", "lee@acme.test"))]
    await do(desk, source.add, name="corp", kind="pam", config=[])
    monkeypatch.setattr(source_sync, "opened_source", lambda desk, row: made)
    return made


async def sync(desk, **more):
    """Synchronise acme.test."""
    return await do(desk, source_sync.sync, name="corp", domains=["acme.test"], **more)


def set_in(desk, **values: str) -> None:
    """Set settings of acme.test."""
    rows = [SettingRow(name.replace("__", "."), "domain:acme.test", value, "", 0.0) for name, value in values.items()]
    desk.settings = Settings(rows)


async def test_people_and_groups_are_made_and_found_done(desk, corp) -> None:
    """The second time there is nothing to do; each change has its trace."""
    assert (await sync(desk, dry_run=True)).counts == {"made": 3, "groups_made": 1}
    assert await desk.store.account("kim@acme.test") is None
    done = await sync(desk)
    assert (done.counts, done.complete, done.left_out_count) == ({"made": 3, "groups_made": 1}, True, 0)
    row = await desk.store.account("kim@acme.test")
    assert (row.source, row.external_id, row.display_name) == ("corp", "u-kim", "Kim")
    assert await desk.store.members("team@acme.test") == ["kim@acme.test", "lee@acme.test"]
    traced = [entry.subject for entry in await desk.store.audit() if entry.operation == "source.sync"]
    assert sorted(traced) == [
        "account:kim@acme.test", "account:lee@acme.test", "account:max@acme.test", "group:team@acme.test",
    ]  # fmt: skip
    assert (await sync(desk)).counts == {}


async def test_changes_are_followed(desk, corp) -> None:
    """Names, members, people who are shut out; groups that are gone."""
    await sync(desk)
    corp.everybody[0] = SourcePerson(address="kim@acme.test", display_name="Kimberly", external_id="u-kim")
    corp.everybody[1] = SourcePerson(address="lee@acme.test", external_id="u-lee", is_disabled=True)
    corp.teams[0] = SourceGroup(name="Team", address="team@acme.test", members=("kim@acme.test", "max@acme.test"))
    assert (await sync(desk)).counts == {"changed": 1, "disabled": 1, "groups_changed": 1}
    assert (await desk.store.account("kim@acme.test")).display_name == "Kimberly"
    assert (await desk.store.account("lee@acme.test")).state is AccountState.SIGN_IN_DISABLED
    assert await desk.store.members("team@acme.test") == ["kim@acme.test", "max@acme.test"]
    corp.teams = []
    assert (await sync(desk)).counts == {"groups_removed": 1}
    assert await desk.store.group("team@acme.test") is None


async def test_what_was_made_here_is_left_alone(desk, corp) -> None:
    """Anna's account, a group of an administrator's, people of other domains; the report says so."""
    corp.everybody += [
        SourcePerson(address="anna@acme.test", display_name="Taken Over"),
        SourcePerson(address="rita@rival.test"),
        SourcePerson(address="a\nb@acme.test"),
    ]
    await do(desk, account.add, address="sam@acme.test")
    done = await sync(desk)
    assert done.counts["made"] == 3
    assert {left.what for left in done.left_out} >= {"anna@acme.test", "rita@rival.test"}
    assert (await desk.store.account("anna@acme.test")).display_name != "Taken Over"


async def test_limits_hold_and_the_others_are_made(desk, corp) -> None:
    """One of a batch that does not fit does not keep the rest out."""
    set_in(desk, limit__accounts=str(len(await desk.store.accounts(domain="acme.test")) + 2))
    done = await sync(desk)
    assert done.counts["made"] == 2
    assert done.left_out[0].what == "max@acme.test"
    assert "limit" in done.left_out[0].why


async def test_those_who_are_gone(desk, corp) -> None:
    """Kept unless a setting says otherwise; many at once are kept even then."""
    await sync(desk)
    gone = corp.everybody.pop()
    assert (await sync(desk)).counts == {}
    set_in(desk, auth__source_gone="disable", auth__source_gone_limit="40")
    corp.everybody.clear()
    many = await sync(desk)
    assert (many.counts, many.left_out_count) == ({}, 1)
    assert "none was disabled" in many.left_out[0].why
    corp.everybody = [SourcePerson(address=f"{name}@acme.test", external_id=f"u-{name}") for name in ("kim", "lee")]
    assert (await sync(desk)).counts == {"disabled": 1}
    assert (await desk.store.account(gone.address)).state is AccountState.SIGN_IN_DISABLED


async def test_a_list_that_is_cut_off_changes_nothing(desk, corp) -> None:
    """Everybody is read before anything is written."""
    corp.is_down = True
    with pytest.raises(Refused) as caught:
        await sync(desk)
    assert caught.value.kind is Kind.UNAVAILABLE
    assert await desk.store.account("kim@acme.test") is None


async def test_a_domain_that_is_not_ours_and_a_source_that_is_not_there(desk, corp) -> None:
    """Each is named."""
    with pytest.raises(Refused) as caught:
        await do(desk, source_sync.sync, name="corp", domains=["elsewhere.test"])
    assert caught.value.field == "domains"
    with pytest.raises(Refused) as caught:
        await do(desk, source_sync.sync, name="none", domains=["acme.test"])
    assert caught.value.kind is Kind.MISSING
