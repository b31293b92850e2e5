"""Senders for crash tests: SMTP and LMTP sessions that never send a message twice and note what was acknowledged.

Every message has a token of its own as its subject. ``Load.local[token]`` are the accounts that must hold it exactly
once, ``Load.remote`` the tokens that must reach the next hop. What was not acknowledged may be there or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence

DOMAIN = "example.test"
FAR = "far.test"
LARGE = 700_000  # comes through the spool
PATIENCE = 30.0
LOST = (OSError, asyncio.IncompleteReadError, TimeoutError)


class Load:
    """What was acknowledged; shared by all senders."""

    def __init__(self, people: Sequence[str]) -> None:
        self.people = people
        self.local: dict[str, set[str]] = {}
        self.remote: set[str] = set()
        self.acknowledged = 0
        self.lost = 0
        self.paused = False
        self.busy = 0
        self.stopped = False

    def note(self, token: str, recipients: Sequence[str]) -> None:
        """A message is acknowledged for these recipients."""
        self.acknowledged += 1
        for recipient in recipients:
            name, _, domain = recipient.partition("@")
            if domain == FAR:
                self.remote.add(token)
            else:
                self.local.setdefault(token, set()).add(name)

    async def rest(self) -> None:
        """Let every sender finish its message and wait."""
        self.paused = True
        while self.busy:  # noqa: ASYNC110  (each sender comes to rest at its own time)
            await asyncio.sleep(0.01)


class Sender:
    """One session after another, over SMTP or LMTP."""

    def __init__(self, load: Load, port: int, name: str, *, lmtp: bool = False) -> None:
        self._load = load
        self._port = port
        self._name = name
        self._lmtp = lmtp
        self._dice = random.Random(name)
        self._number = 0
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def run(self) -> None:
        """Send until the load is stopped."""
        while not self._load.stopped:
            if self._load.paused:
                await asyncio.sleep(0.01)
                continue
            try:
                await self._session()
            except LOST:
                self._load.lost += 1
                await asyncio.sleep(0.05)

    async def _session(self) -> None:
        async with asyncio.timeout(PATIENCE):
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._reply()
                self._writer.write(b"LHLO me.test\r\n" if self._lmtp else b"EHLO me.test\r\n")
                await self._reply()
            for _ in range(self._dice.randrange(1, 60)):
                if self._load.paused or self._load.stopped:
                    break
                self._load.busy += 1
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._message()
                finally:
                    self._load.busy -= 1
                await asyncio.sleep(self._dice.random() * 0.02)
        finally:
            with contextlib.suppress(OSError):
                self._writer.close()

    def _recipients(self) -> list[str]:
        local = [f"{name}@{DOMAIN}" for name in self._load.people]
        step = self._dice.random()
        if self._lmtp or step < 0.75:
            return self._dice.sample(local, 1 if step < 0.5 else self._dice.randrange(2, len(local) + 1))
        far = [f"x{number}@{FAR}" for number in range(self._dice.randrange(1, 3))]
        return far if step < 0.88 else far + self._dice.sample(local, 2)

    async def _message(self) -> None:
        self._number += 1
        token = f"{self._name}.{self._number}"
        recipients = self._recipients()
        write = self._writer.write
        write(
            b"".join(
                [b"MAIL FROM:<>\r\n" if self._lmtp else b"MAIL FROM:<me@else.test>\r\n"]
                + [f"RCPT TO:<{recipient}>\r\n".encode() for recipient in recipients]
                + [b"DATA\r\n"]
            )
        )
        await self._reply()
        granted = [recipient for recipient in recipients if await self._reply() == 250]
        if await self._reply() != 354:
            return
        size = LARGE if self._dice.random() < 0.005 else self._dice.choice((10, 2_000, 20_000))
        write(f"From: me@else.test\r\nSubject: {token}\r\n\r\n".encode() + b"x" * 70 + b"\r\n")
        write((b"y" * 68 + b"\r\n") * (size // 70) + b".\r\n")
        if self._lmtp:
            granted = [recipient for recipient in granted if await self._reply() == 250]
        elif await self._reply() != 250:
            return
        if granted:
            self._load.note(token, granted)

    async def _reply(self) -> int:
        while True:
            line = await self._reader.readuntil(b"\r\n")
            if line[3:4] != b"-":
                return int(line[:3])
