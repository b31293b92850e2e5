"""Flags, expunging, copying, and what changed since."""

import asyncio

import pytest

from posthouse.core.flags import Flag
from posthouse.store.contract import OverQuota, Vanished
from posthouse.store.directory_values import PutAccount
from posthouse.store.rows import Field
from posthouse.store.values import Copy, Expunge, FlagChange, FlagMode
from tests.support.stores import delivery

ALL = ((1, 0xFFFFFFFF),)
FIELDS = (Field.UID, Field.FLAGS, Field.KEYWORDS)


@pytest.fixture
async def filled(store, account, inbox):
    """File ten messages; 3, 6 and 9 are seen, 5 is marked deleted."""
    for uid in range(1, 11):
        flags = Flag.SEEN if uid % 3 == 0 else Flag.DELETED if uid == 5 else Flag.NONE
        await store.commit(delivery(account, flags=flags, keywords=("Old",) if uid == 7 else ()))
    return inbox


CHANGES = [
    pytest.param((FlagMode.ADD, Flag.SEEN, (), [(3, 1, ""), (5, 9, ""), (7, 1, "Old")]), id="add a flag"),
    pytest.param((FlagMode.ADD, Flag.NONE, ("old", "New"), [(3, 1, "old New"), (5, 8, "old New"), (7, 0, "Old New")]), id="add keywords"),
    pytest.param((FlagMode.REMOVE, Flag.DELETED | Flag.SEEN, (), [(3, 0, ""), (5, 0, ""), (7, 0, "Old")]), id="remove flags"),
    pytest.param((FlagMode.REMOVE, Flag.NONE, ("OLD",), [(3, 1, ""), (5, 8, ""), (7, 0, "")]), id="remove a keyword"),
    pytest.param((FlagMode.REPLACE, Flag.DRAFT, ("x",), [(3, 16, "x"), (5, 16, "x"), (7, 16, "x")]), id="replace"),
    pytest.param((FlagMode.REPLACE, Flag.NONE, (), [(3, 0, ""), (5, 0, ""), (7, 0, "")]), id="replace with nothing"),
]  # fmt: skip


@pytest.mark.parametrize("row", CHANGES)
async def test_a_flag_change_answers_with_the_rows_as_they_are(store, account, filled, row):
    """The result lists every addressed row after the change, and the counters follow."""
    mode, flags, keywords, expected = row
    uids = ((3, 3), (5, 5), (7, 7), (90, 99))
    result = await store.commit(
        FlagChange(account=account, mailbox=filled, uids=uids, mode=mode, flags=flags, keywords=keywords)
    )
    assert [row[:3] for row in result.changed] == expected
    assert result.modified == []
    assert [row for row in await store.messages(account, filled, ALL, FIELDS) if row[0] in {3, 5, 7}] == expected
    assert await store.verify() == []


async def test_a_row_that_has_the_flags_keeps_its_modseq(store, account, filled):
    """Only rows that differ take the new modseq; all are answered."""
    before = await store.mailbox(account, filled)
    change = FlagChange(account=account, mailbox=filled, uids=((1, 3),), mode=FlagMode.ADD, flags=Flag.SEEN)
    result = await store.commit(change)
    assert [(uid, modseq > before.highestmodseq) for uid, _, _, modseq in result.changed] == [
        (1, True),
        (2, True),
        (3, False),
    ]
    after = await store.mailbox(account, filled)
    assert (before.unseen - after.unseen, after.highestmodseq) == (2, result.changed[0][3])
    again = await store.commit(change)
    assert again.changed == result.changed
    assert (await store.mailbox(account, filled)).highestmodseq == after.highestmodseq


async def test_unchanged_since_leaves_newer_rows_alone(store, account, filled):
    """Rows with a higher modseq are reported as modified and not changed (RFC 7162 §3.1.3)."""
    limit = (await store.mailbox(account, filled)).highestmodseq
    await store.commit(
        FlagChange(account=account, mailbox=filled, uids=((2, 2),), mode=FlagMode.ADD, flags=Flag.FLAGGED)
    )
    result = await store.commit(
        FlagChange(
            account=account,
            mailbox=filled,
            uids=((1, 3),),
            mode=FlagMode.REPLACE,
            flags=Flag.DRAFT,
            unchanged_since=limit,
        )
    )
    assert result.modified == [2]
    assert [row[:2] for row in result.changed] == [(1, 16), (3, 16)]
    rows = await store.messages(account, filled, ((2, 2),), FIELDS)
    assert rows == [(2, 4, "")]


