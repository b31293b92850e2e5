"""Messages to owners and addresses: written in their words, planned for the one commit."""

import pytest

from posthouse.services.administration.messages.post import moment_text, server_mail, size_text
from posthouse.services.journey import steps
from posthouse.store.directory_values import AccountKind, AccountState, PutAccount, PutAlias, PutOffice, PutRoute

QUOTA = {"quota": "1.0 GiB"}


async def deliver(store, mail, name, address, values):
    """Plan a message to an owner and commit it; return what was planned."""
    delivery = await mail.to_owner(name, await store.account(address), values)
    if delivery is not None:
        await store.commit(delivery)
    return delivery


async def test_a_message_reaches_the_inbox_with_its_story(store, mail, inbox, story, settle) -> None:
    """It is from the postmaster of the reader's domain, with the null reverse-path."""
    await settle("message.send", "welcome")
    await store.commit(PutOffice(name="acme", title="Acme & Söhne", must_be_new=False))
    await deliver(store, mail, "welcome", "anna@acme.test", QUOTA)
    (message,) = await inbox("anna@acme.test")
    assert message["Return-Path"] == "<>"
    assert message["Delivered-To"] == "anna@acme.test"
    assert message["From"].addresses[0].addr_spec == "postmaster@acme.test"
    assert message["From"].addresses[0].display_name == "Acme & Söhne"
    assert message["Subject"] == "Welcome to Acme & Söhne"
    assert "1.0 GiB" in message.get_content()
    (step,) = await story("anna@acme.test")
    assert (step.step, step.record["kind"], step.record["to"]) == (steps.NOTICE, "welcome", "anna@acme.test")
    assert await story(message["Message-ID"])


async def test_the_readers_language(store, mail, inbox, settle) -> None:
    """The account's own wins over the domain's."""
    await settle("message.send", "welcome")
    await settle("account.language", "fr", "domain:acme.test")
    await store.commit(PutAccount(address="anna@acme.test", language="de-AT", must_be_new=False))
    for each in ("anna@acme.test", "ben@acme.test"):
        await deliver(store, mail, "welcome", each, QUOTA)
    assert [(await inbox(each))[0]["Content-Language"] for each in ("anna@acme.test", "ben@acme.test")] == ["de", "fr"]


async def test_who_is_not_written_to(store, mail, settle) -> None:
    """Where the setting leaves it out, where nobody reads, where nobody is."""
    values = {"quota": ""}
    assert await deliver(store, mail, "welcome", "anna@acme.test", values) is None  # greets nobody unless asked to
    await settle("message.send", "welcome", "domain:acme.test")
    assert await deliver(store, mail, "welcome", "zoe@sister.test", values) is None
    for more in ({"state": AccountState.DISABLED}, {"kind": AccountKind.SHARED, "state": AccountState.ACTIVE}):
        await store.commit(PutAccount(address="anna@acme.test", must_be_new=False, **more))
        assert await deliver(store, mail, "welcome", "anna@acme.test", values) is None
    held = {"account": "x@acme.test", "until": "", "at": "", "by": "", "client": ""}
    await settle("message.send", "account-held")
    assert await mail.to_address("account-held", "nobody@acme.test", held) is None
    assert await mail.to_address("account-held", "no address", held) is None


async def test_an_address_may_lead_to_others(store, mail, inbox, settle) -> None:
    """The postmaster is whoever answers for the domain; elsewhere it is queued with the null reverse-path."""
    await settle("message.send", "account-held")
    held = {"account": "x@acme.test", "until": "soon", "at": "now", "by": "root", "client": ""}
    await store.commit(await mail.to_address("account-held", "postmaster@acme.test", held))
    assert "x@acme.test" in (await inbox("admin@acme.test"))[0]["Subject"]
    await store.commit(
        PutAlias(address="away@acme.test", targets=("x@far.test",)), PutRoute(domain="far.test", host="relay.test")
    )
    await store.commit(await mail.to_address("account-held", "away@acme.test", held))
    (row,) = await store.queue_rows()
    assert (row.address, row.reverse_path, row.notify) == ("x@far.test", "", "NEVER")


async def test_another_sender(store, mail, inbox, settle) -> None:
    """``message.from`` says whom people see, and where answers go."""
    await settle("message.send", "welcome")
    await settle("message.from", "help@acme.test", "domain:acme.test")
    await deliver(store, mail, "welcome", "anna@acme.test", QUOTA)
    (message,) = await inbox("anna@acme.test")
    assert message["From"].addresses[0].addr_spec == "help@acme.test"
    assert "write to help@acme.test" in message.get_content()


async def test_a_full_mailbox_takes_them(store, mail, inbox, settle) -> None:
    """They rank over quota: a warning that the mailbox is full must arrive."""
    await settle("message.send", "welcome")
    await store.commit(PutAccount(address="anna@acme.test", quota_bytes=1, must_be_new=False))
    await deliver(store, mail, "welcome", "anna@acme.test", QUOTA)
    assert len(await inbox("anna@acme.test")) == 1


async def test_a_desk_has_one_writer(desk) -> None:
    """Queue ids stay unique because they come from one source."""
    assert server_mail(desk) is server_mail(desk)


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, ""), (1, "1 octets"), (1023, "1023 octets"), (1024, "1.0 KiB"), (1 << 30, "1.0 GiB"), (1 << 60, "1.0 EiB")],
)
def test_sizes(octets, text) -> None:
    """In the largest unit that makes sense."""
    assert size_text(octets) == text


def test_moments() -> None:
    """In UTC, so that nobody has to guess."""
    assert moment_text(1_700_000_000.0) == "2023-11-14 22:13 UTC"
