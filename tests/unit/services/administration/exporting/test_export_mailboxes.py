"""An account's mail as mbox and as Maildir++, read again by the standard library."""

from __future__ import annotations

import io
import mailbox
import tarfile

import pytest

from posthouse.core.flags import Flag
from posthouse.services.administration.exporting.mailboxes import MailboxExport
from posthouse.store.values import CreateMailbox, Delivery, Expunge, Filing, FlagChange, FlagMode, NewEmail
from tests.support.stores import facts, furnish, make_store

LARGE = b"Subject: large\r\n\r\n" + b"a line of text that goes on\r\n" * 40_000


@pytest.fixture
async def house(tmp_path):
    """Return a store, its account's row: two messages in the inbox, a large one in Work."""
    async with make_store(tmp_path / "home") as store:
        (account,) = await furnish(store, "anna@example.org")
        work = await store.commit(CreateMailbox(account=account, name="Work/Entwürfe"))
        inbox = (await store.mailbox_named(account, "INBOX")).id
        prefix = b"Return-Path: <bert@example.net>\r\n"
        for content, where in (
            (b"Subject: one\r\n\r\nFrom here on\r\n", inbox),
            (b"Subject: two\r\n\r\nno end", inbox),
            (LARGE, work),
        ):
            await store.commit(
                Delivery(email=NewEmail(content=content, facts=facts(content)), filings=(Filing(account=account, mailbox=where, prefix=prefix, internal_date=1_700_000_000),))
            )  # fmt: skip
        flags = {"flags": Flag.SEEN | Flag.FLAGGED, "keywords": ("work",)}
        await store.commit(FlagChange(account=account, mailbox=inbox, uids=[(1, 1)], mode=FlagMode.ADD, **flags))
        yield store, await store.account("anna@example.org"), inbox


async def written(stream):
    return b"".join([piece async for piece in stream])


async def test_mbox(house, tmp_path):
    """Every message with its flags, its mailbox and its text; the library finds as many as there are."""
    store, account, _ = house
    told = []
    text = await written(MailboxExport(store, "mail.example.org").mbox(account, "", lambda *at: told.append(at)))
    path = tmp_path / "anna.mbox"
    path.write_bytes(text)
    box = mailbox.mbox(path)
    one, two, large = box
    assert [each["subject"] for each in box] == ["one", "two", "large"]
    assert (one["status"], one["x-status"], one["x-keywords"], one["x-mailbox"]) == ("RO", "F", "work", "INBOX")
    assert one.get_from().startswith("bert@example.net Tue Nov 14 22:13:20 2023")
    assert one.get_payload() == ">From here on\n"
    assert two.get_payload().rstrip("\n") == "no end"
    assert large.get_payload().count("a line of text") == 40_000
    assert told[-1][:2] == (3, 3)
    box.close()


async def test_maildir(house, tmp_path):
    """The archive unpacks to a Maildir++ whose messages are octet for octet what is stored."""
    store, account, _ = house
    text = await written(MailboxExport(store, "mail.example.org").maildir(account))
    with tarfile.open(fileobj=io.BytesIO(text)) as archive:
        archive.extractall(tmp_path / "md", filter="data")
    root = mailbox.Maildir(tmp_path / "md")
    assert "Work.Entw&APw-rfe" in root.list_folders()
    names = sorted(path.name for path in (tmp_path / "md" / "cur").iterdir())
    assert names[0].endswith(",S=63:2,FSa")
    assert (tmp_path / "md" / "dovecot-keywords").read_text() == "0 work\n"
    (large,) = (tmp_path / "md" / ".Work.Entw&APw-rfe" / "cur").iterdir()
    assert large.read_bytes() == b"Return-Path: <bert@example.net>\r\n" + LARGE
    root.close()


async def test_one_mailbox_alone(house):
    """Where it is named."""
    store, account, _ = house
    text = await written(MailboxExport(store, "h").mbox(account, "Work/Entwürfe"))
    assert text.count(b"\nX-Mailbox: ") == 1


@pytest.mark.parametrize("form", ["mbox", "maildir"])
async def test_a_message_that_goes_meanwhile(house, form):
    """The export stays whole, in either form."""
    store, account, inbox = house
    export = MailboxExport(store, "h")
    pieces = []
    async for piece in getattr(export, form)(account):
        if not pieces:
            await store.commit(Expunge(account=account.id, mailbox=inbox, uids=[(1, 9)], only_deleted=False))
            await store.housekeep()
        pieces.append(piece)
    text = b"".join(pieces)
    assert b"a line of text" in text
    if form == "maildir":
        with tarfile.open(fileobj=io.BytesIO(text)) as archive:
            assert archive.getnames()


async def test_an_empty_account(tmp_path):
    """Has no messages and its folders."""
    async with make_store(tmp_path / "home") as store:
        await furnish(store, "anna@example.org")
        account = await store.account("anna@example.org")
        assert await written(MailboxExport(store, "h").mbox(account)) == b""
        with tarfile.open(fileobj=io.BytesIO(await written(MailboxExport(store, "h").maildir(account)))) as archive:
            assert "cur" in archive.getnames()
