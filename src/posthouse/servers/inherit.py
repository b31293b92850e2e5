"""Listening sockets that survive ``exec``: named in one environment variable, adopted by the code that comes after.

A listener is adopted where its name, its addresses and the number of workers are as before; what is left is closed,
what is new is opened. Tests: ``tests/unit/servers/test_inherit.py``.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import replace

import orjson

from posthouse.config.file import Configuration
from posthouse.servers.listeners import OpenListener, close_listeners, open_listeners

VARIABLE = "POSTHOUSE_LISTENERS"


def describe(listeners: Sequence[OpenListener]) -> str:
    """Return the value of the variable, and let the sockets pass through ``exec``."""
    told: dict[str, list[list[int]]] = {}
    for listener in listeners:
        for each in (one for worker in listener.sockets for one in worker):
            os.set_inheritable(each.fileno(), True)
        told[_key(listener)] = [[each.fileno() for each in worker] for worker in listener.sockets]
    return orjson.dumps(told).decode()


def adopt_or_open(configuration: Configuration, workers: int) -> list[OpenListener]:
    """Return the listeners of a configuration, inherited where possible. Raises ListenFault."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return open_listeners(configuration, workers)
    inherited: dict[str, list[list[int]]] = orjson.loads(text)
    wanted = {
        _config_key(one.name, [_address(configuration, bind) for bind in one.bind], workers): one
        for one in configuration.listeners
    }
    # First, so that a listener with another number of workers can have its address again.
    _close(rows for key, rows in inherited.items() if key not in wanted)
    listeners: list[OpenListener] = []
    try:
        for key, one in wanted.items():
            alone = replace(configuration, listeners=(one,))
            descriptors = inherited.pop(key, None)
            listeners += _adopt(alone, descriptors) if descriptors else open_listeners(alone, workers)
    except BaseException:
        close_listeners(listeners)
        _close(rows for key, rows in inherited.items() if key in wanted)
        raise
    return listeners


def _close(sockets: Iterable[list[list[int]]]) -> None:
    for descriptor in (each for rows in sockets for row in rows for each in row):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _adopt(configuration: Configuration, descriptors: list[list[int]]) -> list[OpenListener]:
    from posthouse.config.file import Bind
    from posthouse.servers.listeners import listener_info

    (listener,) = configuration.listeners
    sockets = tuple(tuple(socket.socket(fileno=each) for each in worker) for worker in descriptors)
    for each in (one for worker in sockets for one in worker):
        os.set_inheritable(each.fileno(), False)
    binds = tuple(Bind(str(configuration.in_home(bind.host)), -1) if bind.is_unix else bind for bind in listener.bind)
    return [OpenListener(listener_info(listener), binds, sockets)]


def _address(configuration: Configuration, bind: object) -> str:
    host, port = getattr(bind, "host", ""), getattr(bind, "port", 0)
    return str(configuration.in_home(host)) if port == -1 else f"{host}:{port}"


def _key(listener: OpenListener) -> str:
    addresses = [bind.host if bind.is_unix else f"{bind.host}:{bind.port}" for bind in listener.binds]
    return _config_key(listener.info.name, addresses, len(listener.sockets))


def _config_key(name: str, addresses: Sequence[str], workers: int) -> str:
    return f"{name} {' '.join(addresses)} x{workers}"
