"""No statement of daily work scans a table: SQLite's plans for everything a busy store runs, caught as they run."""

import re
import subprocess
import sys

import pytest

from posthouse.core.flags import Flag
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    Audit,
    ChangeMembers,
    ClaimJob,
    CredentialKind,
    KeepReply,
    Level,
    NoteSignIns,
    PutAccount,
    PutAddress,
    PutCredential,
    PutGroup,
    PutJob,
    PutOffice,
    PutShare,
    RemoveAddress,
    RemoveGroup,
    RenameAccount,
)
from posthouse.store.rows import Field
from posthouse.store.values import (
    ClaimRecipients,
    Copy,
    DeleteMailbox,
    Expunge,
    FlagChange,
    FlagMode,
    QueueResult,
    RecipientResult,
    RecipientState,
    RenameMailbox,
)
from tests.support.stores import EPOCH, delivery, furnish, queued

ALL = ((1, 0xFFFFFFFF),)
# Small by nature, or read whole because the caller asks for all of it.
ALLOWED = (
    "SCAN counter",
    "SCAN ban",
    "SCAN j VIRTUAL TABLE",
    "SCAN route",
    "SCAN setting",
    "SCAN domain",
    "SCAN CONSTANT ROW",
    "SCAN (subquery",
)


def plan(connection, statement):
    """Return the steps of a statement's plan."""
    binds = len(set(re.findall(r"\?\d", statement))) or statement.count("?")
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1,) * binds).fetchall()
    return [row[3] for row in rows]


@pytest.fixture
async def traced(store, monkeypatch):
    """Return an open store with an account, and the set of statements it goes on to run."""
    (account,) = await furnish(store, "ann@example.org")
    seen = set()
    real = store._database.connection

    class Tracer:
        def execute(self, statement, *binds):
            seen.add(statement)
            return real.execute(statement, *binds)

        def executemany(self, statement, rows):
            seen.add(statement)
            return real.executemany(statement, rows)

        def __getattr__(self, name):
            return getattr(real, name)

    store._database.connection = Tracer()
    yield store, account, seen, real
    store._database.connection = real


