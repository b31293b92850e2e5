"""Jobs: long operations that go on after the request that started them was answered.

A job is a row of the store. Whichever worker claims it runs it, under a lease that it renews; progress is written at
most once a second. A worker that dies loses its lease; the next one runs the job again where its operation can be
resumed, else says that it failed.

    waiting ──claimed──> running ──> done | failed | cancelled
        ^                   │
        └── the server stops, or the lease ends, and the operation can be resumed

What the call was given lies sealed in the row, because passwords may be in it. Files beside it lie below
``HOME/jobs/ID``: ``upload``, what came with the call, until the job ends; ``result``, what it made where that is a
file, until housekeeping takes it with the row.

Not here: the operations about jobs (``operations/job.py``). Tests:
``tests/unit/services/administration/test_jobs.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel, SecretBytes, SecretStr

from posthouse.config.definitions.rest import JOBS
from posthouse.core.errors import Fault
from posthouse.services.administration import catalogue
from posthouse.services.administration.call import Call, perform, refused
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import Download, Operation
from posthouse.services.administration.reach import Reach
from posthouse.store.contract import StoreRefusal
from posthouse.store.directory_rows import JobRow
from posthouse.store.directory_values import ClaimJob, PutJob
from posthouse.telemetry.log import Telemetry

WAITING: Final = "waiting"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
ENDED: Final = frozenset({DONE, FAILED, CANCELLED})
LEASE: Final = 60.0  # seconds; a worker that is gone for so long has lost the job
LOOK: Final = 15.0  # seconds between two looks for jobs that others left
PULSE: Final = 1.0  # seconds between two looks at a running job: progress, lease, whether it is to stop
TIDY: Final = 3600.0  # seconds between two looks for files of jobs that are gone
FRESH: Final = 86_400.0  # seconds; files that are younger may be those of an upload under way
PATIENCE: Final = 10.0  # seconds that a cancelled job may take to stop by itself
CHUNK: Final = 1 << 18


def jobs_folder(home: Path) -> Path:
    """Return where files of jobs lie."""
    return home / "jobs"


def upload_of(home: Path, job: str) -> Path:
    """Return the file that came with the call."""
    return jobs_folder(home) / job / "upload"


def result_of(home: Path, job: str) -> Path:
    """Return the file that the job made."""
    return jobs_folder(home) / job / "result"


def new_job_id() -> str:
    """Return an id that no other job has."""
    return secrets.token_hex(12)


async def start_job(call: Call, operation: Operation[Any, Any], given: BaseModel, job: str = "") -> JobRow:
    """Put a job into the store, with what goes along in the same commit; return its row."""
    desk, caller = call.desk, call.caller
    office, domain = await _place(desk, operation, caller, given)
    job = job or new_job_id()
    change = PutJob(
        id=job,
        operation=operation.name,
        office=office,
        domain=domain,
        caller=caller.as_json(),
        input={
            "given": desk.sealing.seal(_as_text(given), _purpose(job)),
            "dry_run": call.dry_run,
            "if_revision": call.if_revision,
        },
        state=WAITING,
        done=0,
        total=0,
        text="",
        at=desk.clock.now(),
        must_be_new=True,
    )
    try:
        await desk.store.commit(change, *call.along)
    except StoreRefusal as refusal:
        raise refused(refusal) from None
    call.along.clear()
    made = await desk.store.job(job)
    assert made is not None, "the job was just written"
    return made


def _purpose(job: str) -> str:
    return f"job:{job}"


def _as_text(given: BaseModel) -> str:
    """Return an input as JSON with its secrets, which is why it is sealed."""
    return orjson.dumps(given.model_dump(), default=_plain).decode()


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr | SecretBytes) else str(value)


async def _place(desk: Desk, operation: Operation[Any, Any], caller: Caller, given: BaseModel) -> tuple[str, str]:
    """Return the post office and the domain whose administrators may see the job."""
    target = operation.rule.target(given)
    if target.reach is Reach.OFFICE:
        return target.name, ""
    if target.reach in {Reach.DOMAIN, Reach.ACCOUNT}:
        row = await desk.store.domain(target.name.rpartition("@")[2])
        if row is not None:
            return row.office, row.name
    domain = caller.domain if caller.role <= Role.DOMAIN else ""
    return (caller.office if caller.role <= Role.OFFICE else ""), domain


@dataclass(kw_only=True)
class _Running:
    """What is known of a job while it runs here."""

    row: JobRow
    done: int = 0
    total: int = 0
    text: str = ""
    told: tuple[int, int, str] = (0, 0, "")
    is_cancelled: bool = False
    is_lost: bool = False  # another worker has the lease

    def progress(self, done: int, total: int, text: str) -> None:
        """Note how far it is; written with the next pulse."""
        self.done, self.total, self.text = done, total, text


class JobRunner:
    """Runs jobs in one worker.

    Args:
        desk: what operations work with.
        owner: who this worker is, in leases.
        telemetry: is told of jobs that end.
        sleep: waits; tests hand in their own.
    """

    def __init__(
        self,
        desk: Desk,
        owner: str,
        telemetry: Telemetry,
        *,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._desk = desk
        self._owner = owner
        self._telemetry = telemetry
        self._sleep = sleep
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, _Running] = {}
        self._is_stopping = False

    def wake(self) -> None:
        """Look for jobs now: one was put into the store."""
        self._news.set()

    @property
    def running(self) -> list[str]:
        """The ids of jobs that run here."""
        return list(self._running)

    async def run(self) -> None:
        """Claim and run jobs until cancelled or stopped; now and then remove files of jobs that are gone."""
        tidied = float("-inf")
        while not self._is_stopping:
            self._news.clear()
            if self._desk.clock.monotonic() - tidied > TIDY:
                tidied = self._desk.clock.monotonic()
                with contextlib.suppress(Fault):
                    await tidy(self._desk)
            with contextlib.suppress(Fault):
                await self.claim()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK)

    async def claim(self) -> None:
        """Start as many of the jobs that wait as there is room for."""
        while len(self._tasks) < self._desk.settings.get(JOBS) and not self._is_stopping:
            now = self._desk.clock.now()
            row = await self._desk.store.commit(ClaimJob(owner=self._owner, now=now, until=now + LEASE))
            if row is None:
                return
            task = asyncio.create_task(self._carry_out(row))
            self._tasks.add(task)
            task.add_done_callback(self._task_ended)

    async def idle(self) -> None:
        """Wait until no job runs here."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def stop(self, seconds: float) -> None:
        """Let running jobs stop where they can go on later; then cut them. The rest of each is as for a dead worker."""
        self._is_stopping = True
        self._news.set()
        for each in self._running.values():
            each.is_cancelled = True
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=seconds)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._news.set()
        if not task.cancelled() and task.exception() is not None:
            self._telemetry.event("job.unwritten", level="error", error=repr(task.exception()))

    # ---- one job ----------------------------------------------------------------------------------------------

    async def _carry_out(self, row: JobRow) -> None:
        running = self._running[row.id] = _Running(row=row, done=row.done, total=row.total, text=row.text)
        try:
            operation = _operation(row.operation)
            if row.result is not None and (operation is None or not operation.is_resumable):
                await self._end(running, FAILED, {"error": "the server ended while it ran"})
            elif operation is None:
                await self._end(running, FAILED, {"error": f"there is no operation {row.operation}"})
            else:
                await self._write(running, result={"attempt": 1})  # whoever claims it next sees that it was begun
                await self._attempt(running, operation)
        finally:
            del self._running[row.id]

    async def _attempt(self, running: _Running, operation: Operation[Any, Any]) -> None:
        work = asyncio.create_task(self._perform(running, operation))
        watch = asyncio.create_task(self._watch(running, work))
        try:
            result = await work
        except Refused as refusal:
            state = CANCELLED if running.is_cancelled else FAILED
            words = {"error": refusal.detail, "remedy": refusal.remedy, "field": refusal.field}
            told = {"kind": refusal.kind.word, **words}
            await self._end(running, state, {name: text for name, text in told.items() if text})
        except Fault as fault:
            await self._end(running, FAILED, {"error": fault.detail or "the store cannot answer now"})
        except asyncio.CancelledError:
            await self._cut(running, operation)
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise
        except Exception as error:
            await self._failed(running, error)
        else:
            await self._end(running, await self._state_after(running, operation), result)
        finally:
            work.cancel()
            watch.cancel()

    async def _perform(self, running: _Running, operation: Operation[Any, Any]) -> dict[str, Any]:
        row = running.row
        upload = upload_of(self._desk.home, row.id)
        call = Call(
            caller=Caller.from_json(row.caller),
            desk=self._desk,
            progress=running.progress,
            upload=read_chunks(upload) if operation.upload else None,
            cancelled=lambda: running.is_cancelled,
            job=row.id,
            dry_run=bool(row.input["dry_run"]),
            if_revision=int(row.input["if_revision"]),
        )
        await call.require_still()
        given = orjson.loads(self._desk.sealing.open(row.input["given"], _purpose(row.id)))
        answer = await perform(operation, call, operation.input.model_validate(given))
        if isinstance(answer, Download):
            return await self._keep_file(row.id, answer)
        return answer.model_dump(mode="json") if isinstance(answer, BaseModel) else {}

    async def _keep_file(self, job: str, made: Download) -> dict[str, Any]:
        path = result_of(self._desk.home, job)
        size = await write_chunks(path, made.chunks)
        return {"file": made.name, "media_type": made.media_type, "octets": size}

    async def _watch(self, running: _Running, work: asyncio.Task[Any]) -> None:
        """Every second: write progress, renew the lease, see whether the job is to stop; cut one that does not."""
        renewed, asked = self._desk.clock.monotonic(), 0.0
        while not work.done():
            await self._sleep(PULSE)
            now = self._desk.clock.monotonic()
            with contextlib.suppress(Fault):
                row = await self._desk.store.job(running.row.id)
                running.is_lost |= row is None or row.owner != self._owner
                running.is_cancelled |= running.is_lost or (row is not None and row.state == CANCELLED)
                told = (running.done, running.total, running.text)
                if not running.is_cancelled and (told != running.told or now - renewed > LEASE / 3):
                    renewed, running.told = now, told
                    await self._write(running)
            if running.is_cancelled:
                asked = asked or now
                if now - asked >= PATIENCE:
                    work.cancel()
                    return

    async def _state_after(self, running: _Running, operation: Operation[Any, Any]) -> str:
        """Return the state of a job whose operation returned: one that stopped early because it was told is not done.

        An operation that noticed has ended cleanly in either case; only who cancelled it makes the difference.
        """
        if not running.is_cancelled:
            return DONE
        row = await self._desk.store.job(running.row.id)
        if row is not None and row.state == CANCELLED:
            return CANCELLED
        return WAITING if operation.is_resumable else DONE

    async def _cut(self, running: _Running, operation: Operation[Any, Any]) -> None:
        row = await self._desk.store.job(running.row.id)
        if row is not None and row.state == CANCELLED:
            await self._end(running, CANCELLED, {"error": "it was cancelled"})
        elif operation.is_resumable:
            await self._end(running, WAITING, {"attempt": 1})
        else:
            await self._end(running, FAILED, {"error": "the server stopped while it ran"})

    async def _failed(self, running: _Running, error: Exception) -> None:
        mark = secrets.token_hex(6)
        trace = "".join(traceback.format_exception(error))
        self._telemetry.event("job.broken", level="error", job=running.row.id, id=mark, trace=trace)
        await self._end(running, FAILED, {"error": f"it met an error of ours, logged as {mark}"})

    async def _write(self, running: _Running, *, result: dict[str, Any] | None = None) -> None:
        now = self._desk.clock.now()
        await self._desk.store.commit(
            PutJob(
                id=running.row.id,
                done=running.done,
                total=running.total,
                text=running.text,
                result=result,
                owner=self._owner,
                until=now + LEASE,
                at=now,
            )
        )

    async def _end(self, running: _Running, state: str, result: dict[str, Any]) -> None:
        if running.is_lost:
            return
        now = self._desk.clock.now()
        change = PutJob(
            id=running.row.id,
            state=state,
            done=running.done,
            total=running.total,
            text=running.text,
            result=result,
            owner="",
            until=0.0,
            at=now,
        )
        await self._desk.store.commit(change)
        if state in ENDED:
            await asyncio.to_thread(upload_of(self._desk.home, running.row.id).unlink, missing_ok=True)
            self._telemetry.event("job.ended", job=running.row.id, operation=running.row.operation, state=state)


