"""Group commit: gathers what sessions hand in, writes it in one transaction, flushes once, wakes them all.

One group at a time::

    idle -- submit --> gathering -- lock taken --> writing (loop thread) --> flushing (helper thread) --> woken
                         ^   |  a sibling has the lock: the helper thread waits                             |
                         |   +-- after a failed flush: healing (helper thread) --> gathering                |
                         +------- more was handed in meanwhile --------------------------------------------+

Nothing is acknowledged before its flush. Where writing, flushing or healing fails, every call of the group is
answered with Unavailable, and the next group tries again; no restart is needed. The same goes for calls that waited
``LOCK_PATIENCE`` for a lock that somebody else holds; the helper thread waits on. Tests: ``tests/unit/store``.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from posthouse.core.clock import Clock
from posthouse.core.errors import Fault, Unavailable
from posthouse.store.sqlite.connection import as_fault
from posthouse.store.sqlite.database import Database
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.staging import StagedBody
from posthouse.store.sqlite.writer import Call, write_group
from posthouse.store.values import Delivery

MAX_CALLS = 512  # of one group, so that the loop is not held for long
MAX_OCTETS = 4 * 1024 * 1024
# Where calls come many at a time a group waits this long for company: a transaction costs as much processor time as
# three or four deliveries. A caller that is alone waits for nothing, and no group waits once as many have come as
# came to the largest of late.
GATHER_SECONDS = 0.003
LOCK_PATIENCE = 10.0  # seconds; writers hold the lock for milliseconds, so its holder is stopped or hangs
_PAGES = 16 * 1024  # octets of log that a call costs beside its content, roughly
_SHARING = 200  # changes of one call, from which on each further one costs its rows alone
_ROW = 150


class HelperThread:
    """A thread that runs one function at a time and reports on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], Callable[[BaseException | None], None]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, job: Callable[[], None], then: Callable[[BaseException | None], None]) -> None:
        """Run ``job`` in the thread, then ``then`` on the loop with its error or None."""
        self._jobs.put((job, then))

    def stop(self) -> None:
        """End the thread after what it has to do."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, then = item
            error: BaseException | None = None
            try:
                job()
            except BaseException as raised:
                error = raised
            try:
                self._loop.call_soon_threadsafe(then, error)
            except RuntimeError:  # the loop was closed under us: nobody waits any more
                return


class Committer:
    """Commits for one store. Used from one event loop."""

    def __init__(
        self, database: Database, clock: Clock, committed: Callable[[Group], None], wrote: Callable[[int], None]
    ) -> None:
        """``committed`` is called with each group that is on stable storage, ``wrote`` with octets of log, roughly."""
        self._database = database
        self._clock = clock
        self._committed = committed
        self._wrote = wrote
        self._loop = asyncio.get_running_loop()
        self._helper = HelperThread(self._loop, "posthouse-flush")
        self._pending: deque[tuple[Call, asyncio.Future[Any]]] = deque()
        self._group: list[tuple[Call, asyncio.Future[Any]]] = []
        self._written: Group | None = None
        self._busy = False
        self._crowd = 0  # calls in the largest group of late
        self._gathering: asyncio.TimerHandle | None = None
        self._impatience: asyncio.TimerHandle | None = None  # set while the helper thread waits for the lock
        self._suspect = False
        self._closed = False
        self._idle: list[asyncio.Future[None]] = []
        self._began = 0.0
        self.watcher: Callable[[float, int], None] | None = None  # is told seconds and calls of each group committed

    def submit(
        self, changes: Sequence[Any], staged: Sequence[StagedBody | None], *, rehearse: bool = False
    ) -> asyncio.Future[Any]:
        """Hand in a call; the future has its result once it is on stable storage, or was taken back again."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            future.set_exception(Unavailable("the store is closed", where="store.commit"))
            return future
        self._pending.append((Call(changes, staged, is_rehearsal=rehearse), future))
        if not self._busy:
            self._busy = True
            self._start()
        elif self._gathering is not None and len(self._pending) >= self._crowd:
            self._gathering.cancel()
            self._gathering = None
            self._loop.call_soon(self._begin)
        return future

    def _start(self) -> None:
        """Begin a group: soon, or where calls come many at a time, once more of them have gathered."""
        if 1 < self._crowd > len(self._pending):
            self._gathering = self._loop.call_later(GATHER_SECONDS, self._begin)
        else:
            self._loop.call_soon(self._begin)

    async def close(self) -> None:
        """Wait for what was handed in, then end."""
        self._closed = True
        if self._busy:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._idle.append(waiter)
            await waiter
        self._helper.stop()

    # -- the steps of a group -----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._gathering = None
        self._began = self._clock.monotonic()
        self._group = self._take()
        self._crowd = max(len(self._group), self._crowd - 1 - self._crowd // 16)
        if self._suspect:
            self._wait(self._heal, self._healed)
        else:
            self._lock()

    def _lock(self) -> None:
        if self._database.try_lock():
            self._write(None)
        else:
            self._wait(self._database.wait_for_lock, self._locked)

    def _wait(self, job: Callable[[], None], then: Callable[[BaseException | None], None]) -> None:
        """Run a job that waits for the lock in the thread; calls that wait too long for it are answered meanwhile."""

        def ended(error: BaseException | None) -> None:
            if self._impatience is not None:
                self._impatience.cancel()
                self._impatience = None
            then(error)

        self._impatience = self._loop.call_later(LOCK_PATIENCE, self._lose_patience)
        self._helper.run(job, ended)

    def _lose_patience(self) -> None:
        calls, self._group = [*self._group, *self._pending], []
        self._pending.clear()
        fault = Unavailable("another process holds the lock of the store for long", where="store.lock")
        self._answer(calls, fault, fault.where)
        self._impatience = self._loop.call_later(LOCK_PATIENCE, self._lose_patience)

    def _locked(self, error: BaseException | None) -> None:
        if not self._group and error is None:
            self._group = self._take()
        self._write(error)

    def _take(self) -> list[tuple[Call, asyncio.Future[Any]]]:
        """Take calls for one group: others first, then deliveries, whose rows so stay together."""
        taken: list[tuple[Call, asyncio.Future[Any]]] = []
        octets = 0
        while self._pending and len(taken) < MAX_CALLS and octets < MAX_OCTETS:
            call, future = self._pending.popleft()
            if not future.cancelled():
                taken.append((call, future))
                octets += _weight(call)
        taken.sort(key=lambda item: len(item[0].changes) == 1 and type(item[0].changes[0]) is Delivery)
        return taken

    def _heal(self) -> None:
        self._database.wait_for_lock()
        try:
            self._database.heal()
        finally:
            self._database.unlock()

    def _healed(self, error: BaseException | None) -> None:
        if error is None:
            try:
                self._database.reopen()
            except Exception as raised:
                error = raised
        if error is not None:
            self._fail(error, "store.heal")
            return
        self._suspect = False
        self._lock()

    def _write(self, error: BaseException | None) -> None:
        """Write the group on the loop thread; the lock is ours."""
        if error is not None:
            self._fail(error, "store.lock")
            return
        connection = self._database.connection
        before = connection.total_changes
        calls = [call for call, _ in self._group]
        try:
            self._written = write_group(connection, calls, self._clock.now())
        except BaseException as raised:
            error = raised
        finally:
            self._database.unlock()
        if error is not None:
            self._fail(error, "store.commit")
            if not isinstance(error, Exception):
                raise error
            return
        self._group = self._answer_rehearsals()
        if not self._group:
            self._next()
            return
        self._wrote(sum(map(_weight, calls)) + (connection.total_changes - before) * _ROW)
        self._helper.run(self._database.flush, self._flushed)

    def _answer_rehearsals(self) -> list[tuple[Call, asyncio.Future[Any]]]:
        """Answer calls of which nothing was kept, which have no flush to wait for; return the others."""
        waiting = []
        for call, future in self._group:
            if call.is_rehearsal:
                _settle(call, future)
            else:
                waiting.append((call, future))
        return waiting

    def _flushed(self, error: BaseException | None) -> None:
        if error is not None:
            self._suspect = True
            self._fail(error, "store.flush")
            return
        for call, future in self._group:
            _settle(call, future)
        if self._written is not None:
            self._committed(self._written)
        if self.watcher is not None:
            self.watcher(self._clock.monotonic() - self._began, len(self._group))
        self._next()

    def _fail(self, error: BaseException, where: str) -> None:
        self._answer(self._group, error, where)
        self._next()

    @staticmethod
    def _answer(calls: Sequence[tuple[Call, asyncio.Future[Any]]], error: BaseException, where: str) -> None:
        for _, future in calls:
            if not future.cancelled():
                fault: Fault = as_fault(error, where)
                fault.__cause__ = error if fault is not error else None
                future.set_exception(fault)

    def _next(self) -> None:
        self._group = []
        self._written = None
        if self._pending:
            self._start()
            return
        self._busy = False
        for waiter in self._idle:
            if not waiter.done():
                waiter.set_result(None)
        self._idle.clear()


def _settle(call: Call, future: asyncio.Future[Any]) -> None:
    if future.cancelled():
        return
    if call.error is None:
        future.set_result(call.result)
    else:
        future.set_exception(call.error)


def _weight(call: Call) -> int:
    """Return roughly how many octets of log a call costs; the changes of a long one share most of their pages."""
    octets = _PAGES * min(len(call.changes), _SHARING)
    for value, staged in zip(call.changes, call.staged, strict=True):
        content = getattr(value, "content", None) if type(value) is not Delivery else value.email.content
        octets += len(content) if isinstance(content, bytes) and staged is None else 0
    return octets
