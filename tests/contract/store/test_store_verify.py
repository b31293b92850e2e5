"""``verify`` finds planted damage of every kind, and names it; the damage is done to the embedded engine's tables."""

import sqlite3

import pytest

from posthouse.core import limits
from posthouse.core.flags import Flag
from posthouse.store.directory_values import (
    Audit,
    ChangeMembers,
    CredentialKind,
    NoteSignIns,
    PutAccount,
    PutAddress,
    PutAlias,
    PutCredential,
    PutDomain,
    PutGroup,
    PutOffice,
    PutShare,
)
from posthouse.store.sqlite.invariants import INVARIANTS
from posthouse.store.sqlite.invariants_directory import (
    DOMAIN_TALLIES,
    MEMBERS,
    NAMED,
    NAMESPACE,
    OFFICE_OF,
    OFFICE_TALLIES,
)
from posthouse.store.sqlite.verify import CHAIN, FIND_INDEX
from posthouse.store.values import Copy, CreateMailbox, Delivery, Expunge, Filing, FlagChange, FlagMode, NewEmail
from tests.support.stores import delivery, facts, furnish, mail, make_store, queued

FILE = "the file is sound"
BODY = "a body is readable and true to its hash"
ROW = "(account_id, mailbox_id, uid, email_id, flags, keywords, modseq, born, internal_date, save_date, size, prefix)"


@pytest.fixture
async def home(tmp_path):
    """Fill a store with something of everything and close it."""
    async with make_store(tmp_path) as store:
        one, two = await furnish(store, "ann@example.org", "bob@example.org")
        shared = Delivery(email=mail("shared"), filings=(Filing(account=one), Filing(account=two)))
        await store.commit(shared)
        for _ in range(4):
            await store.commit(delivery(one))
        inbox = (await store.mailbox_named(one, "INBOX")).id
        deep = await store.commit(CreateMailbox(account=one, name="a/b"))
        await store.commit(FlagChange(account=one, mailbox=inbox, uids=((1, 2),), mode=FlagMode.ADD, flags=Flag.SEEN))
        await store.commit(Copy(account=one, mailbox=inbox, uids=((2, 2),), target=deep))
        await store.commit(Expunge(account=one, mailbox=inbox, uids=((5, 5),), only_deleted=False))
        content = bytes(limits.INLINE_BODY + 5)
        await store.commit(
            Delivery(email=NewEmail(content=content, facts=facts(content)), filings=(Filing(account=two),))
        )
        await store.commit(queued("far@example.net"))
        await store.commit(PutAlias(address="sales@example.org", targets=("ann@example.org",)))
        await furnish_directory(store)
        await store.housekeep()
        assert await store.verify() == []
    return tmp_path


STATE = "an account's state can be read"


async def furnish_directory(store):
    """Add something of every kind that the directory and its records hold."""
    await store.commit(PutOffice(name="acme"))
    await store.commit(PutDomain(name="acme.example", office="acme"))
    await store.commit(PutAccount(address="eve@acme.example", display_name="Eve", quota_bytes=50))
    await store.commit(PutAddress(address="e@acme.example", account="eve@acme.example"))
    await store.commit(PutGroup(address="all@acme.example"))
    await store.commit(ChangeMembers(group="all@acme.example", add=("eve@acme.example", "far@example.com")))
    await store.commit(PutShare(account="ann@example.org", member="all@acme.example"))
    await store.commit(
        PutCredential(id="c", account="eve@acme.example", kind=CredentialKind.TOKEN, name="n", verifier="v")
    )
    eve = await store.account("eve@acme.example")
    await store.commit(NoteSignIns(accounts=((eve.id, 5.0, "192.0.2.1", "imap"),)))
    for number in range(3):
        await store.commit(
            Audit(at=number, actor="a", door="cli", address="", operation="x", subject="s", after={"n": number})
        )


