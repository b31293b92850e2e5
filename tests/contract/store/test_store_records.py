"""Credentials, sign-ins, bans, sources, words, the audit log, jobs, kept replies, rehearsals."""

import asyncio

import pytest

from posthouse.store.contract import AlreadyExists, StoreRefusal, Vanished
from posthouse.store.directory_rows import BanRow, SignInRow, SourceRow, WordingRow
from posthouse.store.directory_values import (
    Audit,
    ClaimJob,
    CredentialKind,
    KeepReply,
    NoteSignIns,
    PutAccount,
    PutBan,
    PutCredential,
    PutDomain,
    PutJob,
    PutSource,
    PutWording,
    RemoveBan,
    RemoveCredential,
    RemoveSource,
)
from posthouse.store.values import TakeDuty
from tests.support.stores import delivery, furnish


def token(number, **fields):
    """Return a credential of the account ann."""
    given = {"account": "ann@example.org", "kind": CredentialKind.TOKEN, "name": "n", "verifier": f"v{number}"}
    return PutCredential(id=f"c{number}", **(given | fields))


async def test_credentials(store):
    """They are added, found by account and verifier, changed by id, and removed one by one or all of a kind."""
    await furnish(store, "ann@example.org")
    await store.commit(token(1, created=5.0, expires=9.0, scopes="a b", details={"x": [1]}))
    await store.commit(token(2, created=4.0), token(3, kind=CredentialKind.TOTP), token(4, account=""))
    assert [row.id for row in await store.credentials("ann@example.org", CredentialKind.TOKEN)] == ["c2", "c1"]
    assert len(await store.credentials("ann@example.org")) == 3
    assert [row.id for row in await store.credentials("")] == ["c4"]
    row = await store.credential_by_verifier(CredentialKind.TOKEN, "v1")
    assert (row.id, row.created, row.expires, row.scopes, row.details) == ("c1", 5.0, 9.0, "a b", {"x": [1]})
    assert await store.credential_by_verifier(CredentialKind.TOTP, "v1") is None
    await store.commit(token(1, name="new", verifier="v9", must_be_new=False))
    assert (await store.credential_by_verifier(CredentialKind.TOKEN, "v9")).name == "new"
    remove = RemoveCredential(id="c1", account="ann@example.org", kind=CredentialKind.TOKEN)
    assert await store.commit(remove) == 1
    with pytest.raises(Vanished):
        await store.commit(remove)
    everything = RemoveCredential(id="*", account="ann@example.org", kind=CredentialKind.TOKEN)
    assert await store.commit(everything) == 1
    assert await store.commit(everything) == 0


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        pytest.param(token(1), AlreadyExists, id="id in use"),
        pytest.param(token(2, verifier="v1"), AlreadyExists, id="verifier in use"),
        pytest.param(token(1, account="bob@example.org", must_be_new=False), AlreadyExists, id="of somebody else"),
        pytest.param(token(2, account="no@example.org"), Vanished, id="of nobody"),
        pytest.param(
            RemoveCredential(id="c1", account="bob@example.org", kind=CredentialKind.TOKEN), Vanished, id="not his"
        ),
    ],
)
async def test_rules_of_credentials(store, value, refusal):
    """A lookup by verifier stays unambiguous, and a credential has an owner."""
    await furnish(store, "ann@example.org", "bob@example.org")
    await store.commit(token(1))
    with pytest.raises(refusal):
        await store.commit(value)


async def test_sign_ins_are_noted_and_do_not_go_back(store):
    """The newest of a batch stays; what is gone meanwhile is left out; the directory's version does not move."""
    (ann,) = await furnish(store, "ann@example.org")
    await store.commit(token(1))
    version = await store.directory_version()
    await store.commit(
        NoteSignIns(
            accounts=((ann, 5.0, "192.0.2.1", "imap"), (99, 5.0, "192.0.2.1", "imap")),
            credentials=(("c1", 5.0, "192.0.2.1"), ("none", 5.0, "")),
        )
    )
    await store.commit(NoteSignIns(accounts=((ann, 4.0, "192.0.2.2", "pop3"),), credentials=(("c1", 4.0, "x"),)))
    assert await store.last_sign_in(ann) == SignInRow(5.0, "192.0.2.1", "imap")
    (row,) = await store.credentials("ann@example.org")
    assert (row.last_used, row.last_address) == (5.0, "192.0.2.1")
    assert await store.last_sign_in(99) is None
    assert await store.directory_version() == version
    assert await store.verify() == []


