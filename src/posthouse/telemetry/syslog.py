"""Syslog: RFC 5424 lines over a UNIX socket, UDP or TCP.

    <PRI>1 TIMESTAMP HOSTNAME posthouse PROCID MSGID - MSG        (RFC 5424 §6)

The facility is mail; MSGID is the event's name, and MSG the event in the output's form: JSON, text for people, or what
Postfix would say, where APP-NAME is ``posthouse/smtpd`` and the like. Over TCP messages are counted (RFC 6587 §3.4.1);
over datagrams each is one, cut at ``LONGEST`` octets. Nothing here waits: what a peer does not take now is kept up to
``KEPT`` octets for TCP, else lost and counted, and the connection is tried again each second at most.

Addresses are numbers, not names, so that no look-up holds the loop.
Tests: ``tests/unit/telemetry/test_syslog.py``, with a receiver that plays syslogd.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from posthouse.telemetry.log import Formatter
from posthouse.telemetry.postfix import PostfixFormatter
from posthouse.telemetry.writer import DELAY, Buffered

DEFAULT_PATH: Final = "/dev/log"
LONGEST: Final = 8192  # octets of a datagram; RFC 5426 §3.2 asks receivers for 2048, all in use take 8192
KEPT: Final = 1 << 20
_FACILITY: Final = 2 << 3  # mail system (RFC 5424 §6.2.1)
_SEVERITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3}
_CONNECT_SECONDS: Final = 1.0  # between attempts; and what a process without a loop waits for a connection


class SyslogFormatter:
    """Makes RFC 5424 messages, without framing."""

    def __init__(self, inner: Formatter, hostname: str, getpid: Callable[[], int] = os.getpid) -> None:
        self._inner = inner
        self._host = hostname.encode("ascii", "replace")[:255] or b"-"
        self._getpid = getpid  # asked each time: formatters are made before the workers are forked

    def __call__(self, now: float, level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
        """Return the messages of an event, each with a line end that is not sent."""
        whole = int(now)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((now - whole) * 1000):03d}Z"
        head = b"<%d>1 %b %b " % (_FACILITY | _SEVERITIES[level], stamp.encode(), self._host)
        tail = b" %d %b - " % (self._getpid(), name.encode()[:32])
        if isinstance(self._inner, PostfixFormatter):
            entries = self._inner.entries(name, fields)
            return b"".join(
                head + f"posthouse/{program}".encode() + tail + text.encode("utf-8", "replace") + b"\n"
                for program, text in entries
            )
        message = self._inner(now, level, name, fields).rstrip(b"\n")
        return head + b"posthouse" + tail + message.replace(b"\n", b" ") + b"\n" if message else b""


def parse_syslog_target(text: str) -> tuple[str, tuple[str, int]]:
    """Return kind (``unix``, ``udp``, ``tcp``) and address of ``PATH``, ``udp://192.0.2.1:514``, ``tcp://[::1]:601``.

    "" is ``/dev/log``. Raises ValueError.
    """
    if not text:
        return "unix", (DEFAULT_PATH, 0)
    kind, separator, rest = text.partition("://")
    if not separator and text.startswith("/"):
        return "unix", (text, 0)
    host, colon, port = rest.rpartition(":")
    if kind not in {"udp", "tcp"} or not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(text)
    return kind, (str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))), int(port))


class SyslogWriter(Buffered):
    """Sends messages to one receiver.

    Args:
        target: what ``parse_syslog_target`` reads.
        dropped: makes the message that tells how many were lost.
    """

    def __init__(self, target: str, dropped: Callable[[int], bytes]) -> None:
        super().__init__(dropped)
        self._kind, self._address = parse_syslog_target(target)
        self._socket: socket.socket | None = None
        self._is_stream = self._kind == "tcp"
        self._unsent = bytearray()
        self._unsent_lines = 0
        self._next_attempt = 0.0
        self._again: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Buffer from now on, over a connection of this process; what the parent has not sent is the parent's."""
        super().start(loop)
        self._lines, self._size = [], 0
        self._drop()
        self._unsent_lines = 0

    def reopen(self) -> None:
        """Send what can be sent, and connect anew."""
        self.flush()
        if not self._unsent:
            self._drop()
            self._next_attempt = 0.0

    def close(self) -> None:
        """Send the rest, waiting a moment for a stream that is slow."""
        super().close()
        if self._unsent and self._socket is not None:
            select.select([], [self._socket], [], _CONNECT_SECONDS)
            self._send_stream()
        self._drop()

    def _emit(self, lines: Sequence[bytes]) -> int:
        messages = [line for block in lines for line in block.splitlines()]
        if self._is_stream:
            return self._emit_stream(lines, messages)
        sent = 0
        for message in messages:
            if not self._send_datagram(message[:LONGEST]):
                break
            sent += 1
        return len(lines) if sent == len(messages) else min(sent, len(lines))

    # ---- datagrams --------------------------------------------------------------------------------------------

    def _send_datagram(self, message: bytes) -> bool:
        for _ in range(2):  # the second time over a new socket: syslogd was restarted
            link = self._connected()
            if link is None:
                return False
            try:
                link.send(message)
            except BlockingIOError:
                return False
            except OSError:
                self._drop()
                self._next_attempt = 0.0
                continue
            return True
        return False

    # ---- a stream ---------------------------------------------------------------------------------------------

    def _emit_stream(self, lines: Sequence[bytes], messages: Sequence[bytes]) -> int:
        taken = len(lines)
        for number, message in enumerate(messages):
            if len(self._unsent) + len(message) > KEPT:
                taken = min(number, len(lines))
                break
            self._unsent += b"%d %b" % (len(message), message)
            self._unsent_lines += 1
        self._send_stream()
        return taken

    def _send_stream(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        link = self._connected() if self._unsent else None
        try:
            while link is not None and self._unsent:
                del self._unsent[: link.send(self._unsent)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            # Part of a message may be out: the receiver drops it with the connection, and it cannot be told how many
            # of those before it arrived. What was not sent is lost and counted.
            self.lost += self._unsent_lines
            self.lost_total += self._unsent_lines
            self._drop()
        if not self._unsent:
            self._unsent_lines = 0
        elif self._loop is not None and not self._loop.is_closed():
            self._again = self._loop.call_later(DELAY, self._send_stream)

    # ---- the socket -------------------------------------------------------------------------------------------

    def _connected(self) -> socket.socket | None:
        """Return a socket that may be written to, None where there is none now."""
        if self._socket is None:
            now = time.monotonic()
            if now < self._next_attempt:
                return None
            self._next_attempt = now + _CONNECT_SECONDS
            self._connect()
        if self._is_stream and self._socket is not None:
            patience = 0.0 if self._loop is not None else _CONNECT_SECONDS
            if not select.select([], [self._socket], [], patience)[1]:
                return None
            if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._close_socket()
                return None
        return self._socket

    def _connect(self) -> None:
        family = socket.AF_UNIX
        if self._kind != "unix":
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        kind = socket.SOCK_STREAM if self._is_stream else socket.SOCK_DGRAM
        made = socket.socket(family, kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            made.connect(self._address[0] if self._kind == "unix" else self._address)
        except BlockingIOError:
            pass  # it is under way
        except OSError:
            made.close()
            return
        self._socket = made

    def _close_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _drop(self) -> None:
        self._close_socket()
        self._unsent.clear()
