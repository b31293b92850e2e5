"""Exports as operations: forms, reach, secrets."""

from __future__ import annotations

import json

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import export
from tests.support.desks import caller_of, do
from tests.support.stores import delivery


async def text_of(download):
    return b"".join([piece async for piece in download.chunks]).decode()


async def test_accounts_as_csv(desk):
    """The usual fields, or those that are asked for."""
    done = await do(desk, export.accounts, domain="acme.test")
    assert (done.media_type, done.name) == ("text/csv", "accounts.csv")
    lines = (await text_of(done)).splitlines()
    assert lines[0].startswith("address,name,")
    assert [line.split(",")[0] for line in lines[1:]] == [
        "admin@acme.test", "anna@acme.test", "ben@acme.test", "boss@acme.test"]  # fmt: skip
    done = await do(desk, export.accounts, fields="level, address", format="jsonl", domain="rival.test")
    assert [json.loads(line) for line in (await text_of(done)).splitlines()] == [
        {"level": "office", "address": "chief@rival.test"},
        {"level": "user", "address": "rita@rival.test"},
    ]


async def test_the_other_tables(desk):
    """Domains, aliases and groups."""
    assert "acme.test,acme" in await text_of(await do(desk, export.domains))
    for operation in (export.aliases, export.groups):
        assert (await text_of(await do(desk, operation))).startswith("address,")


async def test_everybody_sees_his_own_reach(desk):
    """A domain's administrator his domain, whatever he asks for."""
    admin = await caller_of(desk.store, "admin@acme.test")
    text = await text_of(await do(desk, export.accounts, admin, fields="address"))
    assert set(text.split()[1:]) == {"admin@acme.test", "anna@acme.test", "ben@acme.test", "boss@acme.test"}
    text = await text_of(await do(desk, export.domains, admin, fields="name"))
    assert text.split()[1:] == ["acme.test"]
    with pytest.raises(Refused) as caught:
        await do(desk, export.accounts, admin, domain="rival.test")
    assert caught.value.kind is Kind.FORBIDDEN
    boss = await caller_of(desk.store, "boss@acme.test")
    text = await text_of(await do(desk, export.accounts, boss, fields="address,office"))
    assert "rival" not in text
    assert "zoe@sister.test,acme" in text


async def test_password_hashes_are_the_servers(desk):
    """Nobody else takes them out."""
    boss = await caller_of(desk.store, "boss@acme.test")
    with pytest.raises(Refused) as caught:
        await do(desk, export.accounts, boss, fields="address,password_hash")
    assert caught.value.kind is Kind.FORBIDDEN
    assert "password_hash" in await text_of(await do(desk, export.accounts, fields="address,password_hash"))


async def test_a_field_there_is_not(desk):
    """Is told before anything is written."""
    with pytest.raises(Refused, match="accounts have no field shoe"):
        await do(desk, export.accounts, fields="shoe")


@pytest.mark.parametrize(("form", "media", "name"), [("mbox", "application/mbox", "anna@acme.test.mbox"),
                                                     ("maildir", "application/x-tar", "anna@acme.test.tar")])  # fmt: skip
async def test_a_mailbox(desk, form, media, name):
    """Its owner takes it out, or an administrator."""
    row = await desk.store.account("anna@acme.test")
    await desk.store.commit(delivery(row.id, "Hello there"))
    for who in ("anna@acme.test", "admin@acme.test", "root@own.test"):
        done = await do(desk, export.mailbox, await caller_of(desk.store, who), address="anna@acme.test", format=form)
        assert (done.media_type, done.name) == (media, name)
        assert "Hello there" in await text_of(done)


REFUSED = [
    pytest.param("ben@acme.test", "", Kind.FORBIDDEN, id="somebody else"),
    pytest.param("chief@rival.test", "", Kind.FORBIDDEN, id="another post office"),
    pytest.param("anna@acme.test", "Nothing", Kind.MISSING, id="a mailbox there is not"),
]


@pytest.mark.parametrize(("who", "mailbox", "kind"), REFUSED)
async def test_a_mailbox_that_is_not_ones_own(desk, who, mailbox, kind):
    """Is refused before an octet is read."""
    with pytest.raises(Refused) as caught:
        await do(desk, export.mailbox, await caller_of(desk.store, who), address="anna@acme.test", mailbox=mailbox)
    assert caught.value.kind is kind
