"""Snapshot and apply: the state as a file, all or nothing, and nothing where nothing differs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account, alias, domain, group, route, setting, snapshot
from posthouse.services.administration.state import document
from posthouse.store.directory_values import AccountState, PutShare, ShareRight
from tests.support.desks import caller_of, do, make_desk


async def octets(content: bytes) -> AsyncIterator[bytes]:
    """Yield a file in two pieces."""
    middle = len(content) // 2
    yield content[:middle]
    yield content[middle:]


async def take(desk: Any, **given: Any) -> bytes:
    download = await do(desk, snapshot.snapshot, **given)
    return b"".join([piece async for piece in download.chunks])


async def put(desk: Any, content: bytes, **given: Any) -> Any:
    return await do(desk, snapshot.apply, upload=octets(content), **given)


@pytest.fixture
async def full(desk):
    """Fill the desk's store with something of each kind."""
    await do(desk, account.set_, address="anna@acme.test", name="Anna \N{SNOWMAN}", quota="1G", note='x"y\\z')
    await do(desk, account.add, address="carl@acme.test", password="a good long password")
    await do(desk, domain.add, name="acme.example", alias_of="acme.test", office="acme")
    await do(desk, alias.add, address="sales@acme.test", targets=["anna@acme.test", "out@far.test"])
    await do(desk, group.add, address="staff@acme.test", members=["all@acme.test", "anna@acme.test"])
    await do(desk, group.add, address="all@acme.test", members=["ben@acme.test"])
    await do(desk, route.add, domain="*", host="smart.test", login="us", password="hop secret")
    await do(desk, setting.set_, name="limit.accounts", scope="domain:acme.test", value="50")
    await do(desk, setting.set_, name="smtp.banner", value="at your service")
    await desk.store.commit(PutShare(account="zoe@sister.test", member="anna@acme.test", right=ShareRight.WRITE))
    return desk


async def test_applying_a_snapshot_to_its_own_server_changes_nothing(full):
    """Not one object differs, and no trace is left."""
    content = await take(full)
    before = len(await full.store.audit(limit=1000))
    applied = await put(full, content, prune=True)
    assert (applied.changed, applied.differences) == (0, [])
    assert len(await full.store.audit(limit=1000)) == before


async def test_a_snapshot_holds_no_secret(full):
    """Neither hashes nor passwords of routes stand in it, only references."""
    content = (await take(full)).decode()
    held = await full.store.account("carl@acme.test")
    assert held.password_hash not in content
    assert "hop secret" not in content
    assert len(set(re.findall(r'"secret:[0-9a-f]{32}"', content))) == 2


async def test_a_new_server_becomes_the_same_with_its_secrets(full, store_clock, tmp_path, another_store):
    """A snapshot with secrets makes an empty server the same, also under another sealing key."""
    content = await take(full, with_secrets=True)
    other = make_desk(another_store, store_clock, tmp_path)
    await put(other, content)
    assert (await other.store.account("carl@acme.test")).password_hash == (
        await full.store.account("carl@acme.test")
    ).password_hash
    (row,) = await other.store.routes()
    assert other.sealing.open(row.sealed_password, "route:*") == "hop secret"
    ours, theirs = document.read(await take(full)), document.read(await take(other))
    assert {key for key in ours.objects if ours.objects[key] != theirs.objects.get(key)} <= {("route", "*")}


async def test_without_its_secrets_a_new_server_refuses(full, store_clock, tmp_path, another_store):
    """A reference that nobody can resolve is named, and nothing was done."""
    content = await take(full)
    other = make_desk(another_store, store_clock, tmp_path)
    with pytest.raises(Refused, match="does not hold") as refused:
        await put(other, content)
    assert "snapshot" in refused.value.remedy
    assert await other.store.domains() == []


async def test_what_differs_is_shown_and_changed(full):
    """A dry run shows each field; applying makes it so; undoing it takes another apply."""
    content = await take(full)
    changed = content.replace(b'"at your service"', b'"hello"').replace(b'quota = "1 GiB"', b'quota = "2 GiB"')
    told = await put(full, changed, dry_run=True)
    assert {(row.subject, row.field, row.before, row.after) for row in told.differences} == {
        ("setting:server:smtp.banner", "value", "at your service", "hello"),
        ("account:anna@acme.test", "quota", "1 GiB", "2 GiB"),
    }
    assert (await full.store.account("anna@acme.test")).quota_bytes == 1 << 30
    assert (await put(full, changed)).changed == 2
    assert (await full.store.account("anna@acme.test")).quota_bytes == 2 << 30
    assert (await put(full, changed)).changed == 0


async def test_pruning_holds_accounts_and_removes_the_rest(full):
    """What the file does not name goes; accounts can still come back."""
    content = (await take(full)).decode()
    content = re.sub(r'\n\[(account\."ben@acme\.test"|alias\."sales@acme\.test")\]\n(?:[a-z_]+ = .*\n)*', "\n", content)
    assert (await put(full, content.encode())).changed == 0
    applied = await put(full, content.encode(), prune=True)
    assert {row.subject for row in applied.differences} == {"account:ben@acme.test", "alias:sales@acme.test"}
    held = await full.store.account("ben@acme.test")
    assert (held.state, held.held_until > full.clock.now()) == (AccountState.HELD, True)
    assert await full.store.alias("sales@acme.test") is None