async def test_bans(store):
    """A ban replaces the one for the same network and account, and is lifted."""
    for reason in ("a", "b"):
        await store.commit(PutBan(network="192.0.2.0/24", account="", reason=reason, since=1.0, until=2.0, by="x"))
    assert await store.bans() == [BanRow("192.0.2.0/24", "", "b", 1.0, 2.0, "x")]
    await store.commit(RemoveBan(network="192.0.2.0/24", account=""))
    with pytest.raises(Vanished):
        await store.commit(RemoveBan(network="192.0.2.0/24", account=""))


async def test_sources_and_words(store):
    """Sources are changed field by field; words of server messages are set by scope and language and taken back."""
    await store.commit(PutSource(name="s", kind="ldap", config={"a": "b"}))
    await store.commit(PutSource(name="s", sealed="x", disabled=True, must_be_new=False))
    (row,) = await store.sources()
    assert row == SourceRow("s", "ldap", {"a": "b"}, "x", True, row.revision)
    for value in (
        PutSource(name="s"),
        RemoveSource(name="none"),
        PutSource(name="n", must_be_new=False, if_revision=1),
    ):
        with pytest.raises(StoreRefusal):
            await store.commit(value)
    await store.commit(RemoveSource(name="s", if_revision=row.revision))
    await store.commit(PutWording(scope="server", name="w", language="de", subject="s", text="t"))
    assert await store.wordings() == [WordingRow("server", "w", "de", "s", "t")]
    await store.commit(PutWording(scope="server", name="w", language="de"))
    assert await store.wordings() == []


def entry(number, **fields):
    """Return an entry of the audit log."""
    given = {"at": float(number), "actor": "ann", "door": "cli", "address": "", "operation": "x", "subject": "s"}
    return Audit(**(given | fields))


async def test_the_audit_log_is_a_chain(store):
    """Entries are numbered, each holds the digest of the one before, and both directions read them in pages."""
    assert await store.commit(entry(1, before={"b": 1, "a": None}, after=None)) == 1
    assert await store.commit(entry(2, office="o", subject="t"), entry(3, office="o", domain="d")) == (2, 3)
    rows = await store.audit()
    assert [row.number for row in rows] == [3, 2, 1]
    assert [row.previous for row in rows] == [rows[1].digest, rows[2].digest, ""]
    assert (rows[2].before, rows[2].after) == ({"a": None, "b": 1}, None)
    assert [row.number for row in await store.audit(before=3, limit=1)] == [2]
    assert [row.number for row in await store.audit(after=0, limit=2)] == [1, 2]
    assert [row.number for row in await store.audit(after=2)] == [3]
    assert [row.number for row in await store.audit(office="o")] == [3, 2]
    assert [row.number for row in await store.audit(domain="d")] == [3]
    assert [row.number for row in await store.audit(subject="t", after=0)] == [2]
    assert await store.verify() == []


async def test_a_refused_change_leaves_no_entry(store):
    """The entry is written with what it tells of, or not at all."""
    with pytest.raises(Vanished):
        await store.commit(entry(1), PutAccount(address="x@nowhere.example"))
    assert await store.audit() == []
    assert await store.commit(entry(1)) == 1
    assert await store.verify() == []


