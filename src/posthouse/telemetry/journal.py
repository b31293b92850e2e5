"""The systemd journal, in its native protocol: fields of an event become fields of the entry.

Each event is one datagram of ``NAME=value`` lines; a value with a line end is written with its length. What does not
fit into a datagram goes into a sealed memory file whose descriptor is sent (systemd.io/JOURNAL_NATIVE_PROTOCOL). Fields
are called ``POSTHOUSE_QUEUE_ID`` and so on beside MESSAGE, PRIORITY, SYSLOG_FACILITY and SYSLOG_IDENTIFIER, so that
``journalctl POSTHOUSE_EVENT=relay.deferred`` finds what it names.

Where the journal is away or full, entries are lost and counted. Tests: ``tests/unit/telemetry/test_journal.py``.
"""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from posthouse.telemetry.log import Formatter
from posthouse.telemetry.writer import Buffered

DEFAULT_PATH: Final = "/run/systemd/journal/socket"
_PRIORITIES: Final = {"debug": b"7", "info": b"6", "warning": b"4", "error": b"3"}
_NAME: Final = re.compile(r"[^A-Z0-9_]")
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_TOO_LARGE: Final = frozenset({errno.EMSGSIZE, errno.ENOBUFS})
_FIELDS: Final = 64  # of one event; there are never that many


class JournalFormatter:
    """Makes the datagram of an event; ``inner`` makes its MESSAGE."""

    def __init__(self, inner: Formatter) -> None:
        self._inner = inner

    def __call__(self, now: float, level: str, name: str, fields: Mapping[str, Any], /) -> bytes:
        """Return the entry; b"" where the inner form leaves the event out."""
        message = self._inner(now, level, name, fields).rstrip(b"\n")
        if not message:
            return b""
        entry = [
            _field("MESSAGE", message),
            _field("PRIORITY", _PRIORITIES[level]),
            _field("SYSLOG_FACILITY", b"2"),
            _field("SYSLOG_IDENTIFIER", b"posthouse"),
            _field("POSTHOUSE_EVENT", name.encode()),
        ]
        for key, value in list(fields.items())[:_FIELDS]:
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            entry.append(_field("POSTHOUSE_" + _NAME.sub("_", key.upper())[:54], text.encode("utf-8", "replace")))
        return b"".join(entry)


def _field(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return b"%b\n%b%b\n" % (name.encode(), len(value).to_bytes(8, "little"), value)
    return b"%b=%b\n" % (name.encode(), value)


class JournalWriter(Buffered):
    """Sends entries to the journal.

    Args:
        path: of the journal's socket; "" is the usual one.
        dropped: makes the entry that tells how many were lost.
    """

    def __init__(self, path: str, dropped: Callable[[int], bytes]) -> None:
        super().__init__(dropped)
        self._path = path or DEFAULT_PATH
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Send the rest; entries that come later open the socket anew."""
        super().close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _link(self) -> socket.socket:
        if self._socket is None:
            kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            self._socket = socket.socket(socket.AF_UNIX, kind)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        return self._socket

    def _emit(self, lines: Sequence[bytes]) -> int:
        for number, entry in enumerate(lines):
            try:
                self._send(entry)
            except OSError:
                return number
        return len(lines)

    def _send(self, entry: bytes) -> None:
        try:
            self._link().sendto(entry, self._path)
        except OSError as error:
            if error.errno not in _TOO_LARGE:
                raise
            self._send_file(entry)

    def _send_file(self, entry: bytes) -> None:
        descriptor = os.memfd_create("posthouse-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            view = memoryview(entry)
            while view:
                view = view[os.write(descriptor, view) :]
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
            self._link().sendmsg([b""], rights, 0, self._path)
        finally:
            os.close(descriptor)
