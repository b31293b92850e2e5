"""Opens the listening sockets that ``posthouse.toml`` names, before privileges are dropped, and hands them to workers.

With several workers every TCP address is opened once for each of them (SO_REUSEPORT), so that the kernel spreads
connections evenly; the supervisor keeps all of them open, so that none is refused while a worker is replaced. A first
bind without SO_REUSEPORT finds out whether the port is free: with it, a second server of the same user would share
the port in silence. UNIX sockets are shared by all workers. Tests: ``tests/unit/servers/test_listeners.py``.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.core.errors import Fault
from posthouse.servers.door import ListenerInfo

BACKLOG: Final = 1024
_UNIX_MODE: Final = 0o660
_NO_SUCH_ADDRESS: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class ListenFault(Fault):
    """A listener cannot be opened. ``exit_code`` is EX_UNAVAILABLE (69), or EX_NOPERM (77) where a right is missing."""

    def __init__(self, detail: str, *, remedy: str, exit_code: int = 69) -> None:
        super().__init__(detail, where="listener")
        self.remedy = remedy
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class OpenListener:
    """A listener with its open sockets: ``sockets[n]`` are those of worker ``n``, one for each address.

    The supervisor owns the sockets; a worker that is forked inherits them and serves its own share.
    """

    info: ListenerInfo
    binds: tuple[Bind, ...]
    sockets: tuple[tuple[socket.socket, ...], ...]

    def close(self) -> None:
        """Close all sockets and remove the files of UNIX sockets."""
        for worker in self.sockets:
            for each in worker:
                each.close()
        for bind in self.binds:
            if bind.is_unix:
                Path(bind.host).unlink(missing_ok=True)


def listener_info(listener: ListenerConfig) -> ListenerInfo:
    """Return what a door needs to know of a listener."""
    return ListenerInfo(
        name=listener.name,
        protocol=listener.protocol,
        tls=listener.tls,
        listener_class=listener.listener_class,
        plaintext_auth=listener.plaintext_auth,
    )


def open_listeners(configuration: Configuration, workers: int = 1) -> list[OpenListener]:
    """Open everything that the configuration names; all or nothing. Raises ListenFault."""
    opened: list[OpenListener] = []
    try:
        for listener in configuration.listeners:
            opened.append(_open_listener(configuration, listener, max(1, workers)))  # noqa: PERF401  (partial result is closed)
    except ListenFault:
        close_listeners(opened)
        raise
    return opened


def close_listeners(listeners: Iterable[OpenListener]) -> None:
    """Close them all."""
    for listener in listeners:
        listener.close()


def _open_listener(configuration: Configuration, listener: ListenerConfig, workers: int) -> OpenListener:
    columns: list[list[socket.socket]] = []
    binds: list[Bind] = []
    try:
        for bind in listener.bind:
            where = Bind(str(configuration.in_home(bind.host)), -1) if bind.is_unix else bind
            binds.append(where)
            columns += _open(where, workers)
    except OSError as error:
        for column in columns:
            for each in column:
                each.close()
        raise _fault(listener, where, error) from error
    return OpenListener(listener_info(listener), tuple(binds), tuple(zip(*columns, strict=True)))


def _open(bind: Bind, workers: int) -> list[list[socket.socket]]:
    """Return a list of sockets, one for each worker, for each address that the bind stands for."""
    if bind.is_unix:
        return [_open_unix(bind, workers)]
    if bind.host != "*":
        return [_open_tcp(bind, workers)]
    columns = [_open_tcp(Bind("0.0.0.0", bind.port), workers)]
    try:
        columns.append(_open_tcp(Bind("::", columns[0][0].getsockname()[1]), workers))
    except OSError as error:
        if error.errno in _NO_SUCH_ADDRESS:  # a kernel without IPv6
            return columns
        for each in columns[0]:
            each.close()
        raise
    return columns


def _open_tcp(bind: Bind, workers: int) -> list[socket.socket]:
    probe = _bound(bind, shared=False)
    if workers == 1:
        probe.listen(BACKLOG)
        return [probe]
    with probe:
        actual = Bind(bind.host, probe.getsockname()[1])
    opened: list[socket.socket] = []
    try:
        for _ in range(workers):
            opened.append(_bound(actual, shared=True))
            opened[-1].listen(BACKLOG)
    except OSError:
        for each in opened:
            each.close()
        raise
    return opened


def _bound(bind: Bind, *, shared: bool) -> socket.socket:
    is_ipv6 = ":" in bind.host
    made = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if is_ipv6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setblocking(False)
        made.bind((bind.host, bind.port))
    except OSError:
        made.close()
        raise
    return made


def _open_unix(bind: Bind, workers: int) -> list[socket.socket]:
    path = Path(bind.host)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.bind(str(path))
        path.chmod(_UNIX_MODE)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return [made, *(made.dup() for _ in range(workers - 1))]


def _remove_stale(path: Path) -> None:
    """Remove the socket of a server that is gone. Raises OSError: where one answers, or it is no socket."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _fault(listener: ListenerConfig, bind: Bind, error: OSError) -> ListenFault:
    what = f"the listener {listener.name!r} cannot listen on {bind}"
    if error.errno == errno.EADDRINUSE:
        return ListenFault(
            f"{what}: the address is in use",
            remedy="Another program (perhaps another mail server) listens there. Stop it, or change `bind` of that "
            "listener in posthouse.toml.",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return ListenFault(
            f"{what}: permission denied",
            remedy="Ports below 1024 need root or CAP_NET_BIND_SERVICE. Start as root with `user` set, or use higher "
            "ports.",
            exit_code=77,
        )
    if error.errno in _NO_SUCH_ADDRESS:
        return ListenFault(
            f"{what}: this machine has no such address",
            remedy="Change `bind` of that listener in posthouse.toml to an address of this machine.",
        )
    return ListenFault(
        f"{what}: {error.strerror or type(error).__name__}", remedy="See `bind` of that listener in posthouse.toml."
    )