DAMAGE = [
    ("mailbox counters match its messages", "UPDATE mailbox SET messages = messages + 1 WHERE name = 'INBOX'"),
    ("mailbox counters match its messages", "UPDATE mailbox SET unseen = 0 WHERE name = 'INBOX'"),
    ("mailbox counters match its messages", "UPDATE message SET flags = 8 WHERE uid = 3"),
    ("account counters match its mailboxes", "UPDATE account_state SET octets = octets - 1"),
    ("uidnext is above every UID", "UPDATE mailbox SET uidnext = 2 WHERE name = 'INBOX'"),
    ("uidnext is above every UID", "UPDATE expunged SET last_uid = 99"),
    ("an expunged UID is not there", "UPDATE expunged SET first_uid = 3"),
    ("modseq orders every change", "UPDATE message SET modseq = 9999 WHERE uid = 2"),
    ("modseq orders every change", "UPDATE account_state SET modseq = 1"),
    ("modseq orders every change", "UPDATE message SET born = 1 WHERE uid = 3"),
    ("modseq orders every change", "UPDATE mailbox SET highestmodseq = 1 WHERE name = 'INBOX'"),
    ("a flag change is remembered", "DELETE FROM change"),
    ("a message has its mailbox and its email", "DELETE FROM email WHERE id IN (SELECT email_id FROM message WHERE uid = 3)"),
    ("a message has its mailbox and its email", "DELETE FROM mailbox WHERE name = 'a/b'"),
    ("an email is shown in as many places as it counts", "UPDATE email SET places = 7"),
    ("an email is shown in as many places as it counts", "DELETE FROM message WHERE uid = 3"),
    ("no email is without a place", "UPDATE email SET places = 0"),
    ("no email is without a place", f"INSERT INTO place_change (email_id, delta) VALUES ({(1 << 36) + 999}, 0)"),
    ("an email belongs to an account", "DELETE FROM account WHERE address = 'bob@example.org'"),
    ("an email belongs to an account", "UPDATE account_state SET next_email = 2"),
    ("a body is there for every email and queued message", "DELETE FROM body WHERE codec = 1"),
    ("a body is there for every email and queued message", "UPDATE queue_message SET body_id = 999"),
    ("a body has as many owners as it counts", "DELETE FROM body_share"),
    ("a body has as many owners as it counts", "UPDATE body_share SET owners = 3"),
    ("a body has as many owners as it counts", "INSERT INTO body (id, size, hash) VALUES (1000, 0, x'00')"),
    ("a body has as many owners as it counts", "INSERT INTO body_share (body_id, owners) VALUES (1000, 2)"),
    ("sizes agree", "UPDATE email SET body_size = 3"),
    ("sizes agree", "UPDATE message SET prefix = x'0D0A'"),
    ("no chunk is without a body", "UPDATE body_chunk SET body_id = 5000"),
    ("no chunk is without a body", "INSERT INTO body_staging SELECT id, 0 FROM body"),
    ("a queued recipient has its message", "DELETE FROM queue_message"),
    ("a queued recipient has its message", "DELETE FROM queue_recipient"),
    ("a waiting recipient is due some time", "UPDATE queue_recipient SET due = NULL"),
    ("a waiting recipient is due some time", "UPDATE queue_recipient SET due = 9e12"),
    ("a waiting recipient is due some time", "UPDATE queue_recipient SET state = 'odd'"),
    ("a mailbox lies in its parent", "UPDATE mailbox SET parent_id = 0 WHERE name = 'a/b'"),
    ("a mailbox lies in its parent", "UPDATE mailbox SET parent_id = 999 WHERE name = 'a/b'"),
    ("a mailbox lies in its parent", "UPDATE mailbox SET name = 'c/b' WHERE name = 'a/b'"),
    ("a mailbox lies in its parent", "UPDATE mailbox SET name = 'a/x/b' WHERE name = 'a/b'"),
    ("UIDVALIDITY is given once", "UPDATE mailbox SET uidvalidity = 5 WHERE name IN ('a', 'a/b')"),
    ("UIDVALIDITY is given once", "UPDATE account_state SET last_uidvalidity = 5"),
    ("an account is whole", "DELETE FROM account_state"),
    ("an account is whole", "UPDATE account_state SET inbox_id = 999"),
    ("an account is whole", "DELETE FROM domain"),
    (NAMESPACE, "UPDATE alias SET address = 'ann@example.org'"),
    (NAMESPACE, "UPDATE entry SET owner = 1 WHERE kind = 'alias'"),
    (NAMESPACE, "UPDATE entry SET kind = 'group' WHERE kind = 'address'"),
    (NAMESPACE, "DELETE FROM entry WHERE address = 'ann@example.org'"),
    (NAMESPACE, "DELETE FROM mail_group"),
    (DOMAIN_TALLIES, "UPDATE domain SET accounts = accounts + 1 WHERE name = 'acme.example'"),
    (DOMAIN_TALLIES, "UPDATE domain SET quota = 0 WHERE quota > 0"),
    (DOMAIN_TALLIES, "UPDATE domain SET next_entry = 1"),
    (OFFICE_TALLIES, "UPDATE post_office SET domains = 7 WHERE id = 0"),
    (OFFICE_TALLIES, "UPDATE post_office SET groups = 7 WHERE name = 'acme'"),
    (OFFICE_OF, "UPDATE account SET office_id = 0 WHERE office_id = 1"),
    (OFFICE_OF, "UPDATE domain SET office_id = 99 WHERE office_id = 1"),
    (MEMBERS, "UPDATE mail_group SET members = 9"),
    (MEMBERS, "UPDATE group_member SET group_address = 'no@acme.example'"),
    (MEMBERS, "UPDATE mail_group SET domain_id = 99"),
    (NAMED, "UPDATE credential SET account = 'no@acme.example'"),
    (NAMED, "UPDATE sign_in SET account_id = 99"),
    (NAMED, "UPDATE address SET account_id = 99"),
    (NAMED, "UPDATE share SET member = 'no@acme.example'"),
    (STATE, "UPDATE account SET state = 'odd'"),
    (FIND_INDEX, "INSERT INTO find_index (find_index, rowid, folded) SELECT 'delete', id, folded FROM entry LIMIT 1"),
    (FIND_INDEX, "INSERT INTO find_index (rowid, folded) SELECT 77, folded FROM entry LIMIT 1"),
    (FIND_INDEX, "UPDATE entry SET folded = replace(folded, 'eve', 'adam')"),
    (CHAIN, "UPDATE audit SET actor = 'b' WHERE number = 2"),
    (CHAIN, "UPDATE audit SET after = '{}' WHERE number = 3"),
    (CHAIN, "UPDATE audit SET previous = 'x' WHERE number = 3"),
    (CHAIN, "DELETE FROM audit WHERE number = 2"),
    (CHAIN, "DELETE FROM audit WHERE number = 3"),
    ("an account is whole", "UPDATE domain SET alias_of = 'nowhere.example'"),
    ("a number is given once", "UPDATE counter SET value = 1 WHERE name = 'body'"),
    ("a number is given once", "DELETE FROM counter WHERE name = 'mailbox'"),
    ("a journey can be read", "UPDATE journey SET story = x'7B'"),
    (BODY, "UPDATE body SET content = zeroblob(size) WHERE codec = 0"),
    (BODY, "UPDATE body SET content = NULL WHERE codec = 0"),
    (BODY, "DELETE FROM body_chunk WHERE number = 1"),
    (BODY, "UPDATE body_chunk SET content = randomblob(length(content)) WHERE number = 0"),
]  # fmt: skip


