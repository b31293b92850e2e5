"""A client that is just enough to see whether a listener works: it greets, offers and starts TLS, and answers commands.

It talks to our own listeners and, for one greeting, to a host that an administrator names. Bounded in time, line length
and number of lines. Certificates are not verified here: what is served is compared with the file instead.
Not here: sending mail (``services.relay``).
Tests: ``tests/unit/services/administration/diagnosis/test_probe_dialogue.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from posthouse.config.file import Bind, ListenerConfig

PATIENCE: Final = 5.0  # seconds for each step
_LINE: Final = 8192
_MOST_LINES: Final = 200
_LOOPBACK: Final = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class LinkFault(Exception):  # noqa: N818  (a condition of the other side)
    """The conversation did not come about; the text says why in words of ours."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an SMTP code (0 for other protocols) and the lines without it."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The reply on one line, as evidence."""
        body = " ".join(self.lines)
        return f"{self.code} {body}" if self.code else body


class Link:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._tags = 0

    @property
    def source(self) -> str:
        """Our own address on this connection, "" for a UNIX socket."""
        name = self._writer.get_extra_info("sockname")
        return str(name[0]) if isinstance(name, tuple) else ""

    @property
    def certificate_digest(self) -> str:
        """SHA-256 of the certificate that was served, in hex; "" without TLS."""
        session = self._writer.get_extra_info("ssl_object")
        der = session.getpeercert(binary_form=True) if session is not None else None
        return hashlib.sha256(der).hexdigest() if der else ""

    async def line(self) -> str:
        """Return the next line. Raises LinkFault."""
        try:
            async with asyncio.timeout(PATIENCE):
                octets = await self._reader.readline()
        except TimeoutError:
            raise LinkFault(f"no answer within {PATIENCE:g} seconds") from None
        except (OSError, ValueError) as error:
            raise LinkFault(_words_of(error)) from None
        if not octets.endswith(b"\n"):
            raise LinkFault("closed without a word" if not octets else "closed within a line")
        return octets.decode("utf-8", "replace").rstrip("\r\n")

    async def say(self, text: str) -> None:
        """Send a line. Raises LinkFault."""
        try:
            self._writer.write(text.encode("utf-8") + b"\r\n")
            async with asyncio.timeout(PATIENCE):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise LinkFault(_words_of(error)) from None

    async def reply(self) -> Reply:
        """Return the next SMTP reply (RFC 5321 §4.2). Raises LinkFault."""
        lines: list[str] = []
        for _ in range(_MOST_LINES):
            line = await self.line()
            code = line[:3]
            if not (code.isascii() and code.isdigit() and line[3:4] in {"", " ", "-"}):
                raise LinkFault(f"no SMTP reply: {line[:80]!r}")
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(code), tuple(lines))
        raise LinkFault("a reply without end")

    async def ask(self, command: str) -> Reply:
        """Send an SMTP command; return the reply. Raises LinkFault."""
        await self.say(command)
        return await self.reply()

    async def ask_imap(self, command: str) -> tuple[str, tuple[str, ...]]:
        """Send an IMAP command; return the tagged line without its tag, and the lines before. Raises LinkFault."""
        self._tags += 1
        tag = f"c{self._tags}"
        await self.say(f"{tag} {command}")
        lines: list[str] = []
        for _ in range(_MOST_LINES):
            line = await self.line()
            if line.startswith(f"{tag} "):
                return line[len(tag) + 1 :], tuple(lines)
            lines.append(line)
        raise LinkFault("an answer without end")

    async def ask_pop3(self, command: str, *, many: bool = False) -> tuple[str, tuple[str, ...]]:
        """Send a POP3 command; return its line, and those that follow where ``many``. Raises LinkFault."""
        await self.say(command)
        first = await self.line()
        lines: list[str] = []
        while many and first.startswith("+OK") and len(lines) < _MOST_LINES:
            line = await self.line()
            if line == ".":
                break
            lines.append(line)
        return first, tuple(lines)

    async def start_tls(self) -> None:
        """Do the handshake, after the server has agreed to it. Raises LinkFault."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._writer.start_tls(unverified_context())
        except (OSError, TimeoutError) as error:
            raise LinkFault(f"TLS failed: {_words_of(error)}") from None

    def close(self) -> None:
        """End it without waiting."""
        if self._writer.get_extra_info("ssl_object") is None:
            self._writer.close()
        else:
            self._writer.transport.abort()  # a peer that does not end its TLS would hold us up for half a minute


def unverified_context() -> ssl.SSLContext:
    """Return a client context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@asynccontextmanager
async def linked(host: str, port: int, *, tls: bool = False, source: str = "") -> AsyncIterator[Link]:
    """Connect (``port`` -1: to the UNIX socket ``host``); close at the end. Raises LinkFault."""
    context = unverified_context() if tls else None
    local = (source, 0) if source else None
    try:
        async with asyncio.timeout(PATIENCE):
            if port < 0:
                reader, writer = await asyncio.open_unix_connection(host, ssl=context, limit=_LINE)
            else:
                reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_LINE, local_addr=local)
    except (OSError, TimeoutError) as error:
        raise LinkFault(_words_of(error)) from None
    link = Link(reader, writer)
    try:
        yield link
    finally:
        link.close()


def place_of(listener: ListenerConfig, bind: Bind) -> tuple[str, int]:
    """Return where to connect to reach one address of a listener of this machine."""
    del listener
    return (bind.host, -1) if bind.is_unix else (_LOOPBACK.get(bind.host, bind.host), bind.port)


def offers(lines: Sequence[str], word: str) -> bool:
    """Whether a capability is among the words of some lines."""
    return any(word == each.upper() for line in lines for each in line.split())


def _words_of(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:g} seconds"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS is broken").replace("_", " ").lower()
    if isinstance(error, OSError):
        # asyncio puts a text of its own into strerror, which names no reason
        return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "not reachable"
    return "a line that is too long"
