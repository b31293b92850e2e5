"""Running an import: the plan's steps into a sink, in batches, with progress, able to go on where it was interrupted.

The source is gone through once without writing, so that one that is cut off or no such source at all changes nothing;
then batch by batch. Reading happens in a thread, a batch at a time. Things that are there already are left as they
are, or brought to what the source says (``Existing.UPDATE``); nobody's password is ever replaced. Running an import
again changes nothing.

Going on where one was interrupted: the records that were done are passed over, if the last of them is there. Where it
is not (another store was put in place meanwhile), the import begins anew.

Tests: ``tests/unit/services/administration/importing/test_import_apply.py``.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Final

from posthouse.core.clock import Clock
from posthouse.services.administration.importing.checkpoints import Checkpoints, MemoryCheckpoints
from posthouse.services.administration.importing.pace import ALONE, Pace, Stride
from posthouse.services.administration.importing.plan import Fence, Plan, Step, no_fence
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedDomain,
    Record,
    Thing,
    Unmapped,
    kind_name,
    subject_of,
)
from posthouse.services.administration.importing.report import ImportReport
from posthouse.services.administration.importing.schemes import quick_hash
from posthouse.services.administration.importing.sink import Ending, Look, RecordOutcome, Sink, Standing

HASHES_AT_ONCE: Final = 8


class Existing(enum.Enum):
    """What happens to things that are there already and differ."""

    KEEP = "keep"
    UPDATE = "update"


class Clear(enum.Enum):
    """What happens to clear passwords."""

    STRONG = "strong"  # hashed with Argon2id: tens of milliseconds each
    QUICK = "quick"  # hashed with {SSHA512}, made anew at the first sign-in: millions in minutes
    LEAVE = "leave"  # not taken over: accounts without a password


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How an import is done. ``hashes_a_second`` 0 is as fast as the machine can."""

    is_dry_run: bool = False
    existing: Existing = Existing.KEEP
    clear: Clear = Clear.STRONG
    makes_domains: bool = True
    hashes_a_second: float = 0.0
    pace: Pace = ALONE
    fence: Fence = no_fence


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is imported: its name, the kind of reader, a digest of it, and a new reading each time it is called."""

    name: str
    kind: str
    fingerprint: str
    records: Callable[[], Iterable[Record]] = field(repr=False)


def no_progress(done: int, total: int, text: str) -> None:
    """Tell nobody."""


class Importer:
    """Runs imports.

    Args:
        sink: where to.
        clock: for the report, and the pace of hashing.
        hash_password: makes an Argon2id hash, in a thread.
        checkpoints: where it is kept how far an import is.
        progress: is told records done, records in all, and what is being done.
        cancelled: whether to stop at the next batch.
    """

    def __init__(
        self,
        sink: Sink,
        clock: Clock,
        hash_password: Callable[[bytes], Awaitable[str]],
        *,
        checkpoints: Checkpoints | None = None,
        progress: Callable[[int, int, str], None] = no_progress,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._hash = hash_password
        self._checkpoints = checkpoints or MemoryCheckpoints()
        self._progress = progress
        self._cancelled = cancelled

    async def run(self, source: Source, options: ImportOptions) -> ImportReport:
        """Import, or say what an import would do. Raises Unreadable, Unavailable: run it again to go on."""
        began = self._clock.monotonic()
        key = _key(source, options)
        stride = Stride(options.pace, self._clock)
        done = 0 if options.is_dry_run else self._checkpoints.done(key)
        total = 0 if options.is_dry_run or done else await self._counted(source, options, stride)
        steps, report = await self._opened(source, options, stride, done)
        try:
            await self._batches(steps, report, options, key, total)
        finally:
            steps.close()
        if report.is_complete and not options.is_dry_run:
            self._checkpoints.clear(key)
        report.seconds = self._clock.monotonic() - began
        return report

    async def _opened(
        self, source: Source, options: ImportOptions, stride: Stride, done: int
    ) -> tuple[Generator[Step, None, None], ImportReport]:
        """Return the steps that are to do, and the report that they fill."""
        report = ImportReport(source.name, source.kind, is_dry_run=options.is_dry_run)
        plan = Plan(report, fence=options.fence, makes_domains=options.makes_domains)
        steps = plan.steps(source.records())
        if done:
            last = await _last_passed(steps, done, options, stride)
            if last is None or (await self._sink.look([last.thing]))[0].standing is Standing.NEW:
                steps.close()
                return await self._opened(source, options, stride, 0)
        report.resumed_after = done
        return steps, report

    async def _counted(self, source: Source, options: ImportOptions, stride: Stride) -> int:
        """Go through a source once; return how many records there are. Raises Unreadable."""
        records = iter(source.records())
        total = 0
        while seen := await stride.in_thread(lambda: list(islice(records, options.pace.read))):
            total += sum(1 for record in seen if not isinstance(record, Unmapped | Flawed))
        return total

    async def _batches(
        self, steps: Iterator[Step], report: ImportReport, options: ImportOptions, key: str, total: int
    ) -> None:
        done = report.resumed_after
        stride = Stride(options.pace, self._clock)
        while chunk := await stride.in_thread(lambda: list(islice(steps, options.pace.read))):
            for batch in _batched(chunk, options.pace.batch):
                if self._cancelled():
                    return
                began = self._clock.monotonic()
                await self._batch(batch, report, options)
                done += len(batch)
                report.records = done
                if not options.is_dry_run:
                    self._checkpoints.save(key, done)
                self._progress(done, max(total, done), kind_name(batch[-1].thing))
                await stride.rest(began)
        report.is_complete = True

    async def _batch(self, batch: list[Step], report: ImportReport, options: ImportOptions) -> None:
        looks = await self._sink.look([step.thing for step in batch])
        wanted: list[tuple[Thing, Standing]] = []
        for step, look in zip(batch, looks, strict=True):
            outcome = _decided(step, look, options)
            if outcome is None:
                wanted.append((step.thing, look.standing))
            else:
                _tell(report, step.thing, outcome)
        if not wanted:
            return
        if options.is_dry_run:
            outcomes = [_ENDINGS[standing] for _, standing in wanted]
        else:
            outcomes = await self._sink.put(await self._hashed(wanted, options))
        for (thing, _), outcome in zip(wanted, outcomes, strict=True):
            _tell(report, thing, outcome)

    async def _hashed(
        self, wanted: list[tuple[Thing, Standing]], options: ImportOptions
    ) -> list[tuple[Thing, Standing]]:
        """Give accounts a hash for their clear password; the sink never sees one."""
        ready = [(_quickly_hashed(thing, options.clear), standing) for thing, standing in wanted]
        slow = [index for index, (thing, _) in enumerate(ready) if _is_clear(thing)]
        for start in range(0, len(slow), HASHES_AT_ONCE):
            part = slow[start : start + HASHES_AT_ONCE]
            began = self._clock.monotonic()
            made = await asyncio.gather(*(self._strongly_hashed(ready[index][0]) for index in part))
            for index, thing in zip(part, made, strict=True):
                ready[index] = (thing, ready[index][1])
            if options.hashes_a_second:
                rest = len(part) / options.hashes_a_second - (self._clock.monotonic() - began)
                await asyncio.sleep(max(0.0, rest))
        return ready

    async def _strongly_hashed(self, thing: Thing) -> Thing:
        if not isinstance(thing, ImportedAccount) or thing.password is None:
            return thing
        return replace(thing, password=None, password_hash=await self._hash(thing.password))


_ENDINGS: Final = {
    Standing.NEW: RecordOutcome(Ending.MADE),
    Standing.OTHER: RecordOutcome(Ending.CHANGED),
}


def _is_clear(thing: Thing) -> bool:
    return isinstance(thing, ImportedAccount) and thing.password is not None


def _quickly_hashed(thing: Thing, clear: Clear) -> Thing:
    """Return an account without its clear password, unless that takes Argon2id."""
    if not isinstance(thing, ImportedAccount) or thing.password is None or clear is Clear.STRONG:
        return thing
    encoded = quick_hash(thing.password) if clear is Clear.QUICK else ""
    return replace(thing, password=None, password_hash=encoded)


def _decided(step: Step, look: Look, options: ImportOptions) -> RecordOutcome | None:
    """What becomes of a record without writing it; None where it is to be written."""
    if look.standing is Standing.NEW and not step.is_twice:
        return None
    name = subject_of(step.thing)
    if look.standing in {Standing.TAKEN, Standing.UNHELD}:
        return RecordOutcome(Ending.REFUSED, look.note)
    if step.is_twice and (look.standing is not Standing.NEW or options.is_dry_run):
        return RecordOutcome(Ending.REFUSED, f"{name} stands twice in the source", "The first one counts.")
    if look.standing is Standing.SAME:
        return RecordOutcome(Ending.PRESENT)
    if look.standing is Standing.OTHER:
        is_implied = isinstance(step.thing, ImportedDomain) and step.thing.implied
        if options.existing is Existing.KEEP or is_implied:
            return RecordOutcome(Ending.PRESENT)
    return None


def _tell(report: ImportReport, thing: Thing, outcome: RecordOutcome) -> None:
    report.count(thing, outcome.ending)
    if outcome.ending is Ending.REFUSED:
        report.problem(thing.where, outcome.detail, outcome.remedy)


def _batched(steps: list[Step], size: int) -> Iterator[list[Step]]:
    """Batches in order; one that stands twice begins a new one, so that the first is there when it is looked at."""
    batch: list[Step] = []
    for step in steps:
        if batch and (len(batch) >= size or step.is_twice):
            yield batch
            batch = []
        batch.append(step)
    if batch:
        yield batch


async def _last_passed(steps: Iterator[Step], count: int, options: ImportOptions, stride: Stride) -> Step | None:
    """Pass over steps that were done; return the last of them, None where there are not so many."""
    last: Step | None = None
    while count:
        some = islice(steps, min(count, options.pace.read))
        passed: list[Step] = await stride.in_thread(partial(list, some))
        if not passed:
            return None
        last = passed[-1]
        count -= len(passed)
    return last


def _key(source: Source, options: ImportOptions) -> str:
    """The name of the checkpoint: the source, and the options that change which records there are."""
    text = f"{source.kind}\0{source.fingerprint}\0{options.existing.value}\0{options.makes_domains}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
