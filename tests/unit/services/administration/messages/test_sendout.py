"""One message to many: everybody once, whoever dies in between and whoever else is at it."""

import asyncio
from dataclasses import replace

import pytest

from posthouse.core.errors import Unavailable
from posthouse.services.administration.call import no_progress
from posthouse.services.administration.messages import sendout as sendout_module
from posthouse.services.administration.messages.sendout import Notice, Sendout
from posthouse.store.contract import AlreadyExists
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    ChangeMembers,
    PutAccount,
    PutDomain,
    PutGroup,
    RemoveAccount,
)

NOTICE = Notice(id="maintenance", subject="Maintenance", text="On Sunday.")
MARK = "f" * 64


@pytest.fixture
def make(store, mail, monkeypatch):
    """Return what makes a sendout in steps of two; it notes how long it would have slept."""
    monkeypatch.setattr(sendout_module, "STEP", 2)
    monkeypatch.setattr(sendout_module, "PAGE", 3)
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    def made(notice=NOTICE, **more):
        found = Sendout(store, mail, notice, rate=100, sleep=sleep, **more)
        found.slept = slept
        return found

    return made


async def send(sendout, progress=no_progress):
    """Begin where it was not begun, and send."""
    if await sendout.point(MARK) is None:
        await sendout._store.commit(sendout.beginning(MARK, 1_700_000_000.0))
    return await sendout.run(MARK, progress, await sendout.count(), lambda: 1_700_000_000.0)


@pytest.fixture
def having(store, inbox):
    """Return what says how many messages everybody has."""

    async def count():
        return {row.address: len(await inbox(row.address)) for row in await store.accounts()}

    return count


EVERYBODY = {
    "admin@acme.test", "anna@acme.test", "ben@acme.test", "boss@acme.test", "chief@rival.test", "rita@rival.test",
    "root@own.test", "zoe@sister.test",
}  # fmt: skip
TO = {
    "everybody": ({}, EVERYBODY),
    "a post office": ({"office": "acme"}, {each for each in EVERYBODY if "acme" in each or "sister" in each}),
    "the server's own domains": ({"office": ""}, {"root@own.test"}),
    "a domain": ({"domain": "rival.test"}, {"chief@rival.test", "rita@rival.test"}),
    "a group": ({"group": "team@acme.test"}, {"anna@acme.test", "ben@acme.test", "rita@rival.test"}),
    "an empty domain": ({"domain": "empty.test"}, set()),
    "no group": ({"group": "nothing@acme.test"}, set()),
}


@pytest.mark.parametrize("name", TO)
async def test_who_gets_it(store, make, having, name) -> None:
    """Those of the reach, once; strangers in a group through the queue."""
    where, expected = TO[name]
    await store.commit(
        PutDomain(name="empty.test"), PutGroup(address="team@acme.test"), PutGroup(address="inner@acme.test")
    )
    for group, members in (("inner@acme.test", ("ben@acme.test", "rita@rival.test", "x@far.test")),
                           ("team@acme.test", ("anna@acme.test", "ben@acme.test", "inner@acme.test"))):  # fmt: skip
        await store.commit(ChangeMembers(group=group, add=members))
    sendout = make(replace(NOTICE, **where))
    strangers = 1 if name == "a group" else 0
    assert await sendout.count() == len(expected) + strangers
    assert (await send(sendout)).done == len(expected) + strangers
    assert {address for address, count in (await having()).items() if count} == expected
    assert max((await having()).values()) <= 1
    assert [row.address for row in await store.queue_rows()] == ["x@far.test"] * strangers


async def test_who_reads_nothing_is_left_out(store, make, having) -> None:
    """Disabled and held accounts, and shared mailboxes."""
    for address, more in (
        ("anna@acme.test", {"state": AccountState.DISABLED}),
        ("ben@acme.test", {"state": AccountState.HELD}),
        ("zoe@sister.test", {"kind": AccountKind.SHARED}),
        ("rita@rival.test", {"state": AccountState.SIGN_IN_DISABLED}),
    ):
        await store.commit(PutAccount(address=address, must_be_new=False, **more))
    await send(make())
    assert {address for address, count in (await having()).items() if not count} == {
        "anna@acme.test", "ben@acme.test", "zoe@sister.test",
    }  # fmt: skip


