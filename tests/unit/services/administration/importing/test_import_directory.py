"""The directory as sink: what is there, what is written, defaults and limits."""

from __future__ import annotations

import pytest

from posthouse.services.administration.call import refused
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing.apply import Existing, Importer, ImportOptions, Source
from posthouse.services.administration.importing.directory_sink import DirectorySink, Surroundings
from posthouse.services.administration.importing.records import (
    ImportedAccount,
    ImportedAddress,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    ImportedRoute,
    ImportedSetting,
)
from posthouse.services.administration.importing.sink import Standing
from posthouse.store.contract import StoreRefusal
from posthouse.store.directory_values import AccountState, AliasKind, Ceilings, Level, PutAccount, SenderPolicy
from posthouse.testing.clock import FakeClock
from tests.support.stores import make_store

THINGS = (
    ImportedOffice(where="w", name="acme", title="Acme Ltd"),
    ImportedDomain(where="w", name="example.org", office="acme", catch_all="anna@example.org", postmaster="p@x.example"),
    ImportedDomain(where="w", name="example.net", alias_of="example.org"),
    ImportedAccount(
        where="w", address="anna@example.org", password_hash="{SSHA512}x", name="Anna", given_name="A",
        family_name="B", quota_bytes=1000, quota_messages=10, level=Level.DOMAIN, external_id="7",
    ),
    ImportedAccount(where="w", address="bert@example.org", state=AccountState.DISABLED),
    ImportedAddress(where="w", address="a@example.org", account="anna@example.org"),
    ImportedAlias(where="w", address="info@example.org", targets=("anna@example.org", "x@elsewhere.example")),
    ImportedAlias(where="w", address="gone@example.org", targets=("n@elsewhere.example",), kind=AliasKind.RELOCATED),
    ImportedGroup(where="w", address="team@example.org", name="Team", senders=SenderPolicy.LISTED, listed=("x@y.example",)),
    ImportedGroup(where="w", address="team@example.org", members=("anna@example.org",), is_more=True),
    ImportedRoute(where="w", domain="*", host="smart.example", port=587, login="us", password=b"pw"),
    ImportedSetting(where="w", name="smtp.message_size", value="64M"),
)  # fmt: skip


@pytest.fixture
async def store(tmp_path):
    """Return an open, empty store."""
    async with make_store(tmp_path / "home") as opened:
        yield opened


def sink_of(store, **around):
    commits = []

    async def commit(changes, things):
        commits.append(len(changes))
        try:
            await store.commit(*changes)
        except StoreRefusal as refusal:
            raise refused(refusal) from None

    around.setdefault("seal", lambda secret, purpose: f"sealed {purpose}")
    sink = DirectorySink(store, FakeClock(), Surroundings(commit=commit, **around))
    return sink, commits


async def imported(store, *things, options=None, **around):
    async def hashed(password):
        return "h"

    sink, commits = sink_of(store, **around)
    source = Source(name="s", kind="k", fingerprint="abcdef01", records=lambda: iter(things))
    report = await Importer(sink, FakeClock(), hashed).run(source, options or ImportOptions())
    return report, commits


async def test_everything_finds_its_place(store):
    """Every kind of record is in the directory afterwards, as it says, written in one commit."""
    report, commits = await imported(store, *THINGS)
    assert report.problems == []
    assert commits == [len(THINGS)]
    assert (await store.office("acme")).title == "Acme Ltd"
    domain = await store.domain("example.org")
    assert (domain.office, domain.catch_all, domain.postmaster) == ("acme", "anna@example.org", "p@x.example")
    assert (await store.domain("example.net")).alias_of == "example.org"
    anna = await store.account("a@example.org")
    assert (anna.address, anna.display_name, anna.quota_bytes, anna.level) == (
        "anna@example.org", "Anna", 1000, Level.DOMAIN)  # fmt: skip
    assert (anna.password_hash, anna.external_id) == ("{SSHA512}x", "7")
    assert (await store.account("bert@example.org")).disabled
    assert (await store.alias("info@example.org")).targets == ("anna@example.org", "x@elsewhere.example")
    assert (await store.alias("gone@example.org")).kind is AliasKind.RELOCATED
    group = await store.group("team@example.org")
    assert (group.senders, group.listed, group.members) == (SenderPolicy.LISTED, ("x@y.example",), 1)
    (route,) = await store.routes()
    assert (route.host, route.login, route.sealed_password) == ("smart.example", "us", "sealed route:*")
    assert [(row.name, row.value) for row in await store.settings()] == [("smtp.message_size", "64 MiB")]


@pytest.mark.parametrize("existing", list(Existing))
async def test_a_second_import_changes_nothing(store, existing):
    """Whether or not it may change what is there."""
    await imported(store, *THINGS)
    report, commits = await imported(store, *THINGS, options=ImportOptions(existing=existing))
    assert commits == []
    assert {ending for counts in report.counts.values() for ending in counts} == {"present"}


CHANGED = (
    ImportedDomain(where="w", name="example.org", catch_all="bert@example.org"),
    ImportedAccount(where="w", address="anna@example.org", password_hash="{SSHA512}new", name="Anna C"),
    ImportedAccount(where="w", address="bert@example.org", password_hash="{SSHA512}bert"),
    ImportedAlias(where="w", address="info@example.org", targets=("bert@example.org",)),
    ImportedRoute(where="w", domain="*", host="other.example"),
    ImportedSetting(where="w", name="smtp.message_size", value="96M"),
)