def _operation(name: str) -> Operation[Any, Any] | None:
    try:
        return catalogue.operation(name)
    except KeyError:
        return None


async def read_chunks(path: Path) -> AsyncIterator[bytes]:
    """Yield a file, read in threads."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
    finally:
        file.close()


async def write_chunks(path: Path, chunks: AsyncIterator[bytes], *, most: int = 1 << 62) -> int:
    """Write a new file, in threads; return its octets. Raises Refused: TOO_MUCH, and nothing is left behind."""
    await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    size = 0
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise too_large(most)
            await asyncio.to_thread(file.write, chunk)
    except BaseException:
        file.close()
        path.unlink(missing_ok=True)  # noqa: ASYNC240  (quick, and nothing may come in between)
        raise
    file.close()
    return size


def too_large(most: int) -> Refused:
    """Return the refusal of an upload that is too large."""
    return Refused(
        f"the file has more than {most} octets", "Split it, or have rest.upload_size raised.", kind=Kind.TOO_MUCH
    )


async def tidy(desk: Desk) -> None:
    """Remove files of jobs that the store does not know any more."""
    for path in await asyncio.to_thread(_old_folders, desk.home, desk.clock.now() - FRESH):
        if await desk.store.job(path.name) is None:
            await asyncio.to_thread(forget_files, desk.home, path.name)


def _old_folders(home: Path, before: float) -> list[Path]:
    try:
        return [path for path in jobs_folder(home).iterdir() if path.stat().st_mtime < before]
    except FileNotFoundError:
        return []


def forget_files(home: Path, job: str) -> None:
    """Remove what lies beside a job."""
    shutil.rmtree(jobs_folder(home) / job, ignore_errors=True)
