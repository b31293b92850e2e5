"""The control socket of a worker: ``status``, ``metrics`` and ``tail``, one JSON line each way.

The command line asks for the first and the last, the siblings for the second. ``tail`` may name a ``level``.

Further words are ``sessions`` and ``disconnect`` (``servers.sessions``). Only who may write to the home's ``run``
folder reaches it.

Tests: ``tests/unit/servers/test_control_socket.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

REQUEST_SIZE: Final = 4096
_UNKNOWN: Final = {"error": "ask for status or tail"}
BACKLOG_SIZE: Final = 1 << 20  # octets that a slow follower of the log may leave unread before it is cut off

Subscribe = Callable[..., Callable[[], None]]
"""Takes a callback for log lines, and where one is asked for a level; returns what ends it."""
Command = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class ControlDoor(asyncio.Protocol):
    """One connection of a command.

    Args:
        status: tells what ``status`` answers.
        subscribe: hands every log line to a callback until the returned function is called.
        metrics: tells what ``metrics`` answers.
        commands: further words, each with what answers a request of that word.
    """

    def __init__(
        self,
        status: Callable[[], Mapping[str, Any]],
        subscribe: Subscribe,
        metrics: Callable[[], Mapping[str, Any]] | None = None,
        commands: Mapping[str, Command] = MappingProxyType({}),
    ) -> None:
        self._commands = commands
        self._answers = {"status": status} | ({"metrics": metrics} if metrics is not None else {})
        self._subscribe = subscribe
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the request."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's transports are no subclass

    def data_received(self, data: bytes) -> None:
        """Answer the request once its line is whole."""
        self._buffer += data
        if b"\n" not in self._buffer and len(self._buffer) < REQUEST_SIZE:
            return
        line, self._buffer = self._buffer.split(b"\n", 1)[0], b""
        self._answer(line)

    def connection_lost(self, exc: Exception | None) -> None:
        """Follow no more."""
        self._transport = None
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _answer(self, line: bytes) -> None:
        assert self._transport is not None
        request: object = None
        with contextlib.suppress(orjson.JSONDecodeError):
            request = orjson.loads(line)
        word = request.get("do") if isinstance(request, dict) else None
        if word == "tail":
            if self._unsubscribe is None:
                level = request.get("level") if isinstance(request, dict) else None
                more = {"level": level} if isinstance(level, str) else {}
                self._unsubscribe = self._subscribe(self._follow, **more)
            return
        answer = self._answer_to(word, request) if isinstance(word, str) else _UNKNOWN
        self._transport.write(orjson.dumps(answer) + b"\n")
        self._transport.close()

    def _answer_to(self, word: str, request: object) -> Mapping[str, Any]:
        command = self._commands.get(word)
        if command is not None and isinstance(request, dict):
            return command(request)
        make = self._answers.get(word)
        return make() if make is not None else _UNKNOWN

    def _follow(self, line: bytes) -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > BACKLOG_SIZE:
            self._transport.abort()
            return
        self._transport.write(line)
