"""Drive a coroutine in place, and make a task of it only where it really waits.

The embedded store answers reads without suspending, and most commands need nothing else. Creating a task for each
would cost a trip through the event loop; here the coroutine's first steps run in the caller's stack. Where it does
suspend it goes on as an ordinary task, with everything a task has (cancellation, timeouts).

Before its first suspension a coroutine run here has no current task: it must not use ``asyncio.timeout`` or
``asyncio.current_task`` until it has awaited something that waits. Tests: ``tests/unit/servers/test_eager.py``.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


def run(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, T],
    on_done: Callable[[T | None, BaseException | None], None],
) -> asyncio.Task[T] | None:
    """Run a coroutine, now if it never waits.

    Args:
        loop: the running loop.
        coroutine: is consumed.
        on_done: called exactly once with ``(result, None)`` or ``(None, error)``; at once where nothing waited.

    Returns: the task that goes on, or None where ``on_done`` was called already.
    """
    try:
        pending = coroutine.send(None)
    except StopIteration as stop:
        on_done(stop.value, None)
        return None
    except BaseException as error:
        on_done(None, error)
        return None
    task: asyncio.Task[T] = loop.create_task(_resume(coroutine, pending))
    task.add_done_callback(lambda done: _report(done, coroutine, on_done))
    return task


def _report(
    task: asyncio.Task[T], coroutine: Coroutine[Any, Any, T], on_done: Callable[[T | None, BaseException | None], None]
) -> None:
    if task.cancelled():
        coroutine.close()  # it saw nothing of this where the task was cancelled before its first step
        on_done(None, asyncio.CancelledError())
    elif (error := task.exception()) is not None:
        on_done(None, error)
    else:
        on_done(task.result(), None)


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, T], pending: Any) -> Generator[Any, Any, T]:
    """Go on with a coroutine that has been started: yield what it waits for, hand back what comes of it."""
    fault: BaseException | None = None
    value: Any = None
    while True:
        try:
            value = yield pending
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:
            fault = error
        try:
            pending = coroutine.send(value) if fault is None else coroutine.throw(fault)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            fault = None
