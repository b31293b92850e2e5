"""Warnings that a mailbox fills: in the owner's words, each level once a day, and never an error."""

import pytest

from posthouse.core.errors import Unavailable
from posthouse.services.administration.messages.warner import QuotaLetters
from posthouse.services.reception.room import QuotaWarning
from posthouse.store.directory_values import PutAccount
from posthouse.testing.telemetry import RecordingTelemetry


@pytest.fixture
def telemetry():
    """Return telemetry that keeps what it is told."""
    return RecordingTelemetry()


@pytest.fixture
def letters(store, mail, store_clock, telemetry):
    """Return what writes warnings."""
    return QuotaLetters(store, mail, store_clock, telemetry)


async def warning(store, percent, octets=900):
    """Return a warning about anna's mailbox."""
    await store.commit(PutAccount(address="anna@acme.test", quota_bytes=1_048_576, must_be_new=False))
    return QuotaWarning(account=await store.account("anna@acme.test"), percent=percent, octets=octets, messages=7)


async def test_each_level_once_a_day(store, letters, inbox) -> None:
    """However many workers see it."""
    for percent in (80, 80, 95, 80):
        await letters.warn(await warning(store, percent))
    messages = await inbox("anna@acme.test")
    assert [each["Subject"] for each in messages] == ["Your mailbox is 80 % full", "Your mailbox is 95 % full"]
    assert "holds 900 octets of 1.0 MiB in 7 messages" in messages[0].get_content()


async def test_full_is_another_message(store, letters, inbox) -> None:
    """It says that mail is being refused."""
    await letters.warn(await warning(store, 100))
    (message,) = await inbox("anna@acme.test")
    assert message["Subject"] == "Your mailbox is full"


async def test_a_domain_may_do_without(store, letters, inbox, settle) -> None:
    """``message.send`` of the domain decides."""
    await settle("message.send", "", "domain:acme.test")
    await letters.warn(await warning(store, 80))
    assert not await inbox("anna@acme.test")


@pytest.mark.parametrize("error", [Unavailable("the disk is full", where="store"), RuntimeError("a bug")])
async def test_nothing_that_goes_wrong_reaches_reception(store, letters, telemetry, monkeypatch, error) -> None:
    """The message that filled the mailbox is delivered, and its sender is to hear so."""
    told = await warning(store, 80)

    async def commit(*_, **__):
        raise error

    monkeypatch.setattr(store, "commit", commit)
    await letters.warn(told)
    assert telemetry.names == ["account.quota_warning_failed"]