async def test_jobs_are_claimed_once_and_again_when_left(store):
    """The oldest that waits goes first; a lease that ended is taken over; what ended is not claimed."""
    await store.commit(PutJob(id="b", operation="op", caller={"a": 1}, input={"x": 2}, office="o", at=2.0))
    await store.commit(PutJob(id="a", operation="op", domain="d", at=1.0))
    first = await store.commit(ClaimJob(owner="w1", now=5.0, until=10.0))
    second = await store.commit(ClaimJob(owner="w2", now=5.0, until=20.0))
    assert [(row.id, row.state, row.owner) for row in (first, second)] == [
        ("a", "running", "w1"),
        ("b", "running", "w2"),
    ]
    assert second.caller == {"a": 1}
    assert await store.commit(ClaimJob(owner="w2", now=9.0, until=20.0)) is None
    assert (await store.commit(ClaimJob(owner="w2", now=10.0, until=20.0))).id == "a"
    await store.commit(PutJob(id="a", state="done", done=3, total=3, text="t", result={"r": 1}, at=11.0))
    row = await store.job("a")
    assert (row.state, row.done, row.total, row.text, row.result, row.changed) == ("done", 3, 3, "t", {"r": 1}, 11.0)
    assert await store.commit(ClaimJob(owner="w1", now=19.0, until=30.0)) is None
    assert [row.id for row in await store.jobs()] == ["b", "a"]
    assert [row.id for row in await store.jobs(after="b")] == ["a"]
    assert [row.id for row in await store.jobs(office="o")] == ["b"]
    assert [row.id for row in await store.jobs(domain="d")] == ["a"]
    assert await store.job("none") is None
    with pytest.raises(Vanished):
        await store.commit(PutJob(id="none", state="done"))
    with pytest.raises(AlreadyExists):
        await store.commit(PutJob(id="a", operation="op", must_be_new=True))


async def test_replies_are_kept_by_key(store):
    """A key is claimed once; its reply is kept; callers do not see each other's."""
    claim = KeepReply(caller="ann", key="k", fingerprint="f", at=1.0)
    await store.commit(claim)
    with pytest.raises(AlreadyExists):
        await store.commit(claim)
    await store.commit(KeepReply(caller="ann", key="k", fingerprint="f", at=2.0, status=200, body=b"ok"))
    kept = await store.kept_reply("ann", "k")
    assert (kept.fingerprint, kept.at, kept.status, kept.body) == ("f", 2.0, 200, b"ok")
    assert await store.kept_reply("bob", "k") is None


async def test_records_leave_the_directory_alone(store):
    """Audit, jobs, replies and duties do not move the directory's version, which caches hang on."""
    version = await store.directory_version()
    for value in (
        entry(1),
        PutJob(id="a", operation="op"),
        ClaimJob(owner="w", now=1.0, until=2.0),
        KeepReply(caller="a", key="k", fingerprint="f", at=1.0),
        TakeDuty(name="d", owner="w", now=1.0, until=2.0),
        token(1, account="", kind=CredentialKind.SESSION),
    ):
        await store.commit(value)
    assert await store.directory_version() == version


async def test_a_rehearsal_answers_and_changes_nothing(store):
    """The same result as the real call, refusals included, and no trace: numbers and notices neither."""
    await furnish(store, "ann@example.org")
    told = []
    store.notices.on_directory(lambda: told.append(1))
    before = await store.directory_version()
    values = (PutDomain(name="new.example"), PutAccount(address="bob@new.example"), entry(1))
    rehearsed = await store.commit(*values, rehearse=True)
    assert await store.directory_version() == before
    assert (await store.domain("new.example"), await store.audit(), told) == (None, [], [])
    with pytest.raises(AlreadyExists):
        await store.commit(PutAccount(address="ann@example.org"), rehearse=True)
    assert await store.commit(*values) == rehearsed
    assert await store.verify() == []


async def test_rehearsals_stand_beside_other_calls(store):
    """In one group with real calls each sees only what was really done."""
    (ann,) = await furnish(store, "ann@example.org")
    answers = await asyncio.gather(
        store.commit(PutAccount(address="b@example.org"), rehearse=True),
        store.commit(PutAccount(address="c@example.org")),
        store.commit(delivery(ann), rehearse=True),
        store.commit(delivery(ann)),
        store.commit(PutAccount(address="b@example.org"), rehearse=True),
    )
    assert answers[0] == answers[1] == ann + 1
    assert answers[4] == ann + 2
    assert answers[2].filed == answers[3].filed
    assert await store.account("b@example.org") is None
    assert await store.verify() == []
