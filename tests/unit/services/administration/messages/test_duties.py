"""Messages that nobody's call causes: the report of a day, once a day; guessed passwords, once a day for each owner."""

import asyncio
import datetime as dt

import pytest

from posthouse.core.errors import Unavailable
from posthouse.services.administration.messages.duties import RETRY, DutyParts, LetterDuties
from posthouse.services.administration.messages.once import claim, commit_once, is_claimed
from posthouse.services.identity.bans import AUTOMATIC
from posthouse.store.directory_values import PutAccount, PutBan
from posthouse.testing.telemetry import RecordingTelemetry

DAY = 86_400.0


class Summaries:
    """Makes reports, and counts them."""

    def __init__(self) -> None:
        self.days: list[dt.date] = []
        self.error: Exception | None = None

    async def __call__(self, day):
        self.days.append(day)
        if self.error is not None:
            raise self.error
        return f"Mail on {day}\n"


@pytest.fixture
def worker(store, mail, desk, store_clock):
    """Return what makes the duties of one worker; ``summaries`` makes the reports of all of them."""
    summaries, telemetry = Summaries(), RecordingTelemetry()

    def make(owner):
        return LetterDuties(
            DutyParts(
                store=store,
                mail=mail,
                settings=desk.settings,
                clock=store_clock,
                telemetry=telemetry,
                hostname="mx.example.test",
                owner=owner,
                report=summaries,
                zone=dt.UTC,
            )
        )

    make.summaries, make.telemetry = summaries, telemetry
    return make


async def look(duties) -> None:
    """Look once, and wait for the report."""
    await duties.look()
    await duties.idle()


def at(clock, hour, minute=0, day=14):
    """Set the clock to a time of day in November 2023."""
    clock.time = dt.datetime(2023, 11, day, hour, minute, tzinfo=dt.UTC).timestamp()


async def test_the_report_comes_once_a_day_at_its_time(store_clock, worker, inbox, settle) -> None:
    """To the postmaster of the server, about the day before; not before its time, and not twice."""
    await settle("report.daily_at", "07:30")
    one = worker("one")
    for hour, minute in ((0, 0), (7, 29), (7, 30), (7, 31), (23, 59)):
        at(store_clock, hour, minute)
        await look(one)
    assert worker.summaries.days == [dt.date(2023, 11, 13)]
    (message,) = await inbox("root@own.test")
    assert message["Subject"] == "Report of 2023-11-13 from mx.example.test"
    assert message.get_content().startswith("Mail on 2023-11-13")
    assert worker.telemetry.named("report.sent")[0]["to"] == ["postmaster@mx.example.test"]
    at(store_clock, 7, 30, day=15)
    await look(one)
    assert worker.summaries.days[1:] == [dt.date(2023, 11, 14)]


async def test_several_workers_and_restarts_make_one_report(store_clock, worker, inbox, settle) -> None:
    """Who holds the duty looks; who comes after it finds the day claimed."""
    await settle("report.daily_at", "07:30")
    at(store_clock, 8)
    one, two = worker("one"), worker("two")
    await look(one)
    await look(two)
    store_clock.advance(3_600)  # the lease of the first has ended
    await look(two)
    await look(worker("three"))
    assert len(worker.summaries.days) == 1
    assert len(await inbox("root@own.test")) == 1


async def test_two_that_were_at_it_at_once_deliver_it_once(store, store_clock, worker, inbox, settle) -> None:
    """The claim is in the commit that delivers."""
    await settle("report.daily_at", "07:30")
    at(store_clock, 8)
    one, two = worker("one"), worker("two")
    today = dt.date(2023, 11, 14)
    await asyncio.gather(*(each._send_report(today, store_clock.now()) for each in (one, two)))
    assert len(await inbox("root@own.test")) == 1
    assert await is_claimed(store, "daily report", "2023-11-14")


async def test_no_time_means_no_report(store_clock, worker) -> None:
    """The setting is empty unless somebody wants one."""
    at(store_clock, 23)
    await look(worker("one"))
    assert not worker.summaries.days


