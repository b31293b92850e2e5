"""The machine as it is: disks, ports, who holds a port, the kernel's clock. Linux tells most; elsewhere less is known.

Invariant: nothing here raises but ``disk``; what cannot be read is simply not told (the files of other users' processes
for one). Tests: ``tests/unit/services/administration/diagnosis/test_machine.py``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from posthouse.config.file import Bind
from posthouse.services.administration.diagnosis.parts import DiskFacts, PortFacts

_STATES: Final = {errno.EADDRINUSE: "taken", errno.EACCES: "no-right", errno.EPERM: "no-right"}
_NO_FAMILY: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_LISTENING: Final = "0A"  # TCP_LISTEN in /proc/net/tcp
_TIME_ERROR: Final = 5  # adjtimex(2): the clock follows no other
_TIMEX_ROOM: Final = 512  # struct timex has 208 octets on 64-bit Linux
_PROCESSES: Final = 100_000  # looked through for the holder of a socket
_OCTAL: Final = re.compile(r"\\([0-7]{3})")  # how mountinfo writes spaces


class SystemMachine:
    """Implements ``parts.Machine``; ``proc`` is where the kernel's files are."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def is_root(self) -> bool:
        """Whether we run as root."""
        return os.geteuid() == 0

    def has_user(self, name: str) -> bool:
        """Whether there is a user of that name."""
        try:
            return bool(pwd.getpwnam(name))
        except (KeyError, ValueError):
            return False

    def processors(self) -> int:
        """Return how many processors this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    # ---- disks ----------------------------------------------------------------------------------------------------

    def disk(self, path: Path) -> DiskFacts:
        """Return what holds a path. Raises OSError."""
        found = os.statvfs(path)
        mount, kind = self._mount_of(path)
        return DiskFacts(
            mount=mount,
            kind=kind,
            free=found.f_bavail * found.f_frsize,
            size=found.f_blocks * found.f_frsize,
            inodes_free=found.f_favail,
            inodes=found.f_files,
        )

    def _mount_of(self, path: Path) -> tuple[str, str]:
        """Return the mount point and the kind of the file system: of the longest mount point that holds the path."""
        real = os.path.realpath(path)
        best = ("", "")
        for line in self._lines("self/mountinfo"):
            left, _, right = line.partition(" - ")
            words = left.split(" ")
            if len(words) < 5 or not right:
                continue
            mount = _OCTAL.sub(lambda match: chr(int(match[1], 8)), words[4])
            inside = real == mount or real.startswith(mount.rstrip("/") + "/")
            if inside and len(mount) >= len(best[0]):  # a later mount covers an earlier one at the same place
                best = (mount, right.split(" ", 1)[0])
        return best

    # ---- ports ----------------------------------------------------------------------------------------------------

    def port(self, bind: Bind) -> PortFacts:
        """Return whether the server could listen there, and who does where it could not."""
        if bind.is_unix:
            return PortFacts("free")
        hosts = ("0.0.0.0", "::") if bind.host == "*" else (bind.host,)
        for host in hosts:
            facts = _try_to_listen(host, bind.port)
            if facts.state == "no-family" and len(hosts) > 1:
                continue  # a kernel without IPv6
            if facts.state == "taken":
                return PortFacts("taken", facts.detail, self.program_at(bind.port))
            if facts.state != "free":
                return PortFacts("no-address" if facts.state == "no-family" else facts.state, facts.detail)
        return PortFacts("free")

    def program_at(self, port: int) -> str:
        """Return who listens on a port: its name and process id, "" where that cannot be seen."""
        inodes = set(self._inodes_at(port))
        if not inodes:
            return ""
        wanted = {f"socket:[{inode}]" for inode in inodes}
        for pid in self._pids():
            if self._holds(pid, wanted):
                name = next(iter(self._lines(f"{pid}/comm")), "").strip()
                return f"{name or 'a program'}, process {pid}"
        return ""

    def _inodes_at(self, port: int) -> Iterator[str]:
        for table in ("net/tcp", "net/tcp6"):
            for line in self._lines(table):
                words = line.split()
                if len(words) > 9 and words[3] == _LISTENING and words[1].rpartition(":")[2] == f"{port:04X}":
                    yield words[9]

    def _pids(self) -> list[int]:
        try:
            names = os.listdir(self._proc)  # noqa: PTH208  (names only; there may be many)
        except OSError:
            return []
        return sorted(int(name) for name in names[:_PROCESSES] if name.isdigit())

    def _holds(self, pid: int, wanted: set[str]) -> bool:
        folder = f"{self._proc}/{pid}/fd"
        try:
            with os.scandir(folder) as entries:
                return any(_link(entry.path) in wanted for entry in entries)
        except OSError:
            return False  # another user's process, or one that has just ended

    # ---- clock ----------------------------------------------------------------------------------------------------

    def clock_is_synchronised(self) -> bool | None:
        """Whether the kernel says that its clock follows another; None where it does not tell."""
        room = ctypes.create_string_buffer(_TIMEX_ROOM)  # all zeros: change nothing, only tell
        try:
            state = ctypes.CDLL(None).adjtimex(room)
        except (OSError, AttributeError):
            return None
        return None if state < 0 else state != _TIME_ERROR

    def _lines(self, name: str) -> list[str]:
        try:
            return (self._proc / name).read_text(errors="replace").splitlines()
        except OSError:
            return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  (thousands of them; a Path each would double the time)
    except OSError:
        return ""


def _try_to_listen(host: str, port: int) -> PortFacts:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            link.bind((host, port))
    except OSError as fault:
        number = fault.errno or 0
        state = "no-family" if number in _NO_FAMILY and host == "::" else _STATES.get(number, "no-address")
        return PortFacts(state, fault.strerror or "not possible")
    return PortFacts("free")
