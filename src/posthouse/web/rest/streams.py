"""Operations that give one thing after the other, as server-sent events.

Each event has a number as its id and the thing as JSON. Between events that are far apart a comment keeps the line
open. What a slow client has not read waits in a buffer with an end: beyond it the oldest is dropped, and an event
``dropped`` says how many. The stream ends when the server stops, or the credential it was opened with ends.
Tests: ``tests/unit/web/rest/test_streams.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from pydantic import BaseModel

HEARTBEAT: Final = 15.0  # seconds; proxies cut what is silent for a minute
LOOK: Final = 1.0  # seconds between two looks whether the stream is still allowed


class EventBuffer:
    """What is to be sent to one client.

    Args:
        most: how many events are kept.
    """

    def __init__(self, most: int) -> None:
        self._waiting: deque[bytes] = deque(maxlen=most)
        self._news = asyncio.Event()
        self._number = 0
        self._dropped = 0
        self.is_ended = False

    def put(self, data: bytes) -> None:
        """Add an event; the oldest goes where there is no room."""
        self._number += 1
        if len(self._waiting) == self._waiting.maxlen:
            self._dropped += 1
        self._waiting.append(b"id: %d\ndata: %s\n\n" % (self._number, data))
        self._news.set()

    def end(self) -> None:
        """Say that nothing more will come."""
        self.is_ended = True
        self._news.set()

    async def take(self, seconds: float) -> bytes:
        """Return what waits, b"" where nothing came for so long."""
        if not self._waiting and not self.is_ended:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)
        self._news.clear()
        told = b"event: dropped\ndata: %d\n\n" % self._dropped if self._dropped else b""
        self._dropped = 0
        found = told + b"".join(self._waiting)
        self._waiting.clear()
        return found


async def event_stream(
    things: AsyncIterator[Any], most: int, may_go_on: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """Yield the octets of a stream until its source ends or ``may_go_on`` says no.

    Args:
        things: what happens; closed at the end.
        most: how many things wait for a slow client.
        may_go_on: asked every second.
    """
    buffer = EventBuffer(most)
    source = asyncio.create_task(_fill(buffer, things))
    silent = 0.0
    yield b"retry: 2000\n\n"
    try:
        while await may_go_on():
            block = await buffer.take(LOOK)
            silent = 0.0 if block else silent + LOOK
            if block:
                yield block
            elif buffer.is_ended:
                return
            elif silent >= HEARTBEAT:
                silent = 0.0
                yield b": still here\n\n"
        yield b"event: end\ndata: \n\n"
    finally:
        source.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await source


async def _fill(buffer: EventBuffer, things: AsyncIterator[Any]) -> None:
    try:
        async for thing in things:
            data = thing.model_dump_json() if isinstance(thing, BaseModel) else str(thing)
            buffer.put(data.encode())
    finally:
        buffer.end()
        close = getattr(things, "aclose", None)
        if close is not None:
            await close()
