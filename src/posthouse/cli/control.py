"""Asking the workers of a running server through their control sockets."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from typing import Any

import orjson

from posthouse.config.home import Home
from posthouse.services.administration.faults import Refused

PATIENCE = 3.0  # seconds for a worker to answer


def ask_workers(home: Home) -> list[dict[str, Any]]:
    """Return the status of each worker that answers."""
    answers = []
    for link in _links(home, b'{"do":"status"}\n'):
        with link, contextlib.suppress(OSError, orjson.JSONDecodeError):
            link.settimeout(PATIENCE)
            answers.append(orjson.loads(b"".join(iter(lambda link=link: link.recv(65536), b""))))  # type: ignore[misc]
    return sorted(answers, key=lambda answer: answer["worker"])


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