def plant(home, damage):
    """Do the damage behind the store's back."""
    connection = sqlite3.connect(home / "store.db", isolation_level=None)
    assert connection.execute(damage).rowcount > 0
    connection.close()


@pytest.mark.parametrize(("invariant", "damage"), [pytest.param(*row, id=row[1][:60]) for row in DAMAGE])
async def test_planted_damage_is_found(home, invariant, damage):
    """Each kind of damage is found under its invariant, with a place, a detail and a remedy."""
    plant(home, damage)
    async with make_store(home) as store:
        found = await store.verify()
    named = [finding for finding in found if finding.invariant == invariant]
    assert named, found
    assert all(finding.where and finding.detail and finding.remedy for finding in found)


# What is lost cannot be counted anew: these stay found, with their remedy.
LOST = frozenset({
    "UPDATE expunged SET first_uid = 3",
    "UPDATE message SET born = 1 WHERE uid = 3",
    "DELETE FROM email WHERE id IN (SELECT email_id FROM message WHERE uid = 3)",
    "DELETE FROM mailbox WHERE name = 'a/b'",
    "DELETE FROM account WHERE address = 'bob@example.org'",
    "DELETE FROM body WHERE codec = 1",
    "UPDATE queue_message SET body_id = 999",
    "UPDATE email SET body_size = 3",
    "UPDATE message SET prefix = x'0D0A'",
    "UPDATE body_chunk SET body_id = 5000",
    "DELETE FROM queue_message",
    "UPDATE queue_recipient SET state = 'odd'",
    "UPDATE mailbox SET parent_id = 0 WHERE name = 'a/b'",
    "UPDATE mailbox SET parent_id = 999 WHERE name = 'a/b'",
    "UPDATE mailbox SET name = 'c/b' WHERE name = 'a/b'",
    "UPDATE mailbox SET name = 'a/x/b' WHERE name = 'a/b'",
    "UPDATE mailbox SET uidvalidity = 5 WHERE name IN ('a', 'a/b')",
    "DELETE FROM account_state",
    "UPDATE account_state SET inbox_id = 999",
    "DELETE FROM domain",
    "UPDATE alias SET address = 'ann@example.org'",
    "UPDATE mail_group SET domain_id = 99",
    "UPDATE domain SET alias_of = 'nowhere.example'",
    "UPDATE journey SET story = x'7B'",
})  # fmt: skip
BEYOND = {BODY, CHAIN, STATE}