async def test_daily_work_scans_no_table(traced):
    """Delivering, reading, changing, queueing and claiming use keys and indexes only."""
    store, account, seen, real = traced
    inbox = (await store.mailbox_named(account, "INBOX")).id
    archive = (await store.mailbox_named(account, "Archive")).id
    for _ in range(5):
        await store.commit(delivery(account))
    await store.mailboxes(account)
    await store.mailbox(account, inbox)
    await store.subscriptions(account)
    await store.usage(account)
    await store.uids(account, inbox)
    await store.messages(account, inbox, ALL, tuple(Field))
    await store.commit(
        FlagChange(account=account, mailbox=inbox, uids=ALL, mode=FlagMode.ADD, flags=Flag.SEEN, keywords=("x",))
    )
    await store.changed_since(account, inbox, 1)
    await store.commit(Copy(account=account, mailbox=inbox, uids=((1, 2),), target=archive))
    await store.commit(Copy(account=account, mailbox=inbox, uids=((1, 2),), target=archive, move=True))
    await store.commit(Expunge(account=account, mailbox=inbox, uids=((3, 3),), only_deleted=False))
    await store.expunged_since(account, inbox, 0)
    await store.read_body(1, 0, 9)
    value = queued("a@x.example")
    await store.commit(value)
    await store.next_due()
    await store.commit(ClaimRecipients(owner="w", now=EPOCH + 1, lease_until=EPOCH + 2))
    await store.commit(ClaimRecipients(owner="w", now=EPOCH + 1, lease_until=EPOCH + 2, skip_destinations=("d",)))
    await store.queue_rows(queue_id=value.queue_id)
    await store.commit(
        QueueResult(results=(RecipientResult(queue_id=value.queue_id, number=0, state=RecipientState.DELIVERED),))
    )
    await store.journey(value.queue_id)
    await store.commit(RenameMailbox(account=account, old="Junk", new="Spam"))
    await store.commit(DeleteMailbox(account=account, name="Spam"))
    await store.commit(PutAccount(address="ann@example.org", display_name="A", must_be_new=False))
    for read in (store.account, store.alias, store.domain):
        await read("ann@example.org")
    await store.account_by_id(account)
    await store.commit(PutOffice(name="acme"), PutGroup(address="all@example.org"))
    await store.commit(ChangeMembers(group="all@example.org", add=("ann@example.org",), remove=("bob@example.org",)))
    await store.commit(PutAddress(address="a@example.org", account="ann@example.org"))
    await store.commit(PutShare(account="ann@example.org", member="all@example.org"))
    await store.commit(KeepReply(caller="a", key="k", fingerprint="f", at=1.0), PutJob(id="j", operation="o"))
    await store.commit(ClaimJob(owner="w", now=1.0, until=2.0))
    await store.commit(NoteSignIns(accounts=((account, 1.0, "", "imap"),), credentials=(("c", 1.0, ""),)))
    await store.commit(Audit(at=1.0, actor="a", door="cli", address="", operation="x", subject="s"))
    await store.commit(
        PutCredential(id="c", account="ann@example.org", kind=CredentialKind.TOKEN, name="n", verifier="v")
    )
    for narrowed in ({}, {"subject": "s"}, {"office": "o"}, {"domain": "d"}):
        await store.audit(**narrowed)
    for narrowed in ({}, {"domain": "example.org"}, {"office": "acme"}):
        for read in (store.accounts, store.aliases, store.groups):
            await read(**narrowed)
        for text in ("a", "an", "ann"):
            await store.find(text, **narrowed)
    for narrowed in (
        {"state": AccountState.HELD},
        {"level": Level.SERVER},
        {"kind": AccountKind.SHARED},
        {"source": "s"},
    ):
        await store.accounts(**narrowed)
    for read in (store.group, store.members, store.groups_of, store.credentials, store.job):
        await read("all@example.org")
    await store.groups_of("ann@example.org", nested=True)
    await store.shares(account="ann@example.org")
    await store.shares(members=["ann@example.org"])
    await store.credential_by_verifier(CredentialKind.TOKEN, "v")
    await store.kept_reply("a", "k")
    await store.held_accounts(1.0)
    await store.addresses(account)
    await store.last_sign_in(account)
    await store.jobs(after="j")
    await store.office("acme")
    await store.offices()
    await store.domains(office="acme")
    await store.domains(alias_of="example.org")
    await store.settings_version()
    await store.commit(RemoveAddress(address="a@example.org", account="ann@example.org"))
    await store.commit(RenameAccount(address="ann@example.org", new_address="eve@example.org"))
    await store.commit(RemoveGroup(address="all@example.org"))
    await store.accounts(domain="example.org")
    await store.accounts(after="b")
    await store.aliases(domain="example.org")
    await store.settings()
    await store.routes()
    await store.directory_version()
    await store.housekeep()
    await store.journey_find(key="a@x.example")
    statements = {text for text in seen if text.split()[0] in {"SELECT", "UPDATE", "DELETE", "INSERT"}}
    assert len(statements) > 60
    scans = {
        (step, statement)
        for statement in statements
        for step in plan(real, statement)
        if step.startswith("SCAN") and not step.startswith(ALLOWED)
    }
    unbounded = {(step, statement) for step, statement in scans if "LIMIT" not in statement and "min(" not in statement}
    # What is noted for housekeeping is read from its beginning, so much at a time; keys not yet sorted are scanned.
    assert {statement for _, statement in unbounded} <= {
        "SELECT queue_id, hashes FROM journey_fresh_key WHERE instr(hashes, ?) AND queue_id >= ? AND queue_id < ?"
    }, unbounded


def test_opening_an_existing_store_needs_no_sqlalchemy(tmp_path):
    """Only making and upgrading import SQLAlchemy and Alembic, so that a worker starts quickly and stays small."""
    program = (
        "import asyncio, sys; from pathlib import Path; from tests.support.stores import make_store\n"
        "async def main():\n"
        "    async with make_store(Path(sys.argv[1])) as store: await store.directory_version()\n"
        "asyncio.run(main()); print('sqlalchemy' in sys.modules, 'alembic' in sys.modules)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert told == ["True False\n", "False False\n"]
