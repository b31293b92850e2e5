"""App passwords as operations: whose, shown once, with scopes and an end, revoked; who may make them for whom."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from posthouse.config.settings import Settings
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import app_password, shared
from posthouse.services.identity.app_passwords import app_password_verifier
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import CredentialKind
from tests.support.desks import caller_of, do

ANNA = "anna@acme.test"
DAY = 86_400


async def rows(desk, account=ANNA):
    """Return what is kept."""
    return await desk.store.credentials(account, CredentialKind.APP_PASSWORD)


async def test_one_makes_lists_and_revokes_his_own(desk, store_clock) -> None:
    """Shown once and found by its digest; lists and the audit log hold no secret."""
    anna = await caller_of(desk.store, ANNA)
    made = await do(desk, app_password.add, anna, name="phone", scopes=["smtp", "imap", "imap"], days=30)
    assert (made.account, made.scopes) == (ANNA, ["imap", "smtp"])
    assert made.expires.timestamp() == store_clock.now() + 30 * DAY
    (row,) = await rows(desk)
    owner = await desk.store.account(ANNA)
    assert row.verifier == app_password_verifier(owner.id, made.password.encode())
    page = await do(desk, app_password.list_, anna)
    assert [(each.id, each.name) for each in page.items] == [(made.id, "phone")]
    assert made.password not in str(page) + str(await desk.store.audit())
    await do(desk, app_password.revoke, anna, id=made.id)
    assert await rows(desk) == []
    assert [entry.operation for entry in await desk.store.audit()][:2] == ["app-password.revoke", "app-password.add"]


async def test_a_dry_run_keeps_nothing(desk) -> None:
    """It says what would be."""
    await do(desk, app_password.add, account=ANNA, name="phone", dry_run=True)
    assert await rows(desk) == []


async def test_without_an_end_it_lasts(desk) -> None:
    """Unless a setting says for how long at most."""
    assert (await do(desk, app_password.add, account=ANNA, name="phone")).expires is None
    desk.settings = Settings([SettingRow("auth.app_password_lifetime", "domain:acme.test", "10d", "", 0.0)])
    made = await do(desk, app_password.add, account=ANNA, name="phone")
    assert (made.expires - made.created).days == 10
    with pytest.raises(Refused) as caught:
        await do(desk, app_password.add, account=ANNA, name="phone", days=11)
    assert (caught.value.field, caught.value.kind) == ("days", Kind.LIMIT)


async def test_how_many_is_limited(desk) -> None:
    """The refusal names the setting."""
    desk.settings = Settings([SettingRow("auth.app_password_count", "server", "2", "", 0.0)])
    for _ in range(2):
        await do(desk, app_password.add, account=ANNA, name="phone")
    with pytest.raises(Refused, match="2 app passwords already") as caught:
        await do(desk, app_password.add, account=ANNA, name="phone")
    assert "auth.app_password_count" in caught.value.remedy


async def test_administrators_make_them_for_those_below(desk) -> None:
    """Not for equals or those above, not for others' people, not for oneself through another."""
    admin = await caller_of(desk.store, "admin@acme.test")
    assert (await do(desk, app_password.add, admin, account=ANNA, name="phone")).account == ANNA
    for account in ("boss@acme.test", "rita@rival.test", "nobody@nothing.test"):
        with pytest.raises(Refused) as caught:
            await do(desk, app_password.add, admin, account=account, name="phone")
        assert caught.value.kind is Kind.FORBIDDEN


async def test_nobody_gets_the_api_by_an_app_password_who_has_it_not(desk) -> None:
    """A token that may only make app passwords makes none that may everything."""
    narrow = await caller_of(desk.store, ANNA, scopes=frozenset({"app-password:write"}))
    with pytest.raises(Refused) as caught:
        await do(desk, app_password.add, narrow, name="x", scopes=["api"])
    assert caught.value.field == "scopes"
    assert (await do(desk, app_password.add, narrow, name="x", scopes=["imap"])).scopes == ["imap"]
    anna = await caller_of(desk.store, ANNA)
    assert (await do(desk, app_password.add, anna, name="x", scopes=["api"])).scopes == ["api"]


async def test_whose_must_be_said_on_the_machine(desk) -> None:
    """And a shared mailbox has none."""
    with pytest.raises(Refused) as caught:
        await do(desk, app_password.add, name="phone")
    assert caught.value.field == "account"
    await do(desk, shared.add, address="info@acme.test")
    with pytest.raises(Refused, match="nobody signs in as it"):
        await do(desk, app_password.add, account="info@acme.test", name="phone")


async def test_one_does_not_revoke_somebody_elses(desk) -> None:
    """An id of another account is not there."""
    made = await do(desk, app_password.add, account=ANNA, name="phone")
    ben = await caller_of(desk.store, "ben@acme.test")
    with pytest.raises(Refused) as caught:
        await do(desk, app_password.revoke, ben, id=made.id)
    assert caught.value.kind is Kind.MISSING
    assert len(await rows(desk)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 201},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "days": -1},
        {"name": "x", "days": 4_000},
        {"name": "x", "surprise": 1},
        {"name": "x", "account": "x" * 2_000},
    ],
    ids=str,
)
async def test_inputs_that_are_refused(desk, fields) -> None:
    """Each before anything is done."""
    with pytest.raises(ValidationError):
        await do(desk, app_password.add, **{"account": ANNA, **fields})


async def test_pages(desk) -> None:
    """Each app password is on one page."""
    made = {(await do(desk, app_password.add, account=ANNA, name=str(number))).id for number in range(5)}
    seen, cursor = [], ""
    while True:
        page = await do(desk, app_password.list_, account=ANNA, limit=2, cursor=cursor)
        seen += [each.id for each in page.items]
        cursor = page.next
        if not cursor:
            break
    assert sorted(made) == seen
