"""The running server of a home, asked through the control sockets of its workers.

The other end of ``servers.control``, for programs on the machine and for the API, whose worker asks its siblings. A
worker that says nothing in time is left out; one that starts while events are followed joins within a second.
Implements ``services.administration.desk.Live``. Tests: ``tests/unit/servers/test_live.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

PATIENCE: Final = 3.0  # seconds for a worker to answer
LARGEST: Final = 64 << 20  # octets of an answer; a session is some 200
LOOK: Final = 1.0  # seconds between two looks for workers that have started
QUEUE: Final = 10_000  # events between the workers and who follows; the newest are dropped beyond
_LINE: Final = 1 << 20


class LiveServer:
    """The workers of one home.

    Args:
        run: the folder of control sockets.
    """

    def __init__(self, run: Path) -> None:
        self._run = run

    async def ask(self, question: str, **fields: Any) -> list[Mapping[str, Any]]:
        """Return each worker's answer; a worker that says nothing in time is left out."""
        request = orjson.dumps({"do": question, **fields}) + b"\n"
        answers = await asyncio.gather(*(self._ask(path, request) for path in self._sockets()))
        return [answer for answer in answers if answer is not None]

    def follow(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the events of all workers as they happen, until the iterator is closed."""
        return self._follow()

    def _sockets(self) -> list[Path]:
        return sorted(self._run.glob("control.*.sock"))

    async def _ask(self, path: Path, request: bytes) -> Mapping[str, Any] | None:
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_unix_connection(str(path), limit=_LINE)
                try:
                    writer.write(request)
                    answer = orjson.loads(await _whole(reader))
                finally:
                    writer.close()
        except (OSError, TimeoutError, orjson.JSONDecodeError):
            return None
        return answer if isinstance(answer, dict) else None

    async def _follow(self) -> AsyncIterator[Mapping[str, Any]]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE)
        join = asyncio.create_task(self._join(queue))
        try:
            while True:
                line = await queue.get()
                with contextlib.suppress(orjson.JSONDecodeError):
                    event = orjson.loads(line)
                    if isinstance(event, dict):
                        yield event
        finally:
            join.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await join

    async def _join(self, queue: asyncio.Queue[bytes]) -> None:
        """Read from every worker there is, and from those that start."""
        reading: dict[Path, asyncio.Task[None]] = {}
        try:
            while True:
                for path in self._sockets():
                    if path not in reading or reading[path].done():
                        reading[path] = asyncio.create_task(_read_lines(path, queue))
                await asyncio.sleep(LOOK)
        finally:
            for task in reading.values():
                task.cancel()
            await asyncio.gather(*reading.values(), return_exceptions=True)


async def _whole(reader: asyncio.StreamReader) -> bytes:
    parts, size = [], 0
    while part := await reader.read(1 << 16):
        size += len(part)
        if size > LARGEST:
            raise OSError("an answer without end")
        parts.append(part)
    return b"".join(parts)


async def _read_lines(path: Path, queue: asyncio.Queue[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_unix_connection(str(path), limit=_LINE)
        try:
            writer.write(b'{"do":"tail"}\n')
            while line := await reader.readline():
                with contextlib.suppress(asyncio.QueueFull):
                    queue.put_nowait(line)
        finally:
            writer.close()
