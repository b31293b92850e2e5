"""Jobs: run, told, cancelled, cut, taken up after a worker died, and given up."""

import asyncio
import os

import pytest
from pydantic import Field, SecretStr

from posthouse.core.errors import Unavailable
from posthouse.services.administration import catalogue, jobs
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.jobs import JobRunner, forget_files, start_job, upload_of, write_chunks
from posthouse.services.administration.operation import Effect, Input, Output, Rule, on_own, operation
from posthouse.services.administration.operations import job
from posthouse.testing.telemetry import RecordingTelemetry
from tests.support.desks import caller_of, do, make_desk, people

GATE: list[asyncio.Event] = []


class Given(Input):
    """What the work takes."""

    what: str = Field("", description="What happens.")
    password: SecretStr = Field(SecretStr(""), description="A secret.")


class Told(Output):
    """What it comes to."""

    text: str = Field(description="Any text.")


@operation("work", "do", rule=Rule(Role.ACCOUNT, on_own()), http="POST /work", effect=Effect.CHANGE, is_long=True)
async def work(call: Call, given: Given) -> Told:
    """Do what the input says."""
    return await _work(call, given)


@operation("work", "again", rule=Rule(Role.ACCOUNT, on_own()), http="POST /again", effect=Effect.CHANGE, is_long=True,
           is_resumable=True)  # fmt: skip
async def again(call: Call, given: Given) -> Told:
    """Do the same, and be able to do it again."""
    return await _work(call, given)


async def _work(call, given):
    call.progress(1, 4, "begun")
    if given.what == "refuse":
        raise Refused("what: no", "Yes.", kind=Kind.INVALID, field="what")
    if given.what == "fail":
        raise Unavailable("the disk is full")
    if given.what == "break":
        raise ZeroDivisionError("secret")
    if given.what == "wait":
        await GATE[0].wait()
    if given.what == "notice":
        await turns(call.cancelled)
        return Told(text="half")
    call.progress(4, 4, "done")
    return Told(text=f"{call.caller.name} {given.password.get_secret_value()} {call.dry_run}")


@pytest.fixture(autouse=True)
def operations(monkeypatch):
    """Let jobs find the operations of this file."""
    GATE[:] = [asyncio.Event()]
    monkeypatch.setattr(catalogue, "operation", {"work.do": work, "work.again": again}.__getitem__)
    monkeypatch.setattr(jobs, "PULSE", 0.001)


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk over people of every level."""
    await people(store)
    return make_desk(store, store_clock, tmp_path)


@pytest.fixture
def telemetry():
    """Return what records events."""
    return RecordingTelemetry()


@pytest.fixture
async def runner(desk, telemetry):
    """Return a runner; what still runs at the end is cut."""
    made = JobRunner(desk, "one", telemetry)
    yield made
    await made.stop(0)


async def started(desk, what="", which=work, address="admin@acme.test", **fields):
    """Put a job into the store; return its id."""
    call = Call(caller=await caller_of(desk.store, address), desk=desk)
    return (await start_job(call, which, which.input(what=what, **fields))).id


async def run(runner):
    """Let a runner do all there is."""
    await runner.claim()
    await runner.idle()


async def shown(desk, number):
    """Return a job as its administrator sees it."""
    return await do(desk, job.show, await caller_of(desk.store, "root@own.test"), id=number)


async def until(desk, number, state):
    """Wait until a job is in a state."""
    for _ in range(100_000):
        if (await shown(desk, number)).state == state:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"the job is not {state}")


async def turns(condition):
    """Let others have their turn until something holds."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("waited in vain")


async def test_a_job_is_done_as_its_caller(desk, runner, telemetry) -> None:
    """With his secrets, which lie nowhere in the clear; progress and result are told."""
    number = await started(desk, password="hush")
    assert "hush" not in str(await desk.store.job(number))
    await run(runner)
    told = await shown(desk, number)
    assert (told.state, told.done, told.total, told.text) == ("done", 4, 4, "done")
    assert told.result == {"text": "admin@acme.test hush False"}
    assert (told.domain, told.office, told.started_by) == ("acme.test", "acme", "admin@acme.test")
    assert telemetry.named("job.ended")