async def test_what_changed_and_went_since_a_modseq(store, account, filled):
    """Arrivals, flag changes and expunges are found by modseq, each once and in order."""
    start = (await store.mailbox(account, filled)).highestmodseq
    assert await store.changed_since(account, filled, start) == []
    await store.commit(
        FlagChange(account=account, mailbox=filled, uids=((2, 4),), mode=FlagMode.ADD, flags=Flag.FLAGGED)
    )
    await store.commit(FlagChange(account=account, mailbox=filled, uids=((4, 6),), mode=FlagMode.ADD, flags=Flag.SEEN))
    await store.commit(delivery(account))
    await store.commit(
        FlagChange(account=account, mailbox=filled, uids=((10, 11),), mode=FlagMode.ADD, flags=Flag.SEEN)
    )
    await store.commit(Expunge(account=account, mailbox=filled, uids=ALL))
    await store.commit(Expunge(account=account, mailbox=filled, uids=((7, 8),), only_deleted=False))
    changed = await store.changed_since(account, filled, start)
    assert [row[0] for row in changed] == [2, 3, 4, 10, 11]
    assert all(row[3] > start for row in changed)
    assert await store.expunged_since(account, filled, start) == [5, 7, 8]
    assert [row[0] for row in await store.changed_since(account, filled, 0)] == [1, 2, 3, 4, 6, 9, 10, 11]
    assert await store.verify() == []


async def test_expunge_takes_only_what_is_marked(store, account, filled):
    """EXPUNGE removes messages with the Deleted flag and answers with their UIDs; the others stay."""
    result = await store.commit(Expunge(account=account, mailbox=filled, uids=ALL))
    assert result.uids == [5]
    assert list(await store.uids(account, filled)) == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    nothing = await store.commit(Expunge(account=account, mailbox=filled, uids=ALL))
    assert nothing.uids == []
    assert (await store.mailbox(account, filled)).highestmodseq == result.modseq


async def test_uids_are_never_given_twice(store, account, filled):
    """After the newest message went, the next one has a higher UID."""
    await store.commit(Expunge(account=account, mailbox=filled, uids=((10, 10),), only_deleted=False))
    delivered = await store.commit(delivery(account))
    assert delivered.filed[0].uid == 11


async def test_uids_with_many_gaps(store, account, filled):
    """UIDs are right where more was expunged than is left."""
    for uid in (1, 3, 5, 7, 9, 10):
        await store.commit(Expunge(account=account, mailbox=filled, uids=((uid, uid),), only_deleted=False))
    assert list(await store.uids(account, filled)) == [2, 4, 6, 8]
    await store.commit(Expunge(account=account, mailbox=filled, uids=ALL, only_deleted=False))
    assert list(await store.uids(account, filled)) == []
    assert list(await store.uids(account, filled + 99)) == []


@pytest.mark.parametrize("move", [False, True], ids=["copy", "move"])
async def test_copy_and_move(store, account, filled, move):
    """Copies keep flags, keywords and internal date, in order of UID; a move takes the originals away."""
    target = (await store.mailbox_named(account, "Archive")).id
    await store.commit(delivery(account, mailbox=target))
    result = await store.commit(Copy(account=account, mailbox=filled, uids=((5, 7), (9, 99)), target=target, move=move))
    assert result.source == [5, 6, 7, 9, 10]
    assert result.target == [2, 3, 4, 5, 6]
    assert result.uidvalidity == (await store.mailbox(account, target)).uidvalidity
    rows = await store.messages(account, target, ((2, 99),), FIELDS)
    assert rows == [(2, 8, ""), (3, 1, ""), (4, 0, "Old"), (5, 1, ""), (6, 0, "")]
    left = [1, 2, 3, 4, 8] if move else list(range(1, 11))
    assert list(await store.uids(account, filled)) == left
    if move:
        assert (await store.mailbox(account, filled)).highestmodseq == result.modseq
        assert await store.expunged_since(account, filled, result.modseq - 1) == [5, 6, 7, 9, 10]
    assert await store.verify() == []


