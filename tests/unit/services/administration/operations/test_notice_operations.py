"""Messages to all users of something: whom one may write to, what is refused, and going on."""

import pytest

from posthouse.services.administration.call import Call
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.jobs import DONE, JobRunner, start_job
from posthouse.services.administration.operations import notice
from posthouse.store.directory_values import ChangeMembers, PutGroup, PutSetting
from posthouse.store.rows import Field
from posthouse.telemetry.log import null_telemetry
from tests.support.desks import ON_MACHINE, caller_of, do

WORDS = {"subject": "Maintenance", "text": "On Sunday."}


@pytest.fixture(autouse=True)
async def quick(desk):
    """Wait for nothing between steps."""
    from posthouse.services.identity.inheritance import load_settings

    await desk.store.commit(PutSetting(name="message.notice_rate", value="100000"))
    await load_settings(desk.store, desk.settings)


async def having(store, address):
    """Return the subjects in an account's inbox."""
    account = await store.account(address)
    box = await store.mailbox_named(account.id, "INBOX")
    return [subject for (subject,) in await store.messages(account.id, box.id, [(1, 99)], [Field.SUBJECT])]


REACH = {
    # who, whom he names, how many would get it or None where he may not
    "server": ("root@own.test", {}, 8),
    "server, a domain": ("root@own.test", {"domain": "ACME.test"}, 4),
    "server, an office": ("root@own.test", {"office": "acme"}, 5),
    "server, its own domains": ("root@own.test", {"office": ""}, 1),
    "office": ("boss@acme.test", {}, 5),
    "office, a domain": ("boss@acme.test", {"domain": "sister.test"}, 1),
    "office, another domain": ("boss@acme.test", {"domain": "rival.test"}, None),
    "office, another": ("boss@acme.test", {"office": "rival"}, None),
    "domain": ("admin@acme.test", {}, 4),
    "domain, its group": ("admin@acme.test", {"group": "team@acme.test"}, 2),
    "domain, another group": ("admin@acme.test", {"group": "team@rival.test"}, None),
    "domain, a sister": ("admin@acme.test", {"domain": "sister.test"}, None),
    "domain, another sender": ("admin@acme.test", {"sender": "x@rival.test"}, None),
    "a person": ("anna@acme.test", {}, None),
}


@pytest.mark.parametrize("name", REACH)
async def test_everybody_writes_to_his_own(desk, name) -> None:
    """A dry run counts, and sends nothing; a sender is within reach as well."""
    address, whom, count = REACH[name]
    store = desk.store
    for group in ("team@acme.test", "team@rival.test"):
        await store.commit(PutGroup(address=group))
        await store.commit(ChangeMembers(group=group, add=("anna@acme.test", "rita@rival.test")))
    caller = await caller_of(store, address)
    if count is None:
        with pytest.raises(Refused) as caught:
            await do(desk, notice.send, caller, **WORDS, **whom, dry_run=True)
        assert caught.value.kind is Kind.FORBIDDEN
        return
    found = await do(desk, notice.send, caller, **WORDS, **whom, dry_run=True)
    assert (found.readers, found.sent) == (count, 0)
    assert not await having(store, "anna@acme.test")


async def test_it_is_sent_and_traced(desk) -> None:
    """Once, under the name that it was given; again changes nothing."""
    for _ in range(2):
        found = await do(desk, notice.send, **WORDS, domain="acme.test", id="sunday")
        assert (found.id, found.readers, found.sent) == ("sunday", 4, 4)
    assert await having(desk.store, "anna@acme.test") == ["Maintenance"]
    assert not await having(desk.store, "rita@rival.test")
    entries = [each for each in await desk.store.audit(limit=10) if each.subject == "notice:sunday"]
    assert [each.after["to"] for each in entries] == ["acme.test"]
    with pytest.raises(Refused, match="another message"):
        await do(desk, notice.send, subject="Other", text="x", domain="acme.test", id="sunday")


REFUSED = {
    "nobody": ({"domain": "own.test", "group": "none@own.test"}, "together"),
    "two targets": ({"domain": "own.test", "office": "acme"}, "together"),
    "a group that is not there": ({"group": "none@own.test"}, "there is no group"),
    "a domain that is not there": ({"domain": "nothing.test"}, "there is no domain"),
    "an office that is not there": ({"office": "nothing"}, "there is no post office"),
    "a name with a space": ({"id": "a b"}, "is not a name"),
    "a subject of two lines": ({"subject": "a\nb"}, "subject"),
    "control characters": ({"text": "a\x00b"}, "characters that are not shown"),
    "a sender elsewhere": ({"sender": "x@far.test"}, "there is no domain"),
    "a sender that is none": ({"sender": "nobody"}, "is not an address"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused(desk, name) -> None:
    """One error, and nobody gets anything."""
    changes, said = REFUSED[name]
    with pytest.raises(Refused) as caught:
        await do(desk, notice.send, **{**WORDS, **changes})
    assert said in caught.value.detail
    assert not await having(desk.store, "root@own.test")


async def test_a_domain_without_users(desk) -> None:
    """Is told, for it was hardly meant."""
    from posthouse.store.directory_values import PutDomain

    await desk.store.commit(PutDomain(name="empty.test"))
    with pytest.raises(Refused, match="nobody would get it"):
        await do(desk, notice.send, **WORDS, domain="empty.test")


async def pieces(*octets):
    """Yield an upload."""
    for each in octets:
        yield each


async def test_the_text_of_a_file(desk) -> None:
    """In UTF-8, with or without a mark at its beginning."""
    upload = pieces(b"\xef\xbb\xbfGr\xc3", b"\xbc\xc3\x9fe\r\n")
    found = await do(desk, notice.send_file, subject="Hello", domain="own.test", upload=upload)
    assert found.sent == 1


@pytest.mark.parametrize("octets", [b"", b" \n", b"\xff\xfe", b"x" * 400_001, b"a\x00b"])
async def test_files_that_are_no_text(desk, octets) -> None:
    """Are refused before anything is sent."""
    with pytest.raises(Refused):
        await do(desk, notice.send_file, subject="Hello", domain="own.test", upload=pieces(octets))
    assert not await having(desk.store, "root@own.test")


async def test_a_job_goes_on_under_its_own_id(desk) -> None:
    """A worker that died left a step undone; the next one sends the rest, and nobody has it twice."""
    call = Call(caller=ON_MACHINE, desk=desk)
    row = await start_job(call, notice.send, notice.SendNotice(**WORDS))
    for worker in ("one", "two"):
        runner = JobRunner(desk, worker, null_telemetry())
        await runner.claim()
        await runner.idle()
        ended = await desk.store.job(row.id)
        assert ended.state == DONE
        assert ended.result["id"] == row.id
        await desk.store.commit(_again(row.id, desk))
    assert await having(desk.store, "anna@acme.test") == ["Maintenance"]


def _again(job, desk):
    """Return the change after which a job waits again, as one whose lease ended."""
    from posthouse.store.directory_values import PutJob

    return PutJob(id=job, state="waiting", owner="", until=0.0, at=desk.clock.now())