async def test_it_goes_on_after_the_last_reader_who_has_it(store, make, having, monkeypatch) -> None:
    """A worker that dies in the middle leaves nobody out and nobody with two; progress goes on, too."""
    real, commits, told = store.commit, [], []

    async def commit(*changes, **more):
        commits.append(changes)
        if len(commits) == 4:
            raise Unavailable("killed", where="test")
        return await real(*changes, **more)

    monkeypatch.setattr(store, "commit", commit)
    with pytest.raises(Unavailable):
        await send(make())
    assert sum((await having()).values()) == 4
    assert (await make().point(MARK)).done == 4
    point = await send(make(), lambda done, total, _: told.append((done, total)))
    assert (point.done, point.steps) == (8, 4)
    assert told == [(6, 8), (8, 8)]
    assert set((await having()).values()) == {1}
    await send(make())  # it has ended; once more changes nothing
    assert set((await having()).values()) == {1}


async def test_two_at_once_send_it_once(make, having) -> None:
    """One of them finds that the other was first, and stops."""
    found = await asyncio.gather(send(make()), send(make()), return_exceptions=True)
    assert any(isinstance(each, AlreadyExists) for each in found)
    await send(make())
    assert set((await having()).values()) == {1}


async def test_an_account_that_goes_meanwhile_spoils_nothing(store, make, having, monkeypatch) -> None:
    """It was read, and is destroyed before the step is written."""
    sendout = make()
    real = sendout._deliveries

    async def deliveries(readers):
        if await store.account("ben@acme.test") is not None:
            await store.commit(RemoveAccount(address="ben@acme.test"))
            return await real(readers)
        return await real(readers)

    monkeypatch.setattr(sendout, "_deliveries", deliveries)
    assert (await send(sendout)).done == 7
    assert set((await having()).values()) == {1}


async def test_it_stops_where_it_is_told(make, having) -> None:
    """After the step at hand; the rest comes when it goes on."""
    assert (await send(make(is_cancelled=lambda: True))).done == 2
    assert sum((await having()).values()) == 2


async def test_it_waits_between_steps(make) -> None:
    """So that other mail goes on: as long as a step is worth at the rate."""
    sendout = make()
    await send(sendout)
    assert sendout.slept == [0.02, 0.02, 0.02, 0.02]


async def test_readers_of_a_language_share_one_message(store, make, inbox) -> None:
    """Its sender is the postmaster of the domain, or whom it names; its readers are not listed."""
    await store.commit(PutAccount(address="ben@acme.test", language="de", must_be_new=False))
    await send(make(replace(NOTICE, domain="acme.test")))
    messages = {each: (await inbox(f"{each}@acme.test"))[0] for each in ("admin", "anna", "ben", "boss")}
    assert messages["admin"]["Message-ID"] == messages["anna"]["Message-ID"] != messages["ben"]["Message-ID"]
    assert messages["ben"]["Content-Language"] == "de"
    first = messages["anna"]
    assert first["From"].addresses[0].addr_spec == "postmaster@acme.test"
    assert first["To"].groups[0].display_name == "acme.test"
    assert first["Subject"] == "Maintenance"
    assert first.get_content().strip() == "On Sunday."
    assert first["Return-Path"] == "<>"


async def test_a_name_stands_for_one_message(make) -> None:
    """The same name for another message is refused."""
    from posthouse.services.administration.faults import Refused

    await send(make())
    with pytest.raises(Refused, match="another message"):
        await make().point("0" * 64)


async def test_braces_in_a_notice_are_text(make, inbox) -> None:
    """What was given is no template."""
    await send(make(replace(NOTICE, subject="{{ hostname }}", text="{% for x in y %}")))
    message = (await inbox("anna@acme.test"))[0]
    assert message["Subject"] == "{{ hostname }}"
    assert "{% for x in y %}" in message.get_content()