@pytest.mark.parametrize(
    ("what", "result"),
    [
        ("refuse", {"kind": "invalid", "error": "what: no", "remedy": "Yes.", "field": "what"}),
        ("fail", {"error": "the disk is full"}),
    ],
)
async def test_a_job_that_fails_says_why(desk, runner, what, result) -> None:
    """In the words of the refusal."""
    number = await started(desk, what)
    await run(runner)
    told = await shown(desk, number)
    assert (told.state, told.result) == ("failed", result)


async def test_an_error_of_ours_is_logged_and_not_told(desk, runner, telemetry) -> None:
    """The result names the mark under which it is logged."""
    number = await started(desk, "break")
    await run(runner)
    (event,) = telemetry.named("job.broken")
    told = await shown(desk, number)
    assert event["id"] in told.result["error"]
    assert "secret" not in str(told.result)
    assert "ZeroDivisionError" in event["trace"]


async def test_a_running_job_is_cancelled(desk, runner) -> None:
    """It notices by itself; what it did stays done."""
    number = await started(desk, "notice")
    await runner.claim()
    await until(desk, number, "running")
    await do(desk, job.cancel, id=number)
    await runner.idle()
    assert (await shown(desk, number)).state == "cancelled"


async def test_a_job_that_does_not_notice_is_cut(desk, runner, store_clock, monkeypatch) -> None:
    """After some patience."""
    number = await started(desk, "wait")
    await runner.claim()
    await until(desk, number, "running")
    await do(desk, job.cancel, id=number)
    monkeypatch.setattr(jobs, "PATIENCE", 0.0)
    await runner.idle()
    told = await shown(desk, number)
    assert (told.state, told.result) == ("cancelled", {"error": "it was cancelled"})


async def test_a_waiting_job_is_cancelled(desk, runner) -> None:
    """It never runs, and its upload goes; a job that has ended cannot be cancelled."""
    number = await started(desk)

    async def octets():
        yield b"x"

    await write_chunks(upload_of(desk.home, number), octets())
    await do(desk, job.cancel, id=number)
    assert not upload_of(desk.home, number).exists()
    await run(runner)
    assert (await shown(desk, number)).state == "cancelled"
    with pytest.raises(Refused) as refusal:
        await do(desk, job.cancel, id=number)
    assert refusal.value.kind is Kind.NOT_NOW


async def test_a_dry_run_of_cancelling_stops_nothing(desk, runner) -> None:
    """The job goes on to wait."""
    number = await started(desk)
    await do(desk, job.cancel, id=number, dry_run=True)
    assert (await shown(desk, number)).state == "waiting"


@pytest.mark.parametrize(("which", "state"), [(work, "failed"), (again, "done")], ids=["not resumable", "resumable"])
async def test_a_job_whose_worker_died(  # noqa: PLR0917  (fixtures)
    desk, runner, store_clock, telemetry, which, state
) -> None:
    """Once its lease has ended another worker takes it up: it is done again, or said to have failed."""
    number = await started(desk, "wait", which)
    dead = JobRunner(desk, "dead", telemetry)
    await dead.claim()
    await until(desk, number, "running")
    for _ in range(1_000):
        if (await desk.store.job(number)).result:
            break
        await asyncio.sleep(0)
    store_clock.advance(jobs.LEASE + 1)
    GATE[0].set()
    before = await desk.store.job(number)
    assert before.owner == "dead"
    await runner.claim()
    await runner.idle()
    await dead.stop(0)
    assert (await shown(desk, number)).state == state