async def test_a_copy_shares_the_email_and_outlives_the_original(store, account, filled):
    """The copy has the same email and body, which stay when the original goes."""
    target = (await store.mailbox_named(account, "Archive")).id
    await store.commit(Copy(account=account, mailbox=filled, uids=((1, 1),), target=target))
    await store.commit(Copy(account=account, mailbox=filled, uids=((1, 1),), target=filled))
    fields = (Field.EMAIL_ID, Field.BODY_ID)
    ((email, body),) = await store.messages(account, filled, ((1, 1),), fields)
    assert await store.messages(account, target, ALL, fields) == [(email, body)]
    await store.housekeep()
    await store.commit(Expunge(account=account, mailbox=filled, uids=((1, 1), (11, 11)), only_deleted=False))
    await store.housekeep()
    assert await store.read_body(body, 0, 7) == b"Subject"
    assert await store.verify() == []
    await store.commit(Expunge(account=account, mailbox=target, uids=ALL, only_deleted=False))
    await store.housekeep()
    with pytest.raises(Vanished):
        await store.read_body(body, 0, 7)
    assert await store.verify() == []


async def test_moving_within_a_mailbox_gives_new_uids(store, account, filled):
    """A move whose target is its own mailbox puts the messages at the end."""
    result = await store.commit(Copy(account=account, mailbox=filled, uids=((1, 2),), target=filled, move=True))
    assert (result.source, result.target) == ([1, 2], [11, 12])
    assert list(await store.uids(account, filled)) == list(range(3, 13))
    assert await store.verify() == []


async def test_a_copy_over_the_quota_is_refused_and_a_move_is_not(store, account, filled):
    """Copying counts against the quota; moving takes no space."""
    target = (await store.mailbox_named(account, "Archive")).id
    used = (await store.usage(account)).octets
    await store.commit(PutAccount(address="ann@example.org", quota_bytes=used + 1, must_be_new=False))
    with pytest.raises(OverQuota):
        await store.commit(Copy(account=account, mailbox=filled, uids=((1, 1),), target=target))
    await store.commit(Copy(account=account, mailbox=filled, uids=((1, 1),), target=target, move=True))
    assert (await store.usage(account)).octets == used


GONE = [
    pytest.param(lambda a, m: FlagChange(account=a, mailbox=m, uids=ALL, mode=FlagMode.ADD), id="flags"),
    pytest.param(lambda a, m: Expunge(account=a, mailbox=m, uids=ALL), id="expunge"),
    pytest.param(lambda a, m: Copy(account=a, mailbox=m, uids=ALL, target=m), id="copy"),
]


@pytest.mark.parametrize("make", GONE)
async def test_changes_in_a_mailbox_that_vanished(store, account, inbox, make):
    """A change in a mailbox or account that is not there is refused as Vanished."""
    with pytest.raises(Vanished):
        await store.commit(make(account, inbox + 999))
    with pytest.raises(Vanished):
        await store.commit(make(account + 999, inbox))


async def test_empty_ranges_change_nothing(store, account, filled):
    """No UIDs, or UIDs beyond the last, give empty results and no new modseq."""
    before = await store.mailbox(account, filled)
    for uids in ((), ((500, 600),)):
        flagged = await store.commit(
            FlagChange(account=account, mailbox=filled, uids=uids, mode=FlagMode.ADD, flags=Flag.SEEN)
        )
        assert (flagged.changed, flagged.modified) == ([], [])
        assert (await store.commit(Expunge(account=account, mailbox=filled, uids=uids))).uids == []
        assert (await store.commit(Copy(account=account, mailbox=filled, uids=uids, target=filled))).target == []
    assert await store.mailbox(account, filled) == before


async def test_modseq_orders_all_changes_of_an_account(store, account, filled):
    """No two changes of an account, in whatever mailboxes and groups, share a modseq of the same kind."""
    target = (await store.mailbox_named(account, "Archive")).id
    results = await asyncio.gather(
        store.commit(delivery(account)),
        store.commit(
            FlagChange(account=account, mailbox=filled, uids=((1, 1),), mode=FlagMode.ADD, flags=Flag.FLAGGED)
        ),
        store.commit(delivery(account, mailbox=target)),
        store.commit(Expunge(account=account, mailbox=filled, uids=((2, 2),), only_deleted=False)),
    )
    numbers = [results[0].filed[0].modseq, results[1].changed[0][3], results[2].filed[0].modseq, results[3].modseq]
    assert len(set(numbers)) == 4
