"""The one commit: what a Delivery files, queues, tells and refuses."""

import asyncio
import hashlib

import pytest

from posthouse.core import limits
from posthouse.core.errors import Fault, Unavailable
from posthouse.core.flags import Flag
from posthouse.store.contract import OverQuota, Vanished
from posthouse.store.directory_values import PutAccount
from posthouse.store.rows import Field
from posthouse.store.values import Delivery, Filing, NewEmail
from tests.support.stores import delivery, facts, furnish, mail, queued

ALL = ((1, 0xFFFFFFFF),)


async def test_a_delivery_is_seen_with_all_its_fields(store, account, inbox):
    """Every field of a filed message reads back as it was handed in."""
    value = Delivery(
        email=mail("Body"),
        filings=(
            Filing(
                account=account,
                flags=Flag.SEEN | Flag.FLAGGED,
                keywords=("$Forwarded", "work"),
                prefix=b"Delivered-To: ann@example.org\r\n",
                internal_date=1234,
            ),
        ),
    )
    delivered = await store.commit(value)
    (filed,) = delivered.filed
    (row,) = await store.messages(account, inbox, ALL, tuple(Field))
    seen = dict(zip(Field, row, strict=True))
    content = value.email.content
    assert (filed.mailbox, filed.uid) == (inbox, 1)
    assert seen[Field.UID] == 1
    assert seen[Field.FLAGS] == 5
    assert seen[Field.KEYWORDS] == "$Forwarded work"
    assert seen[Field.MODSEQ] == filed.modseq
    assert seen[Field.INTERNAL_DATE] == 1234
    assert seen[Field.SAVE_DATE] == 1_700_000_000
    assert seen[Field.SIZE] == len(content) + 31
    assert seen[Field.PREFIX] == b"Delivered-To: ann@example.org\r\n"
    assert seen[Field.BODY_ID] == delivered.body
    assert seen[Field.BODY_SIZE] == len(content)
    assert seen[Field.ENVELOPE] == value.email.facts.envelope
    assert seen[Field.BODYSTRUCTURE] == value.email.facts.bodystructure
    assert seen[Field.SUBJECT] == "A subject"
    assert seen[Field.MESSAGE_ID] == "1@example.org"
    assert seen[Field.DATE] == 1_700_000_000
    assert seen[Field.HAS_ATTACHMENT] == 0
    assert seen[Field.CONTENT] == content
    assert await store.read_body(delivered.body, 0, 1 << 20) == content


async def test_counters_follow_deliveries(store, account, inbox):
    """Messages, unseen, size, UIDNEXT and HIGHESTMODSEQ of the mailbox and the account's usage grow together."""
    results = await asyncio.gather(
        *(store.commit(delivery(account, flags=Flag.SEEN if number % 2 else Flag.NONE)) for number in range(10))
    )
    row = await store.mailbox(account, inbox)
    assert sorted(result.filed[0].uid for result in results) == list(range(1, 11))
    assert (row.messages, row.unseen, row.uidnext) == (10, 5, 11)
    assert row.highestmodseq == max(result.filed[0].modseq for result in results)
    usage = await store.usage(account)
    assert (usage.messages, usage.octets) == (10, row.size)
    assert await store.verify() == []


async def test_recipients_share_one_body(store):
    """A delivery to three accounts, two mailboxes of one of them, and the queue stores the octets once."""
    one, two, three = await furnish(store, "a@example.org", "b@example.org", "c@example.org")
    junk = (await store.mailbox_named(one, "Junk")).id
    value = queued("far@example.net")
    value = Delivery(
        email=value.email,
        queue_id=value.queue_id,
        queue=value.queue,
        filings=(
            Filing(account=one),
            Filing(account=two),
            Filing(account=one, mailbox=junk, keywords=("$Junk",)),
            Filing(account=three),
        ),
    )
    delivered = await store.commit(value)
    assert [(filed.account, filed.uid) for filed in delivered.filed] == [(one, 1), (two, 1), (one, 1), (three, 1)]
    assert delivered.filed[2].mailbox == junk
    emails = set()
    for filed in delivered.filed:
        ((email, body),) = await store.messages(filed.account, filed.mailbox, ALL, (Field.EMAIL_ID, Field.BODY_ID))
        assert body == delivered.body
        emails.add((filed.account, email))
    assert len(emails) == 3
    (row,) = await store.queue_rows(queue_id=value.queue_id)
    assert row.body == delivered.body
    assert await store.verify() == []


VANISHED = [
    pytest.param(lambda account, inbox: Filing(account=account + 999), id="account"),
    pytest.param(lambda account, inbox: Filing(account=account, mailbox=inbox + 999), id="mailbox"),
]


@pytest.mark.parametrize("missing", VANISHED)
async def test_a_delivery_to_what_vanished_fails_whole_and_alone(store, account, inbox, missing):
    """The refused delivery leaves nothing, and others of its group are written."""
    bad = Delivery(email=mail("bad"), filings=(Filing(account=account), missing(account, inbox)))
    results = await asyncio.gather(
        store.commit(delivery(account)), store.commit(bad), store.commit(delivery(account)), return_exceptions=True
    )
    assert isinstance(results[1], Vanished)
    assert results[1].outcome.is_temporary
    assert [results[0].filed[0].uid, results[2].filed[0].uid] == [1, 2]
    assert (await store.mailbox(account, inbox)).messages == 2
    assert await store.verify() == []