async def test_readers_are_those_of_the_setting_each_in_his_language(store, store_clock, worker, inbox, settle) -> None:
    """Strangers get it through the queue."""
    await settle("report.daily_at", "07:30")
    await settle("report.daily_to", "anna@acme.test, boss@far.test")
    await store.commit(PutAccount(address="anna@acme.test", language="nl", must_be_new=False))
    at(store_clock, 8)
    await look(worker("one"))
    assert (await inbox("anna@acme.test"))[0]["Subject"] == "Rapport van 2023-11-13 van mx.example.test"
    assert [row.address for row in await store.queue_rows()] == ["boss@far.test"]


@pytest.mark.parametrize("error", [Unavailable("there is no log", where="x"), OSError(2, "No such file")])
async def test_a_report_that_fails_is_tried_again(store_clock, worker, inbox, settle, error) -> None:
    """After a while, with an event that says why."""
    await settle("report.daily_at", "07:30")
    at(store_clock, 8)
    one, worker.summaries.error = worker("one"), error
    await look(one)
    await look(one)
    assert len(worker.summaries.days) == 1
    assert worker.telemetry.names == ["report.failed"]
    store_clock.advance(RETRY)
    worker.summaries.error = None
    await look(one)
    assert len(await inbox("root@own.test")) == 1


async def test_a_report_that_reaches_nobody_is_told(store_clock, worker, settle) -> None:
    """Instead of being thought sent."""
    await settle("report.daily_at", "07:30")
    await settle("report.daily_to", "nobody@acme.test")
    at(store_clock, 8)
    await look(worker("one"))
    assert "nobody@acme.test reaches nobody" in worker.telemetry.named("report.failed")[0]["error"]


def ban(clock, account, network="192.0.2.0/24", by=AUTOMATIC, since=0.0):
    """Return a ban that begins now."""
    now = clock.now() - since
    return PutBan(network=network, account=account, reason="12 wrong passwords", since=now, until=now + 3_600, by=by)


async def test_owners_hear_of_guessing_once_a_day(store, store_clock, worker, inbox, settle) -> None:
    """However many networks guess; on the next day again."""
    await settle("message.send", "sign-in-ban")
    one = worker("one")
    for network in ("192.0.2.0/24", "198.51.100.0/24"):
        await store.commit(ban(store_clock, "anna@acme.test", network))
        await one.look()
    await worker("one").look()  # it was started again
    (message,) = await inbox("anna@acme.test")
    assert message["Subject"] == "Somebody tried to guess your password"
    assert "somebody at 192.0.2.0/24" in message.get_content()
    store_clock.advance(DAY)
    await store.commit(ban(store_clock, "anna@acme.test"))
    await one.look()
    assert len(await inbox("anna@acme.test")) == 2


async def test_bans_that_are_nobodys_news(store, store_clock, worker, inbox, settle) -> None:
    """Of a person's making, for everybody, for nobody's account, old, or where nobody wants to know."""
    await settle("message.send", "sign-in-ban", "domain:acme.test")
    await store.commit(
        ban(store_clock, "anna@acme.test", by="root"),
        ban(store_clock, "", network="198.51.100.1"),
        ban(store_clock, "nobody@acme.test"),
        ban(store_clock, "ben@acme.test", since=DAY),
        ban(store_clock, "zoe@sister.test"),
    )
    await worker("one").look()
    for each in ("anna@acme.test", "ben@acme.test", "zoe@sister.test"):
        assert not await inbox(each)


async def test_a_look_never_fails(store, worker, monkeypatch) -> None:
    """What goes wrong is an event; the next look tries again."""

    async def commit(*_, **__):
        raise Unavailable("the disk is full", where="store")

    monkeypatch.setattr(store, "commit", commit)
    await worker("one").look()
    assert worker.telemetry.named("letters.failed")[0]["error"] == "the disk is full"


@pytest.mark.usefixtures("desk")
async def test_once_means_once(store, store_clock) -> None:
    """What goes with a claim is written with the first one alone."""
    now = store_clock.now()
    assert await commit_once(store, claim("x", "1", now), PutAccount(address="a@own.test"))
    assert not await commit_once(store, claim("x", "1", now), PutAccount(address="b@own.test"))
    assert await store.account("b@own.test") is None
    assert await is_claimed(store, "x", "1")
    assert not await is_claimed(store, "y", "1")
