"""The columns kept in memory are those of the store, whatever happened in between; searches agree with them."""

from __future__ import annotations

import random
import time

import pytest

from posthouse.core.flags import Flag
from posthouse.message.scan import scan
from posthouse.services.mailstore import criteria as c
from posthouse.services.mailstore.append import Placement, append
from posthouse.services.mailstore.columns import ColumnCache
from posthouse.services.mailstore.content import Contents
from posthouse.services.mailstore.search import Searcher
from posthouse.services.mailstore.slices import ranges_from_uids
from posthouse.store.directory_values import PutAccount, PutDomain
from posthouse.store.open import open_store
from posthouse.store.rows import Field
from posthouse.store.values import Delivery, Expunge, Filing, FlagChange, FlagMode, NewEmail

MESSAGE = b"Subject: hello\r\n\r\nbody\r\n"


class Clock:
    """The machine's clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


@pytest.fixture
async def store(tmp_path):
    """An open store with one account."""
    made = open_store("sqlite:///store.db", worker=0, home=tmp_path, clock=Clock())
    await made.open()
    await made.commit(PutDomain(name="example.test"))
    await made.commit(PutAccount(address="ann@example.test"))
    yield made
    await made.close()


async def filled(store, count):
    """Return the account and its inbox with so many messages."""
    account = await store.account("ann@example.test")
    inbox = await store.mailbox_named(account.id, "INBOX")
    email = NewEmail(content=MESSAGE, facts=scan(MESSAGE).facts())
    deliveries = [
        Delivery(email=email, filings=(Filing(account=account.id, internal_date=1000 + n),)) for n in range(count)
    ]
    await store.commit(*deliveries)
    return account.id, inbox.id


async def test_columns_follow_every_change(store):
    """After each of many random changes the kept columns equal what the store says."""
    account, inbox = await filled(store, 200)
    cache, chance = ColumnCache(store), random.Random(7)
    for step in range(60):
        known = await store.uids(account, inbox)
        chosen = ranges_from_uids(sorted(chance.sample(list(known), chance.choice([1, 3, 100]))))
        kind = step % 4
        if kind == 0:
            await store.commit(
                FlagChange(
                    account=account, mailbox=inbox, uids=chosen, mode=FlagMode.ADD, flags=Flag.FLAGGED, keywords=("a",)
                )
            )
        elif kind == 1:
            await store.commit(
                FlagChange(account=account, mailbox=inbox, uids=chosen, mode=FlagMode.REPLACE, flags=Flag.SEEN)
            )
        elif kind == 2:
            await store.commit(Expunge(account=account, mailbox=inbox, uids=chosen[:2], only_deleted=False))
        else:
            await append(store, MESSAGE, Placement(account=account, mailbox=inbox, internal_date=5, keywords=("b",)))
        columns = await cache.get(account, inbox, 1000)
        truth = await store.messages(account, inbox, [(1, 2**32 - 1)], (Field.UID, Field.FLAGS, Field.KEYWORDS))
        assert columns.rows([(1, 2**32 - 1)]) == truth


async def test_a_few_messages_do_not_make_the_cache_read_all(store):
    """Where little is wanted of a mailbox that is not kept, the store is asked."""
    account, inbox = await filled(store, 200)
    cache = ColumnCache(store)
    assert await cache.get(account, inbox, 3) is None
    assert await cache.get(account, inbox, 200) is not None
    assert await cache.get(account, inbox, 3) is not None
    assert await cache.get(account, 999, 200) is None


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (c.Everything(), [1, 2, 3, 4]),
        (c.HasFlag(Flag.SEEN), [2]),
        (c.Not(c.HasFlag(Flag.SEEN)), [1, 3, 4]),
        (c.HasFlag(Flag.DELETED), []),
        (c.HasKeyword("KW"), [3]),
        (c.And((c.Not(c.HasFlag(Flag.SEEN)), c.Uids(((2, 3),)))), [3]),
        (c.Or((c.HasFlag(Flag.SEEN), c.HeaderContains("x-missing", ""))), [2]),
        (c.And((c.HasFlag(Flag.SEEN), c.BodyContains("BODY"), c.Uids(((1, 1), (2, 9))))), [2]),
        (c.Not(c.BodyContains("body")), []),
        (c.Between(Field.INTERNAL_DATE, 1001, 1003), [2, 3]),
        (c.Between(Field.SIZE, None, 5), []),
        (c.HeaderContains("subject", "HELL"), [1, 2, 3, 4]),
        (c.SentBetween(0, 10**6), []),
        (c.BodyContains(""), [1, 2, 3, 4]),
    ],
)
async def test_searches(store, criterion, expected):
    """Criteria from memory, rows and content, alone and together."""
    account, inbox = await filled(store, 4)
    seen = FlagChange(account=account, mailbox=inbox, uids=[(2, 2)], mode=FlagMode.ADD, flags=Flag.SEEN)
    await store.commit(
        seen, FlagChange(account=account, mailbox=inbox, uids=[(3, 3)], mode=FlagMode.ADD, keywords=("kw",))
    )
    searcher = Searcher(store, Clock(), Contents(store), ColumnCache(store))
    found = await searcher.search(account, inbox, await store.uids(account, inbox), criterion)
    assert found.uids == expected
