"""Coroutines driven in place."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.servers import eager


class Answers:
    """Notes what a coroutine came to."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, object]] = []
        self.done = asyncio.Event()

    def __call__(self, result: object, error: BaseException | None) -> None:
        self.seen.append((result, type(error) if error is not None else None))
        self.done.set()


async def at_once(value: object) -> object:
    """Answer without waiting."""
    if isinstance(value, BaseException):
        raise value
    return value


async def after(future: asyncio.Future[object]) -> object:
    """Answer what a future brings."""
    return ("after", await future)


async def test_what_never_waits_is_done_before_run_returns() -> None:
    """No task is made, and the answer is there at once."""
    answers = Answers()
    assert eager.run(asyncio.get_running_loop(), at_once(7), answers) is None
    assert answers.seen == [(7, None)]


async def test_an_error_that_comes_at_once_is_an_answer() -> None:
    """It is handed to the callback, not raised at the caller."""
    answers = Answers()
    assert eager.run(asyncio.get_running_loop(), at_once(ValueError("x")), answers) is None
    assert answers.seen == [(None, ValueError)]


async def test_what_waits_goes_on_as_a_task() -> None:
    """The task ends with the result, and the callback gets it once."""
    loop, answers = asyncio.get_running_loop(), Answers()
    future = loop.create_future()
    task = eager.run(loop, after(future), answers)
    assert task is not None
    assert answers.seen == []
    future.set_result(9)
    assert await task == ("after", 9)
    await answers.done.wait()
    assert answers.seen == [(("after", 9), None)]


async def test_an_error_after_waiting_is_an_answer() -> None:
    """Whatever a future raises goes through the coroutine to the callback."""
    loop, answers = asyncio.get_running_loop(), Answers()
    future = loop.create_future()
    task = eager.run(loop, after(future), answers)
    future.set_exception(KeyError("x"))
    with pytest.raises(KeyError):
        await task
    await answers.done.wait()
    assert answers.seen == [(None, KeyError)]


async def test_many_suspensions_are_followed() -> None:
    """Values and errors are sent into the coroutine at each of its waits."""

    async def steps(futures: list[asyncio.Future[int]]) -> list[object]:
        came: list[object] = []
        for future in futures:
            try:
                came.append(await future)
            except ZeroDivisionError:
                came.append("caught")
            await asyncio.sleep(0)
        return came

    loop, answers = asyncio.get_running_loop(), Answers()
    futures = [loop.create_future() for _ in range(3)]
    task = eager.run(loop, steps(futures), answers)
    futures[0].set_result(1)
    futures[1].set_exception(ZeroDivisionError())
    futures[2].set_result(3)
    assert await task == [1, "caught", 3]


async def test_a_task_can_be_cancelled() -> None:
    """The coroutine sees the cancellation, and the callback is told."""
    loop, answers, seen = asyncio.get_running_loop(), Answers(), []

    async def waits() -> None:
        try:
            await loop.create_future()
        finally:
            seen.append("cleaned up")

    task = eager.run(loop, waits(), answers)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await answers.done.wait()
    assert seen == ["cleaned up"]
    assert answers.seen == [(None, asyncio.CancelledError)]


async def test_a_task_cancelled_before_its_first_step_closes_the_coroutine() -> None:
    """Nothing of it is left running."""
    loop, answers, seen = asyncio.get_running_loop(), Answers(), []

    async def waits() -> None:
        try:
            await loop.create_future()
        finally:
            seen.append("closed")

    task = eager.run(loop, waits(), answers)
    task.cancel()
    await asyncio.wait([task])
    await answers.done.wait()
    assert seen == ["closed"]
    assert answers.seen == [(None, asyncio.CancelledError)]


async def test_timeouts_work_after_the_first_wait() -> None:
    """From then on the coroutine has a task like any other."""
    loop, answers = asyncio.get_running_loop(), Answers()

    async def waits() -> str:
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(0):
                await loop.create_future()
        except TimeoutError:
            return "in time"
        return ""

    assert await eager.run(loop, waits(), answers) == "in time"
