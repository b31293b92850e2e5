"""An IMAP client for crash tests: it changes messages of its own and knows what each may look like after a kill.

Each message has a token as its subject and goes through APPEND, STORE, COPY, MOVE and EXPUNGE, one command at a time.
A message is described by the set of mailboxes it is in, each with whether it is flagged there. After a tagged OK there
is one description; a command that was cut leaves two: as before, and as after.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Callable

LOST = (OSError, asyncio.IncompleteReadError, TimeoutError)
PATIENCE = 30.0
_APPENDUID = re.compile(rb"APPENDUID \d+ (\d+)")
_COPYUID = re.compile(rb"COPYUID \d+ \d+ (\d+)")

Places = frozenset[tuple[str, bool]]  # of one message: mailbox, whether it is flagged there
NOWHERE: Places = frozenset()


class Refused(Exception):
    """A command was answered NO or BAD."""


class ImapLoad:
    """One account's client. ``may_be[token]`` are the descriptions a message may have; the last one is the newest."""

    def __init__(self, port: int, login: str, password: str) -> None:
        self._port = port
        self._login = f"a LOGIN {login} {password}\r\n".encode()
        self._dice = random.Random(login)
        self._number = 0
        self._selected = ""
        self.may_be: dict[str, tuple[Places, ...]] = {}
        self.acknowledged = 0
        self.stopped = self.paused = self.busy = False
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def run(self) -> None:
        """Work until stopped."""
        while not self.stopped:
            if self.paused:
                await asyncio.sleep(0.01)
                continue
            try:
                await self._session()
            except LOST:
                await asyncio.sleep(0.05)

    async def rest(self) -> None:
        """Finish the message under way and wait."""
        self.paused = True
        while self.busy:  # noqa: ASYNC110  (polled a few times a test)
            await asyncio.sleep(0.01)

    async def _session(self) -> None:
        async with asyncio.timeout(PATIENCE):
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
            self._selected = ""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._reader.readline()
                await self._say(self._login)
            while not (self.paused or self.stopped):
                self.busy = True
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._life()
                finally:
                    self.busy = False
        finally:
            with contextlib.suppress(OSError):
                self._writer.close()

    async def _say(self, command: bytes) -> bytes:
        """Send a command with tag ``a``; return what was said up to the tagged OK."""
        self._writer.write(command)
        said = b""
        while True:
            line = await self._reader.readuntil(b"\n")
            said += line
            if line.startswith(b"+"):
                continue
            if line.startswith(b"a "):
                if not line.startswith(b"a OK"):
                    raise Refused(line)
                return said

    async def _change(self, token: str, after: Callable[[Places], Places], command: bytes) -> bytes:
        before = self.may_be.get(token, (NOWHERE,))[-1]
        self.may_be[token] = (before, after(before))
        said = await self._say(command)
        self.may_be[token] = (after(before),)
        self.acknowledged += 1
        return said

    async def _select(self, mailbox: str) -> None:
        if self._selected != mailbox:
            await self._say(f"a SELECT {mailbox}\r\n".encode())
            self._selected = mailbox

    async def _life(self) -> None:
        """Take one message through what happens to messages."""
        self._number += 1
        token = f"t{self._number}"
        text = f"Subject: {token}\r\n\r\n".encode() + b"z" * self._dice.choice((10, 3_000))
        large = self._dice.random() < 0.02
        text += b"y" * 600_000 * large
        literal = b"a APPEND INBOX {%d+}\r\n" % len(text) + text + b"\r\n"
        said = await self._change(token, lambda _: frozenset({("INBOX", False)}), literal)
        uid = int(_APPENDUID.search(said)[1])  # type: ignore[index]
        await self._select("INBOX")
        step = self._dice.random()
        if step < 0.5:
            flag = b"a UID STORE %d +FLAGS (\\Flagged)\r\n" % uid
            await self._change(token, lambda _: frozenset({("INBOX", True)}), flag)
        flagged = step < 0.5
        if step < 0.25 or step > 0.75:
            copy = b"a UID COPY %d Archive\r\n" % uid
            await self._change(token, lambda places: places | {("Archive", flagged)}, copy)
        if self._dice.random() < 0.4:
            move = b"a UID MOVE %d Trash\r\n" % uid
            said = await self._change(token, lambda places: places - {("INBOX", flagged)} | {("Trash", flagged)}, move)
            uid = int(_COPYUID.search(said)[1])  # type: ignore[index]
        elif self._dice.random() < 0.5:
            await self._say(b"a UID STORE %d +FLAGS (\\Deleted)\r\n" % uid)
            expunge = b"a UID EXPUNGE %d\r\n" % uid
            await self._change(token, lambda places: places - {("INBOX", flagged)}, expunge)