@pytest.mark.parametrize(
    ("invariant", "damage"),
    [pytest.param(*row, id=row[1][:60]) for row in DAMAGE if row[0] not in BEYOND and row[1] not in LOST],
)
async def test_what_can_be_put_right_is(home, invariant, damage):
    """Counts, orphans and indexes are made anew: each repair is reported, and the store is sound afterwards."""
    plant(home, damage)
    async with make_store(home) as store:
        found = await store.verify(repair=True)
        assert any(finding.invariant == invariant and finding.repaired for finding in found)
        assert await store.verify() == []
        await store.commit(PutAccount(address="new@example.org"))
        assert await store.verify() == []


@pytest.mark.parametrize("damage", sorted(LOST))
async def test_what_is_lost_is_not_invented(home, damage):
    """A repair of what cannot be put right leaves it found, with a remedy, and fails nothing."""
    plant(home, damage)
    async with make_store(home) as store:
        found = await store.verify(repair=True)
        left = [finding for finding in found if not finding.repaired]
        assert left == await store.verify()
        assert all(finding.remedy for finding in left)


async def test_mail_that_lost_its_place_comes_back_to_the_inbox(home):
    """An email whose message row is gone is filed in the inbox anew, its body untouched."""
    plant(home, "DELETE FROM message WHERE uid = 3")
    async with make_store(home) as store:
        await store.verify(repair=True)
        ann = await store.account("ann@example.org")
        inbox = await store.mailbox_named(ann.id, "INBOX")
        assert list(await store.uids(ann.id, inbox.id))[-1] == 6
        assert inbox.messages == 4


def test_every_invariant_has_planted_damage():
    """No invariant is without a test."""
    assert {row[0] for row in DAMAGE} == {invariant.name for invariant in INVARIANTS} | {BODY, CHAIN, FIND_INDEX}


async def test_a_damaged_file_is_found(home):
    """Pages that were overwritten are reported, and verify itself does not fail."""
    async with make_store(home) as store:
        size = (home / "store.db").stat().st_size
        with (home / "store.db").open("r+b") as file:
            file.seek(size // 2)
            file.write(b"\xff" * (size // 2))
        found = await store.verify()
    assert FILE in {finding.invariant for finding in found}


async def test_findings_of_one_kind_are_bounded(home):
    """A flood of damage gives at most a hundred findings of a kind."""
    connection = sqlite3.connect(home / "store.db", isolation_level=None)
    connection.executemany("INSERT INTO body (id, size, hash) VALUES (?, 1, x'00')", [(n,) for n in range(1000, 1500)])
    connection.close()
    async with make_store(home) as store:
        found = await store.verify()
    assert max(sum(one.invariant == name.invariant for one in found) for name in found) == 100
