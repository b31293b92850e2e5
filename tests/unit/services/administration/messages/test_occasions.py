"""What owners are told of changes: with the change, in its commit, or not at all."""

from dataclasses import replace

import pyotp
import pytest

from posthouse.services.administration.messages import occasions
from posthouse.services.administration.newcomers import AccountsForNewcomers
from posthouse.services.administration.operations import (
    account,
    account_passwords,
    account_stages,
    app_password,
    second_factor,
)
from posthouse.services.identity.sources.contract import SourcePerson
from posthouse.store.directory_values import AccountState, PutAccount
from posthouse.telemetry.log import null_telemetry
from tests.support.desks import caller_of, do

SECRET = "a long enough password"


async def test_a_new_account_is_greeted_where_that_is_wanted(desk, inbox, settle) -> None:
    """After it was made, in its language; a dry run greets nobody."""
    await do(desk, account.add, address="new@acme.test", password=SECRET)
    assert not await inbox("new@acme.test")
    await settle("message.send", "welcome", "domain:acme.test")
    await do(desk, account.add, address="dry@acme.test", password=SECRET, dry_run=True)
    await do(desk, account.add, address="more@acme.test", password=SECRET, language="pl", quota="1G")
    (message,) = await inbox("more@acme.test")
    assert message["Subject"] == "Witamy w acme.test"
    assert "1.0 GiB" in message.get_content()


async def test_an_account_that_cannot_be_greeted_stands(desk, store, settle, monkeypatch) -> None:
    """The answer is that it was made."""
    from posthouse.core.errors import Unavailable
    from posthouse.services.administration.messages.post import ServerMail

    async def fail(*_):
        raise Unavailable("the disk is full", where="store")

    await settle("message.send", "welcome")
    monkeypatch.setattr(ServerMail, "to_owner", fail)
    assert (await do(desk, account.add, address="new@acme.test")).address == "new@acme.test"
    assert await store.account("new@acme.test") is not None


async def test_a_first_password_is_no_change(desk, inbox) -> None:
    """The second one is, and the owner hears who did it and from where; a dry run tells nothing."""
    await do(desk, account_passwords.set_password, address="anna@acme.test", password=SECRET)
    await do(desk, account_passwords.set_password, address="anna@acme.test", password=SECRET + "!", dry_run=True)
    assert not await inbox("anna@acme.test")
    admin = replace(await caller_of(desk.store, "admin@acme.test"), address="192.0.2.9")
    await do(desk, account_passwords.set_password, admin, address="anna@acme.test", password=SECRET + "!")
    (message,) = await inbox("anna@acme.test")
    assert message["Subject"] == "Your password was changed"
    assert "2023-11-14 22:13 UTC, by admin@acme.test from 192.0.2.9" in message.get_content()
    await do(desk, account.set_, address="anna@acme.test", password=SECRET + "?")
    assert len(await inbox("anna@acme.test")) == 2


async def test_the_message_is_in_the_commit_of_the_change(desk, store, inbox, monkeypatch) -> None:
    """A change that fails tells nothing."""
    from posthouse.core.errors import Unavailable

    await do(desk, account_passwords.set_password, address="anna@acme.test", password=SECRET)
    committed = []
    real = store.commit

    async def commit(*changes, **more):
        committed.append([type(each).__name__ for each in changes])
        if len(committed) == 1:
            raise Unavailable("the disk is full", where="store")
        return await real(*changes, **more)

    monkeypatch.setattr(store, "commit", commit)
    with pytest.raises(Unavailable):
        await do(desk, account_passwords.set_password, address="anna@acme.test", password=SECRET + "!")
    assert not await inbox("anna@acme.test")
    await do(desk, account_passwords.set_password, address="anna@acme.test", password=SECRET + "!")
    assert committed[1] == ["PutAccount", "Audit", "Delivery"]
    assert len(await inbox("anna@acme.test")) == 1


async def test_a_new_app_password_is_told(desk, inbox) -> None:
    """With its name and its end, never with its secret."""
    anna = replace(await caller_of(desk.store, "anna@acme.test"), address="192.0.2.9")
    made = await do(desk, app_password.add, anna, name="Téléphone", days=3)
    (message,) = await inbox("anna@acme.test")
    assert message["Subject"] == "A new app password: Téléphone"
    assert "2023-11-17" in message.get_content()
    assert made.password not in message.get_content()


async def test_the_postmaster_hears_of_a_removal_where_that_is_wanted(desk, store, inbox, settle) -> None:
    """And how long the account is held."""
    await do(desk, account_stages.remove, address="ben@acme.test")
    assert not await inbox("admin@acme.test")
    await store.commit(PutAccount(address="ben@acme.test", state=AccountState.ACTIVE, must_be_new=False))
    await settle("message.send", "account-held")
    await do(desk, account_stages.remove, address="ben@acme.test")
    (message,) = await inbox("admin@acme.test")
    assert message["Subject"] == "ben@acme.test was removed and is held until 2023-12-14 22:13 UTC"


async def test_a_second_factor_is_told_when_it_counts(desk, inbox) -> None:
    """Not when it is started; when it is confirmed, changed and stopped, by its owner or above him."""
    anna = await caller_of(desk.store, "anna@acme.test")
    started = await do(desk, second_factor.start, anna)
    assert not await inbox("anna@acme.test")
    code = pyotp.TOTP(started.secret).at(int(desk.clock.now()))
    made = await do(desk, second_factor.confirm, anna, code=code)
    await do(desk, second_factor.recovery_codes, anna, code=made.codes[0])
    await do(desk, second_factor.stop, account="anna@acme.test")
    messages = await inbox("anna@acme.test")
    assert [each["Subject"] for each in messages] == [
        "A second factor protects your account now",
        "The second factor of your account was changed",
        "Your account has no second factor any more",
    ]
    assert "by root" in messages[2].get_content()


async def test_whoever_comes_from_a_source_is_greeted(desk, store, mail, inbox, settle) -> None:
    """An account that was made at a first sign-in is as new as one that an administrator made."""
    await settle("message.send", "welcome")

    async def hello(row):
        await occasions.greet(mail, row, store.commit)

    newcomers = AccountsForNewcomers(store, desk.settings, desk.clock, null_telemetry(), greet=hello)
    assert await newcomers.welcome(SourcePerson(address="new@acme.test", external_id="7"), "ldap") is not None
    assert [each["Subject"] for each in await inbox("new@acme.test")] == ["Welcome to acme.test"]
