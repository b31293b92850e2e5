"""Hints between the workers of one machine that something changed: datagrams over UNIX sockets.

Every worker binds ``notice.<worker>.<pid>.<n>.sock`` in the run directory, says hello to the others it finds there,
and is known to them from then on. A hint may be lost (a full buffer): readers compare modseq, so that costs latency
and never correctness. Sockets nobody listens on are removed by whoever meets them. Tests: ``tests/unit/store``.

A datagram is one octet (1: directory, 2: queue, 4: a new worker, look for its socket) and the accounts as signed
64-bit numbers.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from array import array
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from posthouse.core.ids import AccountId

_DIRECTORY = 1
_QUEUE = 2
_HELLO = 4
_RETRY = 8
_ACCOUNTS_IN_ONE = 512
_BURST = 64  # datagrams read for one wake-up of the loop
_numbers = itertools.count(1)


class LocalNotices:
    """Notices of one worker."""

    def __init__(self, directory: Path, worker: int) -> None:
        self._directory = directory
        self._name = f"notice.{worker}.{os.getpid()}.{next(_numbers)}.sock"
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._folder = -1
        self._siblings: list[str] = []
        self._account_callbacks: list[Callable[[Sequence[AccountId]], None]] = []
        self._directory_callbacks: list[Callable[[], None]] = []
        self._queue_callbacks: list[Callable[[], None]] = []
        self._retry_callbacks: list[Callable[[], None]] = []

    # -- the contract -------------------------------------------------------------------------------------------

    def on_accounts(self, callback: Callable[[Sequence[AccountId]], None]) -> Callable[[], None]:
        """Call back with accounts that changed; returns what ends it."""
        return _add(self._account_callbacks, callback)

    def on_directory(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when the directory or the settings changed."""
        return _add(self._directory_callbacks, callback)

    def on_queue(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when recipients entered the queue without a lease, were released, or are due soon."""
        return _add(self._queue_callbacks, callback)

    def on_retry(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when an administrator wants recipients tried now; ``on_queue`` follows."""
        return _add(self._retry_callbacks, callback)

    # -- life ---------------------------------------------------------------------------------------------------

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Bind and listen. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.bind(self._address(self._name))
        self._socket, self._loop = bound, loop
        loop.add_reader(bound.fileno(), self._read)
        self._siblings = self._list_siblings()
        for name in self._siblings:
            self._send(bytes([_HELLO]), name)

    def close(self) -> None:
        """Stop listening and remove the socket; may be called twice."""
        if self._socket is not None and self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._remove(self._name)
            os.close(self._folder)
            self._socket = None

    def _address(self, name: str) -> str:
        # A socket's path has at most 107 octets; this form is short wherever the home is.
        return f"/proc/self/fd/{self._folder}/{name}"

    def _remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._folder)
        except OSError:
            pass

    # -- sending ------------------------------------------------------------------------------------------------

    def publish(self, accounts: Collection[AccountId], *, directory: bool, queue: bool, retry: bool = False) -> None:
        """Tell this worker and its siblings. Never raises."""
        kinds = directory * _DIRECTORY | queue * _QUEUE | retry * _RETRY
        if not (accounts or kinds):
            return
        self._call_back(list(accounts), kinds)
        if not self._siblings:
            return
        numbers = array("q", accounts)
        for at in range(0, max(1, len(numbers)), _ACCOUNTS_IN_ONE):
            datagram = bytes([kinds]) + numbers[at : at + _ACCOUNTS_IN_ONE].tobytes()
            for name in tuple(self._siblings):
                self._send(datagram, name)

    def _list_siblings(self) -> list[str]:
        """Return the sockets of others in the run directory."""
        try:
            names = [path.name for path in self._directory.iterdir()]
        except OSError:
            return []
        return [name for name in names if name.startswith("notice.") and name.endswith(".sock") and name != self._name]

    def _send(self, datagram: bytes, name: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(datagram, self._address(name))
        except ConnectionRefusedError:
            self._remove(name)  # its worker was killed
            self._siblings.remove(name)
        except FileNotFoundError:
            self._siblings.remove(name)  # its worker has left
        except OSError:
            pass  # a full buffer: it is only a hint

    # -- receiving ----------------------------------------------------------------------------------------------

    def _read(self) -> None:
        accounts: dict[AccountId, None] = {}
        kinds = 0
        for _ in range(_BURST):
            if self._socket is None:
                return
            try:
                datagram = self._socket.recv(65_536)
            except OSError:
                break
            if len(datagram) % 8 == 1:
                kinds |= datagram[0]
                accounts.update(dict.fromkeys(map(AccountId, array("q", datagram[1:]))))
        if kinds & _HELLO:
            self._siblings = self._list_siblings()
        self._call_back(list(accounts), kinds)

    def _call_back(self, accounts: list[AccountId], kinds: int) -> None:
        if kinds & _DIRECTORY:
            for callback in tuple(self._directory_callbacks):
                self._guard(callback)
        if accounts:
            for tell in tuple(self._account_callbacks):
                self._guard(tell, accounts)
        if kinds & _RETRY:
            for callback in tuple(self._retry_callbacks):
                self._guard(callback)
        if kinds & _QUEUE:
            for callback in tuple(self._queue_callbacks):
                self._guard(callback)

    def _guard(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call back so that an error there is reported by the loop and stops no one else."""
        try:
            callback(*arguments)
        except Exception as error:
            if self._loop is not None:
                self._loop.call_exception_handler({"message": "a notice callback failed", "exception": error})


def _add(callbacks: list[Callable[..., None]], callback: Callable[..., None]) -> Callable[[], None]:
    callbacks.append(callback)

    def end() -> None:
        if callback in callbacks:
            callbacks.remove(callback)

    return end
