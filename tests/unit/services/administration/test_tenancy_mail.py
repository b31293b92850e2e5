"""Attacks by way of imports, exports, sessions, jobs and sign-ins that are tried: the mail and the people of others.

Each test is an attack that must come to nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from posthouse.services.administration.call import Call
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.jobs import start_job
from posthouse.services.administration.operations import check, domain_purge, export, import_, job, session, setting
from posthouse.services.identity.inheritance import read_settings
from posthouse.store.directory_values import Level, PutAccount, PutAddress, PutDomain
from tests.support.desks import ON_MACHINE, caller_of, do, make_desk, people

BOSS, ADMIN, ANNA = "boss@acme.test", "admin@acme.test", "anna@acme.test"


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk on two post offices; in acme.test a second administrator and one of the server."""
    await people(store)
    await store.commit(
        PutAccount(address="peer@acme.test", level=Level.DOMAIN),
        PutAccount(address="root@acme.test", level=Level.SERVER),
    )
    return make_desk(store, store_clock, tmp_path)


async def refused(desk, operation, who: str, kind: Kind = Kind.FORBIDDEN, /, **fields) -> Refused:
    """Return the refusal that an attack comes to."""
    caller = await caller_of(desk.store, who)
    with pytest.raises(Refused) as told:
        await do(desk, operation, caller, **fields)
    assert told.value.kind is kind, told.value
    return told.value


# ---- imports ----------------------------------------------------------------------------------------------------


async def imported(desk, who: str, *lines: str, **fields):
    """Return what a CSV file of some lines comes to."""

    async def upload() -> AsyncIterator[bytes]:
        yield "\r\n".join(lines).encode()

    caller = await caller_of(desk.store, who)
    return await do(desk, import_.csv, caller, upload=upload(), **fields)


async def test_a_row_of_another_tenant_brings_no_address_of_mine_along(desk):
    """An address in one's own domain is not given to an account that is out of reach, there or not."""
    for victim in ("rita@rival.test", "nobody@rival.test"):
        report = await imported(desk, ADMIN, "address,aliases", f"{victim},door@acme.test", existing="update")
        assert {each.detail for each in report.problems} == {"rival.test is outside what you administer"}
    assert await desk.store.account("door@acme.test") is None
    assert await desk.store.account("nobody@rival.test") is None


async def test_an_import_gives_those_above_no_address(desk):
    """Nor a name, a password or a quota."""
    report = await imported(
        desk, ADMIN, "address,aliases,name,password,quota", "root@acme.test,door@acme.test,X,Quite-long-7777,1G",
        existing="update",
    )  # fmt: skip
    assert len(report.problems) == 2
    assert all("administers more" in each.detail for each in report.problems)
    assert await desk.store.account("door@acme.test") is None
    assert (await desk.store.account("root@acme.test")).display_name == ""


@pytest.mark.parametrize("level", ["office", "server"])
async def test_an_import_makes_nobody_more_than_who_imports(desk, level):
    """Neither anew nor of an account that is there."""
    for address in ("new@acme.test", ANNA):
        report = await imported(desk, ADMIN, "address,level", f"{address},{level}", existing="update")
        assert "more than you have" in report.problems[0].detail
    assert (await desk.store.account(ANNA)).level is Level.USER


async def test_an_import_is_no_way_around_the_rules_for_passwords(desk):
    """New passwords of customers are held to the policy; those that a server's administrator moves here are as they are."""
    report = await imported(desk, ADMIN, "new@acme.test,short,")
    assert "cannot be used" in report.problems[0].detail
    assert "short" not in report.problems[0].detail.replace("short,", "")
    assert await desk.store.account("new@acme.test") is None
    made = await do(desk, import_.csv, ON_MACHINE, upload=_octets(b"old@acme.test,short,"))
    assert made.counts["accounts"]["made"] == 1


async def test_an_import_is_no_way_around_the_limits(desk):
    """Where every account needs a quota, one without is refused, as by hand; and more than may be, too."""
    await do(desk, setting.set_, name="limit.account_quota", value="1G", scope="office:acme")
    desk.settings = await read_settings(desk.store)
    report = await imported(
        desk, ADMIN, "address,quota", "a@acme.test,", "b@acme.test,unlimited", "c@acme.test,2G", "d@acme.test,1G"
    )
    assert len(report.problems) == 3
    assert await desk.store.account("d@acme.test") is not None
    assert await desk.store.account("a@acme.test") is None


async def test_an_import_does_not_go_on_where_another_tenants_stopped(desk):
    """The same file from another is another import."""
    lines = ("new@acme.test,Quite-long-7777,", "new@rival.test,Quite-long-7777,")
    caller = await caller_of(desk.store, BOSS)
    stopped = Call(caller=caller, desk=desk, upload=_octets("\r\n".join(lines).encode()), cancelled=lambda: True)
    stopped.operation = "import.csv"
    assert not (await import_.csv.run(stopped, import_.csv.input())).complete
    report = await imported(desk, "chief@rival.test", *lines)
    assert report.resumed_after == 0
    assert await desk.store.account("new@rival.test") is not None


async def test_administrators_of_the_post_office_read_of_imports(desk):
    """What a domain's administrator imports is told to those of its post office, and to no other."""
    await imported(desk, ADMIN, "new@acme.test,Quite-long-7777,")
    entry = (await desk.store.audit(subject="account:new@acme.test", limit=1))[0]
    assert (entry.office, entry.domain) == ("acme", "acme.test")


