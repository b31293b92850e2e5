"""Domains, accounts, aliases, routes, settings, duties, journeys."""

import pytest

from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.directory_rows import AliasRow, RouteRow
from posthouse.store.directory_values import (
    AccountState,
    Level,
    PutAccount,
    PutAlias,
    PutDomain,
    PutRoute,
    PutSetting,
    RemoveAccount,
    RemoveAlias,
    RemoveDomain,
    RemoveRoute,
)
from posthouse.store.values import JourneyEntry, Note, TakeDuty
from tests.support.stores import EPOCH, delivery, furnish, new_queue_id


async def test_domains(store):
    """Domains are added, changed by name, listed in order and removed."""
    await store.commit(PutDomain(name="b.example"))
    await store.commit(PutDomain(name="a.example", alias_of="b.example"))
    await store.commit(PutDomain(name="b.example", disabled=True, catch_all="x@b.example", must_be_new=False))
    assert [(row.name, row.alias_of, row.disabled, row.catch_all) for row in await store.domains()] == [
        ("a.example", "b.example", False, ""),
        ("b.example", "", True, "x@b.example"),
    ]
    assert await store.domain("c.example") is None
    with pytest.raises(NotAllowed):
        await store.commit(RemoveDomain(name="b.example"))
    await store.commit(RemoveDomain(name="a.example"))
    await store.commit(RemoveDomain(name="b.example"))
    assert await store.domains() == []


DOMAIN_RULES = [
    pytest.param(PutDomain(name="example.org"), AlreadyExists, id="it is there"),
    pytest.param(PutDomain(name="new.example", alias_of="nowhere.example"), Vanished, id="alias of nothing"),
    pytest.param(PutDomain(name="new.example", alias_of="new.example"), Vanished, id="alias of itself, new"),
    pytest.param(PutDomain(name="empty.example", alias_of="empty.example", must_be_new=False), NotAllowed, id="alias of itself"),
    pytest.param(PutDomain(name="new.example", alias_of="alias.example"), NotAllowed, id="alias of an alias"),
    pytest.param(PutDomain(name="example.org", alias_of="empty.example", must_be_new=False), NotAllowed, id="with accounts"),
    pytest.param(RemoveDomain(name="nowhere.example"), Vanished, id="remove nothing"),
    pytest.param(RemoveDomain(name="example.org"), NotAllowed, id="remove with accounts"),
    pytest.param(PutAccount(address="x@nowhere.example"), Vanished, id="account in no domain"),
    pytest.param(PutAccount(address="x@alias.example"), NotAllowed, id="account in an alias domain"),
    pytest.param(PutAccount(address="ann@example.org"), AlreadyExists, id="account taken"),
    pytest.param(PutAccount(address="sales@example.org"), AlreadyExists, id="account taken by an alias"),
    pytest.param(PutAlias(address="sales@example.org", targets=("x@y",)), AlreadyExists, id="alias taken"),
    pytest.param(PutAlias(address="ann@example.org", targets=("x@y",)), AlreadyExists, id="alias taken by an account"),
    pytest.param(PutAlias(address="ann@example.org", targets=("x@y",), must_be_new=False), AlreadyExists, id="alias over an account"),
    pytest.param(PutAlias(address="x@nowhere.example", targets=("x@y",)), Vanished, id="alias in no domain"),
    pytest.param(PutAlias(address="x@example.org", targets=()), NotAllowed, id="alias to nobody"),
    pytest.param(RemoveAccount(address="x@example.org"), Vanished, id="remove no account"),
    pytest.param(RemoveAlias(address="x@example.org"), Vanished, id="remove no alias"),
    pytest.param(RemoveRoute(domain="x.example"), Vanished, id="remove no route"),
    pytest.param(PutRoute(domain="*", host="other"), AlreadyExists, id="route taken"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "refusal"), DOMAIN_RULES)
async def test_rules_of_the_directory(store, value, refusal):
    """A change that breaks a rule is refused and does not count as a change."""
    await furnish(store, "ann@example.org")
    await store.commit(PutDomain(name="empty.example"))
    await store.commit(PutDomain(name="alias.example", alias_of="example.org"))
    await store.commit(PutAlias(address="sales@example.org", targets=("ann@example.org",)))
    await store.commit(PutRoute(domain="*", host="smart"))
    version = await store.directory_version()
    with pytest.raises(refusal):
        await store.commit(value)
    assert await store.directory_version() == version


async def test_accounts(store):
    """Accounts are found by address and id, changed field by field, and listed by domain and page."""
    one, two, three = await furnish(store, "b@example.org", "a@example.org", "c@example.net")
    assert (
        await store.commit(
            PutAccount(
                address="a@example.org", password_hash="h", display_name="A", level=Level.SERVER, must_be_new=False
            )
        )
        == two
    )
    await store.commit(
        PutAccount(address="a@example.org", state=AccountState.DISABLED, quota_bytes=7, must_be_new=False)
    )
    row = await store.account("a@example.org")
    assert row == await store.account_by_id(two)
    assert (row.password_hash, row.display_name, row.is_admin, row.disabled, row.quota_bytes) == (
        "h",
        "A",
        True,
        True,
        7,
    )
    assert [found.id for found in await store.accounts()] == [two, one, three]
    assert [found.id for found in await store.accounts(domain="example.org")] == [two, one]
    assert [found.id for found in await store.accounts(after="a@example.org", limit=1)] == [one]
    assert await store.account("x@example.org") is None
    assert await store.account_by_id(99) is None


