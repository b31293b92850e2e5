"""Following the events of a running server through the control sockets of its workers.

Tests: ``tests/interop/test_command_line.py``.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import orjson

from posthouse.config.home import Home
from posthouse.services.administration.faults import Refused


def follow_log(home: Home, level: str = "info") -> Iterator[bytes]:
    """Yield log lines of all workers as they come, until the server ends. Raises Refused: where none runs."""
    links = list(_links(home, orjson.dumps({"do": "tail", "level": level}) + b"\n"))
    if not links:
        raise Refused(f"no server runs in {home.path}", "Start it with `posthouse serve`.", exit_code=69)
    rests = dict.fromkeys(links, b"")
    try:
        while rests:
            for link in select.select(list(rests), [], [])[0]:
                data = link.recv(65536)
                if not data:
                    del rests[link]
                    continue
                *lines, rests[link] = (rests[link] + data).split(b"\n")
                yield from lines
    finally:
        for link in links:
            link.close()


def _links(home: Home, request: bytes) -> Iterator[socket.socket]:
    for path in sorted(home.run.glob("control.*.sock")):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(str(path))
            link.sendall(request)
        except OSError:
            link.close()
            continue
        yield link
