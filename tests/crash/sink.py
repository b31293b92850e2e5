"""A next hop for crash tests: an SMTP server in this process that remembers which messages it took.

While it is moody it answers some transactions with 4xx, hangs up in the middle of others, and hangs up after it has
taken a message but before it says so, which makes a careful sender send it again.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import re

SUBJECT = re.compile(rb"^Subject: (\S+)", re.MULTILINE)
_REPLIES = {
    b"EHLO": b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n",
    b"MAIL": b"250 OK\r\n",
    b"RSET": b"250 OK\r\n",
    b"NOOP": b"250 OK\r\n",
}


class Sink:
    """Use as an async context; ``taken`` counts how often each token came."""

    def __init__(self, seed: int = 0) -> None:
        self.taken: collections.Counter[str] = collections.Counter()
        self.moody = True
        self.silent = False  # take DATA and say nothing any more
        self.octets = 0
        self._dice = random.Random(seed)
        self._server: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Sink:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Hang up on everybody."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    def _mood(self, share: float) -> bool:
        return self.moody and self._dice.random() < share

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._session(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink.test\r\n")
        granted = 0
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"QUIT":
                writer.write(b"221 Bye\r\n")
                return
            if word == b"RCPT":
                refused = self._mood(0.03)
                granted += not refused
                writer.write(b"451 Not now\r\n" if refused else b"250 OK\r\n")
            elif word == b"DATA" and granted:
                granted = 0
                writer.write(b"354 Go on\r\n")
                if not await self._message(reader, writer):
                    return
            else:
                granted = 0
                writer.write(_REPLIES.get(word, b"503 No\r\n"))

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one message; return whether the connection goes on."""
        if self.silent:
            await reader.read()
            return False
        if self._mood(0.02):
            await reader.read(100)
            writer.transport.abort()
            return False
        token = ""
        tail = b""
        while not tail.endswith(b"\r\n.\r\n"):
            piece = await reader.read(65_536)
            if not piece:
                return False
            self.octets += len(piece)
            if not token and (found := SUBJECT.search(tail + piece)):
                token = found[1].decode()
            tail = (tail + piece)[-2_000:]
        if self._mood(0.03):
            writer.write(b"452 Later\r\n")
            return True
        self.taken[token] += 1
        if self._mood(0.02):
            writer.transport.abort()
            return False
        writer.write(b"250 Taken\r\n")
        return True