async def test_a_removed_account_goes_with_its_mail(store):
    """The address is free at once, the mail goes behind it, and the account's id is not used again."""
    one, two = await furnish(store, "a@example.org", "b@example.org")
    delivered = await store.commit(delivery(one))
    await store.commit(PutSetting(name="n", value="1", scope="account:a@example.org"))
    await store.commit(RemoveAccount(address="a@example.org"))
    assert await store.account("a@example.org") is None
    assert await store.settings() == []
    assert await store.verify() == []
    with pytest.raises(Vanished):
        await store.commit(delivery(one))
    await store.housekeep()
    assert await store.mailboxes(one) == []
    with pytest.raises(Vanished):
        await store.read_body(delivered.body, 0, 1)
    assert await store.verify() == []
    again = await store.commit(PutAccount(address="a@example.org"))
    assert again not in {one, two}


async def test_aliases(store):
    """Aliases are added, replaced, listed and removed."""
    await furnish(store, "ann@example.org", "x@example.net")
    await store.commit(PutAlias(address="b@example.org", targets=("ann@example.org", "far@example.com")))
    await store.commit(PutAlias(address="a@example.net", targets=("ann@example.org",)))
    await store.commit(PutAlias(address="b@example.org", targets=("ann@example.org",), must_be_new=False))
    version = await store.directory_version()
    assert await store.alias("b@example.org") == AliasRow("b@example.org", ("ann@example.org",), revision=version)
    assert [row.address for row in await store.aliases()] == ["a@example.net", "b@example.org"]
    assert [row.address for row in await store.aliases(domain="example.org")] == ["b@example.org"]
    await store.commit(RemoveAlias(address="b@example.org"))
    assert await store.alias("b@example.org") is None


async def test_routes(store):
    """Routes are added, replaced, listed and removed."""
    await store.commit(PutRoute(domain="*", host="smart", port=587, tls="must"))
    await store.commit(PutRoute(domain=".in.example", host="gw", recipients_local=True, mx_lookup=True))
    await store.commit(PutRoute(domain="*", host="other", must_be_new=False))
    assert await store.routes() == [
        RouteRow("*", "other", 25, "may", False, False, revision=3),
        RouteRow(".in.example", "gw", 25, "may", True, True, revision=2),
    ]
    await store.commit(RemoveRoute(domain="*"))
    assert len(await store.routes()) == 1


async def test_settings(store):
    """Settings are set in a scope with who and when, changed and unset; each change is a new version."""
    version = await store.directory_version()
    await store.commit(PutSetting(name="n", value="1", by="admin", at=5.0))
    await store.commit(PutSetting(name="n", value="2", scope="domain:example.org"))
    await store.commit(PutSetting(name="n", value="3", by="admin", at=6.0))
    assert [(row.name, row.scope, row.value, row.by, row.at) for row in await store.settings()] == [
        ("n", "domain:example.org", "2", "", EPOCH),
        ("n", "server", "3", "admin", 6.0),
    ]
    await store.commit(PutSetting(name="n", value=None))
    assert len(await store.settings()) == 1
    assert await store.directory_version() == version + 4


async def test_duties(store):
    """A duty is held by one owner until its time is over or renewed."""
    assert await store.commit(TakeDuty(name="d", owner="w1", now=0, until=10))
    assert not await store.commit(TakeDuty(name="d", owner="w2", now=5, until=15))
    assert await store.commit(TakeDuty(name="d", owner="w1", now=9, until=20))
    assert not await store.commit(TakeDuty(name="d", owner="w2", now=15, until=25))
    assert await store.commit(TakeDuty(name="d", owner="w2", now=20, until=30))


DAY = 86_400


async def test_journeys_are_found_by_key_and_time(store):
    """A message is found by any of its keys and by time, newest first, before and after upkeep."""
    ids = [new_queue_id(EPOCH - age * DAY) for age in (0, 1, 2, 3)]
    for number, queue_id in enumerate(ids):
        await store.commit(
            Note(
                journey=(
                    JourneyEntry(
                        queue_id=queue_id, at=1.0, step="received", record={"n": number}, keys=("ann@example.org",)
                    ),
                    JourneyEntry(queue_id=queue_id, at=2.0, step="filed", record={}, keys=(f"<{number}@x>",)),
                )
            )
        )
    await store.commit(
        Note(journey=(JourneyEntry(queue_id=ids[2], at=3.0, step="read", record={}, keys=("ann@example.org",)),))
    )
    for _ in range(2):
        assert await store.journey_find(key="ann@example.org") == ids
        assert await store.journey_find(key="ann@example.org", limit=2) == ids[:2]
        assert await store.journey_find(key="<2@x>") == [ids[2]]
        assert await store.journey_find(key="nobody@example.org") == []
        assert (
            await store.journey_find(key="ann@example.org", since=EPOCH - 2.5 * DAY, until=EPOCH - DAY / 2) == ids[1:3]
        )
        assert await store.journey_find(since=EPOCH - 1.5 * DAY) == ids[:2]
        assert await store.journey_find(until=EPOCH - 1.5 * DAY, limit=1) == [ids[2]]
        assert [(row.step, row.at, row.record) for row in await store.journey(ids[2])] == [
            ("received", 1.0, {"n": 2}),
            ("filed", 2.0, {}),
            ("read", 3.0, {}),
        ]
        await store.housekeep(keep_journey=30 * DAY)
    await store.housekeep(keep_journey=1.5 * DAY)
    assert await store.journey_find() == ids[:2]
    assert await store.journey(ids[3]) == []
    assert await store.verify() == []