async def _octets(content: bytes) -> AsyncIterator[bytes]:
    yield content


# ---- mail of others -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["peer@acme.test", "boss@acme.test", "root@acme.test", "zoe@sister.test"])
async def test_nobody_takes_out_the_mail_of_his_equal_or_of_whom_is_above(desk, whose):
    """An administrator reads mail of those below him."""
    await refused(desk, export.mailbox, ADMIN, address=whose)
    await refused(desk, export.mailbox, ANNA, address=whose)


async def test_a_further_address_is_no_way_to_mail(desk):
    """Whose mail it is says the account's first address."""
    await desk.store.commit(PutAddress(address="door@acme.test", account="rita@rival.test"))
    told = await refused(desk, export.mailbox, ADMIN, address="door@acme.test")
    assert "rita" not in told.detail


@pytest.mark.parametrize("who", [ADMIN, ANNA])
async def test_who_takes_mail_out_stands_in_the_audit_log(desk, who):
    """Whoever it is, before the first octet."""
    await do(desk, export.mailbox, await caller_of(desk.store, who), address=ANNA)
    entry = (await desk.store.audit(limit=1))[0]
    assert (entry.actor, entry.operation, entry.subject) == (who, "export.mailbox", f"account:{ANNA}")
    assert (entry.office, entry.domain) == ("acme", "acme.test")


async def test_passwords_are_not_tried_on_whom_one_does_not_administer(desk):
    """An explained sign-in tells whether a password is right; of those above, and of other tenants, it tells nothing."""
    await desk.store.commit(PutAddress(address="door@acme.test", account="rita@rival.test"))
    for name in ("root@acme.test", "boss@acme.test", "door@acme.test", "rita@rival.test"):
        told = await refused(desk, check.sign_in, ADMIN, address=name, password="guess")
        assert "rita" not in told.detail or name == "rita@rival.test"


# ---- sessions and jobs ----------------------------------------------------------------------------------------------


class Connected:
    """A running server with a session of everybody."""

    def __init__(self, *accounts: str) -> None:
        self.ended: list[str] = []
        self._accounts = accounts

    async def ask(self, question: str, **fields):
        """Tell the sessions, or end some."""
        if question == "disconnect":
            self.ended += fields["sessions"]
            return [{"ended": fields["sessions"]}]
        more = {"protocol": "imap", "listener": "imap", "address": "192.0.2.1", "since": 1.0, "tls": True}
        return [
            {"sessions": [
                {"id": each.partition("@")[0], "account": each, "received": 0, "sent": 0, **more}
                for each in self._accounts
            ]}
        ]  # fmt: skip


async def test_nobody_cuts_off_those_above_him_or_of_others(store, store_clock, tmp_path, desk):
    """By id or by account; a session of another tenant is as one that is not there."""
    live = Connected("root@acme.test", "boss@acme.test", ANNA, "rita@rival.test")
    desk = make_desk(store, store_clock, tmp_path, live=live)
    for fields in ({"id": "root"}, {"account": "root@acme.test"}, {"id": "boss"}):
        await refused(desk, session.disconnect, ADMIN, **fields)
    theirs = await refused(desk, session.disconnect, ADMIN, Kind.MISSING, id="rita")
    none = await refused(desk, session.disconnect, ADMIN, Kind.MISSING, id="none")
    assert theirs.detail.replace("rita", "*") == none.detail.replace("none", "*")
    ended = await do(desk, session.disconnect, await caller_of(store, ADMIN), account="rita@rival.test")
    assert ended.sessions == []
    listed = await do(desk, session.list_sessions, await caller_of(store, ADMIN))
    assert {each.account for each in listed.items} == {"root@acme.test", "boss@acme.test", ANNA}
    assert live.ended == []


async def test_a_job_of_whom_is_above_is_not_stopped_nor_its_file_fetched(desk):
    """It is seen, since it is about one's domain; what it does is its starter's."""
    await desk.store.commit(PutDomain(name="acme.test", disabled=True, must_be_new=False))
    started = await start_job(
        Call(caller=ON_MACHINE, desk=desk), domain_purge.purge, domain_purge.OneDomain(name="acme.test")
    )
    await desk.store.commit(PutDomain(name="acme.test", disabled=False, must_be_new=False))
    assert (await do(desk, job.show, await caller_of(desk.store, ADMIN), id=started.id)).state == "waiting"
    for operation in (job.cancel, job.fetch):
        await refused(desk, operation, ADMIN, id=started.id)
        await refused(desk, operation, BOSS, id=started.id)


async def test_a_job_of_another_tenant_is_as_one_that_is_not_there(desk):
    """By whatever is asked of it."""
    chief = await caller_of(desk.store, "chief@rival.test")
    row = await start_job(Call(caller=chief, desk=desk), import_.csv, import_.csv.input())
    for operation in (job.show, job.cancel, job.fetch):
        for who in (BOSS, ADMIN, ANNA):
            theirs = await refused(desk, operation, who, Kind.MISSING, id=row.id)
            none = await refused(desk, operation, who, Kind.MISSING, id="0" * 24)
            assert theirs.detail.replace(row.id, "*") == none.detail.replace("0" * 24, "*")
    for who in (BOSS, ADMIN, ANNA):
        assert (await do(desk, job.list_jobs, await caller_of(desk.store, who))).items == []
