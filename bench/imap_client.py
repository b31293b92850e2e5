"""A bare IMAP client that costs as little as possible: it sends a line and reads until the tagged reply."""

import socket
import time


class ImapClient:
    """One plaintext connection, signed in."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1 << 20)
        self._socket.recv(4096)
        self.command(f"LOGIN {user} {password}")

    def command(self, line: str) -> tuple[float, int, bytes]:
        """Send a command; return seconds, octets received and the last octets. Raises where it was not OK."""
        began = time.perf_counter()
        self._socket.sendall(b"t " + line.encode() + b"\r\n")
        total, tail = 0, b""
        while True:
            got = self._socket.recv_into(self._buffer)
            if not got:
                raise RuntimeError(f"connection closed during {line!r}")
            total += got
            tail = (tail + bytes(self._buffer[max(0, got - 2000) : got]))[-2000:]
            if tail.endswith(b"\r\n"):
                last = tail.rstrip(b"\r\n").rsplit(b"\r\n", 1)[-1]
                if last.startswith(b"t OK"):
                    return time.perf_counter() - began, total, tail
                if last.startswith((b"t NO", b"t BAD")):
                    raise RuntimeError(f"{line!r}: {last!r}")

    def count(self, mailbox: str) -> int:
        """Return STATUS MESSAGES."""
        tail = self.command(f"STATUS {mailbox} (MESSAGES)")[2]
        return int(tail.rsplit(b"MESSAGES ", 1)[1].split(b")")[0])

    def close(self) -> None:
        """Close without ado."""
        self._socket.close()
