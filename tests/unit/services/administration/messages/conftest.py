"""A desk on an open store with people, and ways to read what reached their mailboxes."""

from email import message_from_bytes, policy

import pytest

from posthouse.services.administration.messages.post import server_mail
from posthouse.services.identity.inheritance import load_settings
from posthouse.store.contract import Store
from posthouse.store.directory_values import PutSetting
from posthouse.store.rows import Field
from tests.support.desks import make_desk, people


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return the desk."""
    await people(store)
    return make_desk(store, store_clock, tmp_path)


@pytest.fixture
def mail(desk):
    """Return what writes messages for the desk."""
    return server_mail(desk)


@pytest.fixture
def inbox(store: Store):
    """Return what reads all messages of an account's inbox, parsed, oldest first."""

    async def read(address):
        account = await store.account(address)
        box = await store.mailbox_named(account.id, "INBOX")
        rows = await store.messages(account.id, box.id, [(1, 1 << 32)], [Field.BODY_ID, Field.CONTENT, Field.PREFIX])
        found = []
        for body, kept, prefix in rows:
            content = prefix + (kept if kept is not None else await store.read_body(body, 0, 1 << 24))
            found.append(message_from_bytes(content, policy=policy.default))
        return found

    return read


@pytest.fixture
def story(store: Store):
    """Return what finds the steps of the newest message with a key."""

    async def find(key):
        newest = (await store.journey_find(key=key))[0]
        return await store.journey(newest)

    return find


@pytest.fixture
def settle(desk, store):
    """Return what sets a setting, as the desk sees it at once."""

    async def put(name, value, scope="server"):
        await store.commit(PutSetting(name=name, value=value, scope=scope))
        assert not await load_settings(store, desk.settings)

    return put
