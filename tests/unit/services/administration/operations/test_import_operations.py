"""Imports as operations: files that come with the call, reach, dry runs, the trace that stays."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import import_
from posthouse.services.identity.schemes import verify
from posthouse.store.directory_values import Level, PutAccount, PutOffice
from tests.support.desks import caller_of, do

DATA = Path(__file__).parents[4] / "data" / "imports"


async def upload(content):
    raw = content if isinstance(content, bytes) else content.encode()
    for at in range(0, len(raw), 1000):
        yield raw[at : at + 1000]


def packed(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


async def test_a_csv_file(desk):
    """Accounts are made, with a trace each; the file does not stay."""
    done = await do(desk, import_.csv, upload=upload("carl@acme.test,geheim123,100M\ndora@new.test,,\n"))
    assert (done.complete, done.counts) == (True, {"domains": {"present": 1, "made": 1}, "accounts": {"made": 2}})
    carl = await desk.store.account("carl@acme.test")
    assert (carl.quota_bytes, carl.password_hash) == (100 << 20, "$test$" + b"geheim123".hex())
    (entry,) = await desk.store.audit(subject="account:carl@acme.test")
    assert (entry.operation, entry.domain, entry.after) == ("import.csv", "acme.test", {"imported": "csv:1"})
    assert list((desk.home / "imports").iterdir()) == []


async def test_traces_are_for_the_administrators_of_the_domain(desk):
    """Also of a domain that is made in the same commit."""
    await desk.store.commit(PutOffice(name="newco"))
    await do(desk, import_.csv, upload=upload("address,office\ndora@newco.test,newco\n"))
    told = {entry.subject for entry in await desk.store.audit(office="newco")}
    assert told == {"domain:newco.test", "account:dora@newco.test"}


@pytest.mark.parametrize("live", [pytest.param(None, id="alone"), pytest.param(object(), id="beside a server")])
async def test_batches_are_small_beside_a_server(desk, monkeypatch, live):
    """So that mail does not wait for them; alone they are large."""
    sizes = []
    commit = desk.store.commit

    async def counted(*changes, rehearse=False):
        sizes.append(sum(isinstance(change, PutAccount) for change in changes))
        return await commit(*changes, rehearse=rehearse)

    monkeypatch.setattr(desk.store, "commit", counted)
    desk.live = live
    await do(desk, import_.csv, upload=upload("".join(f"p{number}@acme.test,,\n" for number in range(300))))
    assert sum(sizes) == 300
    assert max(sizes) == (300 if live is None else 100)


async def test_a_dry_run(desk):
    """Says the same and writes nothing."""
    done = await do(desk, import_.csv, dry_run=True, upload=upload("carl@acme.test,geheim123\nanna@acme.test,x\n"))
    assert done.counts["accounts"] == {"made": 1, "present": 1}
    assert await desk.store.account("carl@acme.test") is None


async def test_hmailserver(desk):
    """The whole of a database, twice: the second time nothing is done."""
    dump = (DATA / "hmailserver-mysql.sql").read_bytes()
    done = await do(desk, import_.hmailserver, upload=upload(dump))
    assert [problem.detail for problem in done.problems] == ["a recipient of a list that is not in the source"]
    emil = await desk.store.account("emil@old.example")
    assert emil.disabled
    assert verify(emil.password_hash, b"geheim123")
    assert (await desk.store.account("anna@example.org")).level is Level.SERVER
    assert (await desk.store.domain("example.net")).alias_of == "example.org"
    assert await desk.store.members("team@example.org") == ["anna@example.org", "bert@example.org"]
    again = await do(desk, import_.hmailserver, upload=upload(dump))
    assert {ending for counts in again.counts.values() for ending in counts} == {"present"}
    assert "rules are not imported: write them anew" in {group.why for group in again.left_out}


async def test_archives(desk):
    """Postfix, system users and MailEnable come as archives of their folders."""
    postfix = packed({"etc/postfix/main.cf": "myhostname = mx.example.org\nvirtual_alias_maps = hash:/etc/postfix/virtual\n",
                      "etc/postfix/virtual": "example.com x\ninfo@example.com anna@acme.test\n"})  # fmt: skip
    assert (await do(desk, import_.postfix, upload=upload(postfix))).problem_count == 0
    assert (await desk.store.alias("info@example.com")).targets == ("anna@acme.test",)
    system = packed({"etc/passwd": "carl:x:1000:1:Carl:/:/bin/sh\n", "etc/shadow": "carl:!:::::::\n"})
    done = await do(desk, import_.system, domain="Acme.test", upload=upload(system))
    assert done.counts["accounts"] == {"made": 1}
    mailenable = packed({"Config/AUTH.TAB": "UserName\tPassword\ndora@acme.test\tgeheim\n",
                         "Config/Postoffices/acme.test/MAILBOX.TAB": "dora\t\t0\t1\t-1\t0\n"})  # fmt: skip
    done = await do(desk, import_.mailenable, upload=upload(mailenable))
    assert (await desk.store.account("dora@acme.test")) is not None, done


async def test_ldif(desk):
    """People of a sign-in source have no password of their own."""
    text = "dn: uid=carl\nuid: carl\nmail: carl@acme.test\nuserPassword: geheim\n"
    await do(desk, import_.ldif, source="corp", upload=upload(text))
    row = await desk.store.account("carl@acme.test")
    assert (row.source, row.external_id, row.password_hash) == ("corp", "carl", "")


REACH = [
    pytest.param("admin@acme.test", "carl@acme.test,Quite-long-7777,1M\n", "", id="own domain"),
    pytest.param(
        "admin@acme.test", "carl@sister.test,Quite-long-7777,1M\n", "outside what you administer", id="another domain"
    ),
    pytest.param(
        "admin@acme.test",
        "carl@new.test,Quite-long-7777,1M\n",
        "outside what you administer",
        id="a domain there is not",
    ),
    pytest.param("boss@acme.test", "carl@sister.test,Quite-long-7777,1M\n", "", id="own post office"),
    pytest.param(
        "boss@acme.test",
        "carl@rival.test,Quite-long-7777,1M\n",
        "outside what you administer",
        id="another post office",
    ),
    pytest.param("admin@acme.test", "address,level\ncarl@acme.test,office\n", "more than you have", id="level"),
    pytest.param("boss@acme.test", "address,office\ncarl@sister.test,rival\n", "", id="office named in a row"),
]


@pytest.mark.parametrize(("who", "text", "why"), REACH)
async def test_administrators_import_within_their_reach(desk, who, text, why):
    """And nobody grants more than he has; what is outside is told like what does not exist."""
    done = await do(desk, import_.csv, await caller_of(desk.store, who), upload=upload(text))
    accounts = done.counts.get("accounts", {})
    if why:
        assert any(why in problem.detail for problem in done.problems)
        assert "made" not in accounts
    else:
        assert accounts == {"made": 1}
    assert "made" not in done.counts.get("domains", {})
    assert "made" not in done.counts.get("post offices", {})


async def test_nobody_changes_an_account_above_his_own(desk):
    """An update leaves it as it is and says so."""
    admin = await caller_of(desk.store, "admin@acme.test")
    text = "address,name\nboss@acme.test,Somebody\nanna@acme.test,Anna\n"
    done = await do(desk, import_.csv, admin, existing="update", upload=upload(text))
    assert [problem.detail for problem in done.problems] == ["boss@acme.test administers more than you do"]
    assert (await desk.store.account("anna@acme.test")).display_name == "Anna"


OTHERS = [import_.hmailserver, import_.mailenable, import_.postfix, import_.system, import_.ldif]


@pytest.mark.parametrize("operation", OTHERS, ids=lambda each: each.verb)
async def test_whole_systems_are_for_the_server(desk, operation):
    """An administrator of a post office may not."""
    boss = await caller_of(desk.store, "boss@acme.test")
    assert boss.role is Role.OFFICE
    fields = {"domain": "acme.test"} if operation is import_.system else {}
    with pytest.raises(Refused) as caught:
        await do(desk, operation, boss, upload=upload(b"x"), **fields)
    assert caught.value.kind is Kind.FORBIDDEN


@pytest.mark.parametrize("operation", [import_.csv, import_.postfix], ids=lambda each: each.verb)
async def test_a_file_must_come_with_it(desk, operation):
    """One clear error."""
    with pytest.raises(Refused, match="no file was given"):
        await do(desk, operation)


async def test_a_file_that_is_no_archive(desk):
    """One clear error, and nothing stays."""
    with pytest.raises(Refused, match="is no zip or tar archive"):
        await do(desk, import_.postfix, upload=upload(b"not an archive"))
    assert list((desk.home / "imports").iterdir()) == []