async def test_quota_is_kept_within_a_group(store, account, inbox):
    """Of deliveries that do not rank over the quota only those that fit are written, even in one group."""
    value = delivery(account, ranks_over_quota=False)
    size = value.email.facts.size
    await store.commit(PutAccount(address="ann@example.org", quota_bytes=3 * size + 1, must_be_new=False))
    results = await asyncio.gather(*(store.commit(value) for _ in range(5)), return_exceptions=True)
    assert [isinstance(result, OverQuota) for result in results] == [False, False, False, True, True]
    assert results[3].outcome.code == 552
    await store.commit(delivery(account))  # this one ranks over the quota
    assert await store.usage(account) == type(await store.usage(account))(4 * size, 4, 3 * size + 1)
    assert await store.verify() == []


async def test_two_filings_of_one_delivery_count_together_against_the_quota(store, account):
    """A delivery whose filings only fit one by one is refused."""
    junk = (await store.mailbox_named(account, "Junk")).id
    value = delivery(account)
    await store.commit(PutAccount(address="ann@example.org", quota_bytes=value.email.facts.size + 5, must_be_new=False))
    filings = (
        Filing(account=account, ranks_over_quota=False),
        Filing(account=account, mailbox=junk, ranks_over_quota=False),
    )
    with pytest.raises(OverQuota):
        await store.commit(Delivery(email=value.email, filings=filings))
    assert (await store.usage(account)).messages == 0


async def test_a_value_the_engine_cannot_take_fails_alone(store, account, inbox):
    """Text that cannot be encoded fails its own call as a temporary fault; its group is written."""
    poison = Delivery(
        email=NewEmail(content=b"x", facts=facts(b"x", subject="\ud800")), filings=(Filing(account=account),)
    )
    results = await asyncio.gather(
        store.commit(delivery(account)), store.commit(poison), store.commit(delivery(account)), return_exceptions=True
    )
    assert isinstance(results[1], Fault)
    assert results[1].outcome.is_temporary
    assert (await store.mailbox(account, inbox)).messages == 2
    assert await store.verify() == []


async def test_several_changes_are_written_all_or_none(store, account, inbox):
    """The refusal of one change takes back the others of its call, and no one else's."""
    gone = delivery(account + 999)
    results = await asyncio.gather(
        store.commit(delivery(account), queued("far@example.net"), gone),
        store.commit(delivery(account), delivery(account)),
        return_exceptions=True,
    )
    assert isinstance(results[0], Vanished)
    assert [delivered.filed[0].uid for delivered in results[1]] == [1, 2]
    assert (await store.mailbox(account, inbox)).messages == 2
    assert await store.queue_rows() == []
    assert await store.verify() == []


SIZES = [limits.INLINE_BODY, limits.INLINE_BODY + 1, 3 * limits.BODY_CHUNK, 5 * limits.BODY_CHUNK + 7]


@pytest.mark.parametrize("from_spool", [True, False], ids=["spool", "bytes"])
@pytest.mark.parametrize("size", SIZES)
async def test_bodies_of_every_size_read_back(store, account, inbox, size, from_spool):
    """A body is read whole and in any piece, whether it was stored inline or in chunks."""
    content = (b"Subject: long\r\n\r\n" + hashlib.sha256(b"seed").digest() * (size // 32 + 1))[:size]
    source = content
    if from_spool:
        source = store.new_spool()
        source.write(content)
    delivered = await store.commit(
        Delivery(email=NewEmail(content=source, facts=facts(content)), filings=(Filing(account=account),))
    )
    if from_spool:
        source.close()
    assert await store.read_body(delivered.body, 0, size) == content
    for offset, length in (
        (0, 10),
        (limits.BODY_CHUNK - 3, 6),
        (size - 5, 100),
        (17, size - 18),
        (size, 1),
        (size + 9, 1),
    ):
        assert await store.read_body(delivered.body, offset, length) == content[offset : offset + length]
    ((octets, inline),) = await store.messages(account, inbox, ALL, (Field.BODY_SIZE, Field.CONTENT))
    assert octets == size
    assert (inline is None) == (size > limits.INLINE_BODY)
    assert await store.verify() == []


async def test_a_refused_large_delivery_leaves_no_chunks(store, account):
    """The chunks that were written ahead are taken away when the delivery is refused."""
    content = bytes(limits.INLINE_BODY + 1)
    with pytest.raises(Vanished):
        await store.commit(
            Delivery(email=NewEmail(content=content, facts=facts(content)), filings=(Filing(account=account + 9),))
        )
    assert await store.verify() == []
    with pytest.raises(Vanished):
        await store.read_body(1, 0, 10)


async def test_a_body_that_is_not_there_has_vanished(store):
    """Reading an unknown body raises Vanished."""
    with pytest.raises(Vanished):
        await store.read_body(77, 0, 10)


async def test_a_closed_store_is_unavailable(store, account):
    """After close, commits are refused for now."""
    await store.close()
    with pytest.raises(Unavailable):
        await store.commit(delivery(account))


async def test_reads_never_suspend(store, account, inbox):
    """A read's coroutine finishes at its first step, so that doors can drive it in place."""
    await store.commit(delivery(account))
    for read in (
        store.mailbox(account, inbox),
        store.mailboxes(account),
        store.uids(account, inbox),
        store.messages(account, inbox, ALL, (Field.CONTENT,)),
        store.account("ann@example.org"),
        store.directory_version(),
        store.next_due(),
    ):
        with pytest.raises(StopIteration):
            read.send(None)