@pytest.mark.parametrize(("which", "state"), [(work, "failed"), (again, "waiting")], ids=["not resumable", "resumable"])
async def test_a_server_that_stops_cuts_jobs(desk, telemetry, which, state) -> None:
    """What can be done again waits for the next server; the rest says that it failed."""
    number = await started(desk, "wait", which)
    runner = JobRunner(desk, "one", telemetry)
    await runner.claim()
    await until(desk, number, "running")
    await runner.stop(0)
    assert (await shown(desk, number)).state == state
    if state == "waiting":
        GATE[0].set()
        await run(JobRunner(desk, "two", telemetry))
        assert (await shown(desk, number)).state == "done"


async def test_no_more_run_at_once_than_the_setting_says(desk, runner) -> None:
    """The rest waits its turn; all are done in the end."""
    numbers = [await started(desk, "wait") for _ in range(5)]
    await runner.claim()
    await turns(lambda: len(runner.running) == 2)
    assert [(await shown(desk, number)).state for number in numbers].count("running") == 2
    GATE[0].set()
    loop = asyncio.create_task(runner.run())
    for number in numbers:
        await until(desk, number, "done")
    loop.cancel()


@pytest.mark.parametrize(
    ("address", "sees"),
    [
        ("root@own.test", True),
        ("boss@acme.test", True),
        ("admin@acme.test", True),
        ("anna@acme.test", False),
        ("chief@rival.test", False),
        ("ben@acme.test", True),
    ],
)
async def test_who_sees_a_job(desk, address, sees) -> None:
    """Who started it, and the administrators of what it is about."""
    number = await started(desk, address="ben@acme.test")
    caller = await caller_of(desk.store, address)
    assert [each.id for each in (await do(desk, job.list_jobs, caller)).items] == ([number] if sees else [])
    if not sees:
        with pytest.raises(Refused) as refusal:
            await do(desk, job.show, caller, id=number)
        assert refusal.value.kind is Kind.MISSING


async def test_jobs_are_paged_past_those_of_others(desk, store_clock) -> None:
    """Each of one's own once, newest first."""
    own = []
    for number in range(9):
        store_clock.advance(1)
        made = await started(desk, address="ben@acme.test" if number % 3 == 0 else "anna@acme.test")
        own = [made, *own] if number % 3 == 0 else own
    ben = await caller_of(desk.store, "ben@acme.test")
    first = await do(desk, job.list_jobs, ben, limit=2)
    second = await do(desk, job.list_jobs, ben, limit=2, cursor=first.next)
    assert [each.id for each in [*first.items, *second.items]] == own
    assert second.next == ""


async def test_an_upload_that_is_too_large_leaves_nothing(tmp_path) -> None:
    """Neither the file, nor what was written of it."""

    async def octets():
        for _ in range(3):
            yield b"12345"

    path = upload_of(tmp_path, "one")
    with pytest.raises(Refused) as refusal:
        await write_chunks(path, octets(), most=12)
    assert refusal.value.kind is Kind.TOO_MUCH
    assert not path.exists()
    assert await write_chunks(path, octets(), most=15) == 15
    forget_files(tmp_path, "one")
    assert not path.parent.exists()


async def test_an_operation_that_is_gone(desk, runner, monkeypatch) -> None:
    """A job of a former version says so."""
    number = await started(desk)
    monkeypatch.setattr(catalogue, "operation", {}.__getitem__)
    await run(runner)
    assert (await shown(desk, number)).result == {"error": "there is no operation work.do"}


async def test_files_of_jobs_that_are_gone_are_removed(desk, store_clock) -> None:
    """Once they are old; those of a job that is known stay."""
    known, gone, fresh = await started(desk), "gone", "fresh"

    async def octets():
        yield b"x"

    for name in (known, gone, fresh):
        await write_chunks(upload_of(desk.home, name), octets())
    now = store_clock.now()
    for name, at in ((known, 0), (gone, 0), (fresh, now)):
        os.utime(desk.home / "jobs" / name, (at, at))
    await jobs.tidy(desk)
    assert {path.name for path in (desk.home / "jobs").iterdir()} == {known, fresh}
