"""Clients that move very large messages while holding little themselves, and a watch on a process's memory."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

LINE = b"0123456789" * 7 + b"\r\n"
BLOCK = LINE * 900  # 64 800 octets
HEAD = b"From: me@else.test\r\nSubject: bulk\r\n\r\n"
TIMEOUT = 120.0


def octets_for(blocks: int) -> int:
    """Return the size of a message of so many blocks."""
    return len(HEAD) + blocks * len(BLOCK)


class Wire:
    """A blocking connection to a line protocol."""

    def __init__(self, port: int, *, buffer: int = 0) -> None:
        """Connect; ``buffer`` bounds what the kernel keeps for us, so that the server feels soon what we leave unread."""
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", port))
        self._rest = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def line(self) -> bytes:
        """Read one line."""
        while b"\n" not in self._rest:
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionResetError("closed")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def say(self, data: bytes) -> None:
        """Send."""
        self.socket.sendall(data)

    def smtp(self, data: bytes, code: bytes) -> bytes:
        """Send a command and read its reply, which must begin with ``code``."""
        self.say(data)
        line = self.line()
        while line[3:4] == b"-":
            line = self.line()
        assert line.startswith(code), line
        return line

    def imap(self, data: bytes, until: bytes = b"a OK") -> list[bytes]:
        """Send a command and read lines up to one that begins with ``until``."""
        self.say(data)
        lines = [self.line()]
        while not lines[-1].startswith(until):
            assert not lines[-1].startswith((b"a NO", b"a BAD")), lines[-1]
            lines.append(self.line())
        return lines

    def message(self, blocks: int) -> None:
        """Send the octets of a message."""
        self.say(HEAD)
        for _ in range(blocks):
            self.say(BLOCK)

    def discard(self, count: int) -> None:
        """Read so many octets and forget them."""
        held, self._rest = self._rest[:count], self._rest[count:]
        count -= len(held)
        while count:
            got = len(self.socket.recv(min(count, 65_536)))
            assert got, "closed early"
            count -= got


def _begin(wire: Wire, recipient: str, hello: bytes) -> None:
    wire.smtp(b"", b"220")
    wire.smtp(hello + b" me.test\r\n", b"250")
    wire.smtp(b"MAIL FROM:<me@else.test>\r\n", b"250")
    wire.smtp(f"RCPT TO:<{recipient}>\r\n".encode(), b"250")


def send_data(port: int, recipient: str, blocks: int, hello: bytes = b"EHLO") -> None:
    """Send a message with DATA; over LMTP with ``LHLO``."""
    with Wire(port) as wire:
        _begin(wire, recipient, hello)
        wire.smtp(b"DATA\r\n", b"354")
        wire.message(blocks)
        wire.smtp(b".\r\n", b"250")


def send_bdat(port: int, recipient: str, blocks: int) -> None:
    """Send a message as one chunk with BDAT."""
    with Wire(port) as wire:
        _begin(wire, recipient, b"EHLO")
        wire.say(b"BDAT %d LAST\r\n" % octets_for(blocks))
        wire.message(blocks)
        wire.smtp(b"", b"250")


def sign_in(port: int, login: str, password: str, *, buffer: int = 0) -> Wire:
    """Return a signed-in IMAP connection."""
    wire = Wire(port, buffer=buffer)
    wire.line()
    wire.imap(f"a LOGIN {login} {password}\r\n".encode())
    return wire


def append(port: int, login: str, password: str, blocks: int) -> None:
    """Store a message with APPEND."""
    with sign_in(port, login, password) as wire:
        wire.imap(b"a APPEND INBOX {%d}\r\n" % octets_for(blocks), b"+")
        wire.message(blocks)
        wire.imap(b"\r\n")


def fetch(port: int, login: str, password: str, number: int) -> int:
    """Read a message with FETCH BODY[]; return its size."""
    with sign_in(port, login, password) as wire:
        wire.imap(b"a SELECT INBOX\r\n")
        wire.say(b"a FETCH %d BODY.PEEK[]\r\n" % number)
        size = int(wire.line().rstrip(b"}\r").rpartition(b"{")[2])
        wire.discard(size)
        wire.imap(b"")
        return size


def retrieve(port: int, login: str, password: str, number: int) -> int:
    """Read a message with RETR; return its size."""
    with Wire(port) as wire:
        for command in (b"", b"USER %b\r\n" % login.encode(), b"PASS %b\r\n" % password.encode()):
            wire.say(command)
            assert wire.line().startswith(b"+OK")
        wire.say(b"RETR %d\r\n" % number)
        size = int(wire.line().split()[1])
        wire.discard(size)
        assert wire.line() == b".\r"
        return size


def flood(wire: Wire, command: bytes, *, most: int, patience: float = 0.5) -> str:
    """Send a command again and again and read nothing; return how that ended: ``blocked``, ``closed`` or ``all``.

    Args:
        wire: a connection with a small buffer.
        command: what is repeated.
        most: octets to send at most.
        patience: seconds without progress that count as blocked.
    """
    block = command * (16_384 // len(command) + 1)
    wire.socket.settimeout(patience)
    sent = 0
    try:
        while sent < most:
            sent += wire.socket.send(block[sent % len(block) :])  # a partial send goes on where it was cut
    except TimeoutError:
        return "blocked"
    except OSError:
        return "closed"
    return "all"


def private_memory(pid: int) -> int:
    """Return the anonymous memory of a process, in octets."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


class MemoryWatch:
    """``growth``: how far a process's anonymous memory rose above what it was when the watch began."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.before = self.peak = private_memory(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._done.is_set():
            self.peak = max(self.peak, private_memory(self._pid))
            time.sleep(0.002)

    @property
    def growth(self) -> int:
        """Octets."""
        return self.peak - self.before

    @classmethod
    @contextlib.contextmanager
    def of(cls, pid: int) -> Iterator[MemoryWatch]:
        """Watch during a block."""
        watch = cls(pid)
        watch._thread.start()
        try:
            yield watch
        finally:
            watch._done.set()
            watch._thread.join()
            watch.peak = max(watch.peak, private_memory(pid))
