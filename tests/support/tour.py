"""What ``docs/tour.md`` happens in: an empty machine, and the world around it.

The tour is written as for a real machine. Here its home is in a folder of its own below ``/var/tmp`` (which is on a
disk: ``posthouse check`` complains of one in memory), its ports are some that are free, its user is whoever runs the
tests, and the world is made of

- a name server that answers from the files in the folder ``zones``, as they are at the moment;
- a provider's mail server, ``smtp.provider.example``, which wants name and password, and has the people of
  ``far.example``;
- an authority that signed ``fullchain.pem`` and ``privkey.pem``, and that programs here believe (``authority.pem``).

``posthouse serve`` is started by the tour itself; what it left running is ended here, by the number in ``serve.pid``.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import signal
import tempfile
from pathlib import Path
from typing import Self

from tests.support.certificates import make_authority
from tests.support.nameserver import NameServer
from tests.support.server import BASE_PORTS, PortSlot, PosthouseServer, until

HOME = "/var/lib/posthouse"  # as written
OFFSET = 20_000  # as written
RECORD = re.compile(r"^(\S+)\. \d+ IN (\S+) (.+)$", re.MULTILINE)


class ZoneFiles(dict[tuple[str, str], list[str]]):
    """The records of all files in a folder, and some that are always there; read anew at each question."""

    def __init__(self, folder: Path, world: dict[tuple[str, str], list[str]]) -> None:
        super().__init__(world)
        self._folder = folder
        self._world = world

    def renew(self) -> None:
        """Read the files."""
        self.clear()
        self.update(self._world)
        for path in sorted(self._folder.iterdir()):
            for name, kind, data in RECORD.findall(path.read_text()):
                self.setdefault((name.lower(), kind), [])
                if data not in self[name.lower(), kind]:
                    self[name.lower(), kind].append(data)


class Tour:
    """The machine and the world; use as a context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = contextlib.ExitStack()
        disk = tempfile.TemporaryDirectory(prefix="posthouse-tour-", dir="/var/tmp")
        self.home = Path(self._stack.enter_context(disk)) / "post"
        self._slot = PortSlot()
        self._provider = PosthouseServer(folder / "provider", people=(), workers=1)
        self.words: dict[str, str] = {}

    def __enter__(self) -> Self:
        (self.folder / "zones").mkdir()
        make_authority(self.folder, "mail.hoster.example")
        zones = ZoneFiles(self.folder / "zones", {("smtp.provider.example", "A"): ["127.0.0.1"]})
        names = self._stack.enter_context(NameServer(zones, before=zones.renew))
        provider = self._stack.enter_context(self._provider)
        self._stack.callback(self._end_server)
        _furnish(provider)
        ports = {str(OFFSET + base): str(self._slot.offset + base) for base in (0, *BASE_PORTS)}
        self.words = ports | {
            HOME: str(self.home),
            "--user posthouse": f"--user {getpass.getuser()}",
            "--host smtp.provider.example --port 587": f"--host smtp.provider.example --port {provider.port(587)}",
            "127.0.0.1:53": f"127.0.0.1:{names.port}",
        }
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _end_server(self) -> None:
        """End what ``posthouse serve`` left running."""
        with contextlib.suppress(OSError, ValueError):
            process = int((self.folder / "serve.pid").read_text())
            os.kill(process, signal.SIGTERM)
            until(lambda: _has_ended(process), "the tour's server to end", 40)

    @property
    def environment(self) -> dict[str, str]:
        """What the shell has beside the usual."""
        return {"POSTHOUSE_HOME": str(self.home), "SSL_CERT_FILE": str(self.folder / "authority.pem")}

    def here(self, command: str) -> str:
        """Return a command of the tour with what is other here."""
        pattern = "|".join(sorted(map(re.escape, self.words), key=len, reverse=True))
        return re.sub(rf"(?<!\d)(?:{pattern})(?!\d)", lambda found: self.words[found[0]], command)

    def as_written(self, printed: str) -> str:
        """Return what was printed with the home as it is written."""
        return printed.replace(str(self.home), HOME)


def _has_ended(process: int) -> bool:
    """Whether a process is gone, or only waits for somebody to take note."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _furnish(provider: PosthouseServer) -> None:
    """Give the provider a customer who may send as anybody, and somebody to write to."""
    password = "the-password-at-the-provider\n"
    provider.say("account", "add", "hoster@example.test", "--password-file", "-", text=password)
    provider.set(address__default_domain="example.test")
    provider.say("domain", "add", "far.example")
    provider.say("account", "add", "carla@far.example", "--password-file", "-", text=password)
    provider.set(smtp__sender_must_own="no")