async def test_an_update_brings_things_to_what_the_source_says(store):
    """But nobody's password is replaced; one who has none gets it."""
    await imported(store, *THINGS)
    report, _ = await imported(store, *CHANGED, options=ImportOptions(existing=Existing.UPDATE))
    assert report.problems == []
    assert (await store.domain("example.org")).catch_all == "bert@example.org"
    assert (await store.domain("example.org")).office == "acme"
    anna, bert = await store.account("anna@example.org"), await store.account("bert@example.org")
    assert (anna.display_name, anna.password_hash, anna.quota_bytes) == ("Anna C", "{SSHA512}x", 1000)
    assert (bert.password_hash, bert.state) == ("{SSHA512}bert", AccountState.DISABLED)
    assert (await store.alias("info@example.org")).targets == ("bert@example.org",)
    assert (await store.routes())[0].host == "other.example"


TAKEN = [
    pytest.param(ImportedAccount(where="w", address="info@example.org"), "as an alias", id="account at an alias"),
    pytest.param(ImportedAccount(where="w", address="a@example.org"), "as a further address", id="account at a further"),
    pytest.param(ImportedAccount(where="w", address="team@example.org"), "as a group", id="account at a group"),
    pytest.param(ImportedAddress(where="w", address="bert@example.org", account="anna@example.org"), "as an account", id="address"),
    pytest.param(ImportedAlias(where="w", address="anna@example.org", targets=("b@c.example",)), "as an account", id="alias"),
    pytest.param(ImportedGroup(where="w", address="anna@example.org"), "as an account", id="group"),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "why"), TAKEN)
async def test_an_address_has_one_holder(store, thing, why):
    """What is there already, of whatever kind, stays."""
    await imported(store, *THINGS)
    report, commits = await imported(store, thing, options=ImportOptions(existing=Existing.UPDATE))
    assert why in report.problems[0].detail
    assert commits == []


async def test_one_that_is_refused_does_not_hinder_the_others(store):
    """A batch is halved until it stands alone."""
    people = [ImportedAccount(where=f"f:{n}", address=f"p{n}@example.org") for n in range(20)]
    people[7] = ImportedAccount(where="f:7", address="p7@nowhere.example")
    report, _ = await imported(store, THINGS[0], THINGS[1], *people)
    assert [problem.where for problem in report.problems] == ["f:7"]
    assert report.counts["accounts"] == {"made": 19, "refused": 1}


async def test_limits_are_kept(store):
    """What would pass a ceiling is refused and told; the rest is made."""
    people = [ImportedAccount(where=f"f:{n}", address=f"p{n}@example.org") for n in range(10)]
    report, _ = await imported(store, THINGS[0], THINGS[1], *people, ceilings=lambda home: Ceilings(domain_accounts=4))
    assert report.counts["accounts"] == {"made": 4, "refused": 6}
    assert "limit.accounts is 4" in report.problems[0].detail
    assert (await store.domain("example.org")).accounts == 4


async def test_defaults_fill_what_the_source_does_not_say(store):
    """Quota and language of the domain."""
    await imported(
        store,
        ImportedDomain(where="w", name="example.org"),
        ImportedAccount(where="w", address="anna@example.org"),
        ImportedAccount(where="w", address="bert@example.org", quota_bytes=0),
        quota=lambda domain: 500,
        language=lambda domain: "de",
    )
    anna, bert = await store.account("anna@example.org"), await store.account("bert@example.org")
    assert (anna.quota_bytes, anna.language, bert.quota_bytes) == (500, "de", 0)
    assert anna.created == FakeClock().now()


async def test_a_quota_that_is_not_allowed_is_told(store):
    """And whoever may not be changed is not."""

    def no_more(home, quota):
        if quota > 100:
            raise Refused("quota: too much")

    def above(row):
        raise Refused(f"{row.address} administers more than you do")

    things = (
        ImportedDomain(where="w", name="example.org"),
        ImportedAccount(where="w", address="anna@example.org", quota_bytes=1000),
        ImportedAccount(where="w", address="bert@example.org"),
    )
    report, _ = await imported(store, *things, check_quota=no_more)
    assert [problem.detail for problem in report.problems] == ["quota: too much"]
    change = ImportedAccount(where="w", address="bert@example.org", name="Bert")
    report, _ = await imported(store, change, options=ImportOptions(existing=Existing.UPDATE), check_over=above)
    assert [problem.detail for problem in report.problems] == ["bert@example.org administers more than you do"]


async def test_groups_do_not_contain_themselves(store):
    """The store's refusal is told."""
    groups = (
        ImportedDomain(where="w", name="example.org"),
        ImportedGroup(where="w", address="a@example.org", members=("b@example.org",)),
        ImportedGroup(where="w", address="b@example.org", members=("a@example.org",)),
    )
    report, _ = await imported(store, *groups)
    assert report.problem_count == 1
    assert report.counts["groups"] == {"made": 2}
    assert report.counts["members of groups"] == {"made": 1, "refused": 1}


async def test_without_a_key_passwords_of_routes_are_told(store):
    """Nothing is written in clear."""
    report, _ = await imported(store, THINGS[10], seal=None)
    assert "cannot be kept" in report.problems[0].detail
    assert await store.routes() == []


async def test_an_account_that_went_meanwhile(store):
    """Between the look and the write."""
    sink, _ = sink_of(store)
    thing = ImportedAccount(where="w", address="anna@example.org", name="x")
    (outcome,) = await sink.put([(thing, Standing.OTHER)])
    assert "is gone" in outcome.detail


async def test_somebody_makes_the_account_meanwhile(store):
    """The store refuses, and it is told."""
    await imported(store, ImportedDomain(where="w", name="example.org"))
    await store.commit(PutAccount(address="anna@example.org"))
    sink, _ = sink_of(store)
    (outcome,) = await sink.put([(ImportedAccount(where="w", address="anna@example.org"), Standing.NEW)])
    assert "is an account already" in outcome.detail