async def test_all_or_nothing(full):
    """Where the last object cannot be written, the first is not either."""
    content = await take(full)
    bad = content.replace(b'"at your service"', b'"hello"') + b'\n[account."new@nowhere.test"]\n'
    bad = bad.replace(document.END.encode(), b"") + b"\n" + document.END.encode()
    with pytest.raises(Refused):
        await put(full, bad)
    rows = {row.name: row.value for row in await full.store.settings()}
    assert rows["smtp.banner"] == "at your service"


BAD = {
    "nothing": (b"", "not a snapshot"),
    "not TOML": (b"format = ", "not TOML"),
    "not UTF-8": (b"format = 1\n# \xff", "not UTF-8"),
    "another format": (b"format = 2", "not a snapshot of format 1"),
    "cut off": (b"end_marked = true\nformat = 1\n", "cut off"),
    "unknown kind": (b'format = 1\n[box."x"]\n', "nothing that a snapshot holds"),
    "unknown field": (b'format = 1\n[domain."a.test"]\ncolour = "red"\n', "has no field"),
    "wrong type": (b'format = 1\n[domain."a.test"]\ndisabled = "yes"\n', "true or false"),
    "no domain": (b'format = 1\n[domain."a..test"]\n', "not a domain"),
    "no address": (b'format = 1\n[account."anna"]\n', "not an address"),
    "control characters": (b'format = 1\n[domain."a.test"]\nnote = "a\\u001b[2J"\n', "not shown"),
    "twice by case": (b'format = 1\n[domain."a.test"]\n[domain."A.test"]\n', "twice"),
    "alias without targets": (b'format = 1\n[alias."x@acme.test"]\n', "no targets"),
    "setting that is none": (b'format = 1\n[setting.server]\n"smtp.nothing" = "1"\n', "there is no setting"),
    "setting that cannot be": (b'format = 1\n[setting.server]\n"smtp.message_size" = "big"\n', "cannot be used"),
    "open relay": (b'format = 1\n[route."*"]\nhost = "a.test"\nrecipients_local = true\n', "open relay"),
    "a clear password": (b'format = 1\n[account."anna@acme.test"]\npassword = "geheim"\n', "not a reference"),
    "an array of tables": (b"format = 1\n[[domain]]\n", "nothing that a snapshot holds"),
    "depth": (b"format = 1\nx = " + b"[" * 5000 + b"]" * 5000, ""),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_file_that_cannot_be_is_refused_as_a_whole(desk, name: str):
    """The refusal says what is wrong, in words that can be shown; nothing was written."""
    content, words = BAD[name]
    before = await take(desk)
    with pytest.raises(Refused) as refused:
        await put(desk, content)
    assert words in refused.value.detail
    assert refused.value.detail.isprintable()
    assert await take(desk) == before


async def test_only_the_server_may(desk):
    """An administrator of a post office can neither take nor apply the whole state."""
    boss = await caller_of(desk.store, "boss@acme.test")
    for operation in (snapshot.snapshot, snapshot.apply):
        with pytest.raises(Refused) as refused:
            await do(desk, operation, boss)
        assert refused.value.kind is Kind.FORBIDDEN


async def _last(desk: Any, subject: str) -> int:
    (row,) = await desk.store.audit(subject=subject, limit=1)
    return row.number


async def test_a_change_is_undone(full):
    """What was changed is as it was; what came after in other fields stays."""
    await do(full, account.set_, address="anna@acme.test", quota="3G")
    number = await _last(full, "account:anna@acme.test")
    await do(full, account.set_, address="anna@acme.test", note="later")
    await do(full, snapshot.undo, number=number)
    row = await full.store.account("anna@acme.test")
    assert (row.quota_bytes, row.note) == (1 << 30, "later")


async def test_what_was_removed_comes_back(full):
    """An alias and a group with its members are there again."""
    for operation, address in ((alias.remove, "sales@acme.test"), (group.remove, "all@acme.test")):
        kind = operation.noun
        await do(full, operation, address=address)
        await do(full, snapshot.undo, number=await _last(full, f"{kind}:{address}"))
    assert (await full.store.alias("sales@acme.test")).targets == ("anna@acme.test", "out@far.test")
    assert await full.store.members("all@acme.test") == ["ben@acme.test"]


async def test_members_are_undone(full):
    """Who was taken out of a group is in it again."""
    await do(full, group.remove_member, address="staff@acme.test", members=["anna@acme.test"])
    await do(full, snapshot.undo, number=await _last(full, "group:staff@acme.test"))
    assert await full.store.members("staff@acme.test") == ["all@acme.test", "anna@acme.test"]


async def test_what_was_added_goes_again(full):
    """An alias goes; an account is held, since mail may have come."""
    await do(full, snapshot.undo, number=await _last(full, "alias:sales@acme.test"))
    assert await full.store.alias("sales@acme.test") is None
    await do(full, snapshot.undo, number=await _last(full, "account:carl@acme.test"))
    assert (await full.store.account("carl@acme.test")).state is AccountState.HELD


async def test_what_cannot_be_undone_says_why(full):
    """An unknown entry, and one that was overtaken, are refused; force takes the latter."""
    with pytest.raises(Refused, match="no entry"):
        await do(full, snapshot.undo, number=99_999)
    await do(full, alias.set_, address="sales@acme.test", targets=["ben@acme.test"])
    number = await _last(full, "alias:sales@acme.test")
    await do(full, alias.set_, address="sales@acme.test", targets=["carl@acme.test"])
    with pytest.raises(Refused, match="changed since: targets") as refused:
        await do(full, snapshot.undo, number=number)
    assert refused.value.kind is Kind.NOT_NOW
    await do(full, snapshot.undo, number=number, force=True)
    assert (await full.store.alias("sales@acme.test")).targets == ("anna@acme.test", "out@far.test")
