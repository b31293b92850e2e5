"""A real server for tests: a home founded in a folder, ``posthouse serve`` on free loopback ports, clients for it.

``PosthouseServer`` is a context. Everything that waits does so with a deadline; ``until`` is the one way to wait.
Servers that run are listed in ``RUNNING``, so that a test that fails can show the end of their logs.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import imaplib
import json
import os
import poplib
import random
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from posthouse.cli.common import with_tools
from posthouse.config.home import Home
from posthouse.founding import Founding, found_home
from posthouse.services.administration.call import Call, perform
from posthouse.services.administration.caller import Caller
from posthouse.services.administration.operations import account, route, setting

T = TypeVar("T")

DOMAIN = "example.test"
PASSWORD = "interop-password"
BASE_PORTS = (24, 25, 80, 110, 143, 443, 465, 587, 993, 995, 9290)
RUNNING: list[PosthouseServer] = []


def until(condition: Callable[[], T], what: str, seconds: float = 15.0) -> T:
    """Return the first true value of ``condition``; fail with ``what`` was waited for when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}; the last value was {value!r}")
        time.sleep(0.02)


async def administer(tools: Any, operation: Any, /, **fields: Any) -> Any:
    """Perform an operation with the toolbox of the command line, as a command would."""
    call = Call(caller=Caller.on_this_machine("root"), desk=await tools.desk())
    return await perform(operation, call, operation.input(**fields))


class PortSlot:
    """A port offset that nobody else on this machine has, while this object lives: other test runs ask for one as well.

    Offsets are multiples of 31, so that no two of them lead to the same port for any of ``BASE_PORTS``.
    """

    def __init__(self) -> None:
        folder = Path(tempfile.gettempdir()) / f"posthouse-test-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        while True:
            self.offset = random.randrange(10_013, 23_400, 31)
            self._descriptor = os.open(folder / str(self.offset), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if self._is_ours() and self._is_free():
                return
            os.close(self._descriptor)

    def _is_ours(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _is_free(self) -> bool:
        try:
            for base in BASE_PORTS:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", self.offset + base))
        except OSError:
            return False
        return True

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def run_posthouse(home: Path, *words: str, text: str = "", seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """Run a command as an administrator would; return what it said and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "posthouse.cli", "--home", str(home), *words],
        input=text, capture_output=True, text=True, check=False, timeout=seconds,
    )  # fmt: skip


class PosthouseServer:
    """One server; ``anna``, ``ben`` and whoever ``add`` makes have accounts in ``example.test``."""

    def __init__(self, home: Path, *, people: Sequence[str] = ("anna", "ben"), workers: int = 2) -> None:
        self.home = home
        self._slot = PortSlot()
        self.offset = self._slot.offset
        self.people = people
        self.workers = workers
        self.wrapper: tuple[str, ...] = ()  # words before the command, such as those of strace
        self.python = sys.executable
        self.process: subprocess.Popen[bytes] | None = None
        self.exit_code: int | None = None

    # ---- life -----------------------------------------------------------------------------------------------------

    def found(self) -> PosthouseServer:
        """Make the home."""
        plan = Founding(
            hostname=f"mx.{DOMAIN}",
            domain=DOMAIN,
            admin=f"admin@{DOMAIN}",
            password=PASSWORD.encode(),
            listen=("127.0.0.1",),
            port_offset=self.offset,
            people=tuple((f"{name}@{DOMAIN}", PASSWORD.encode(), name.title()) for name in self.people),
        )
        asyncio.run(found_home(Home(self.home), plan))
        self.configure(r"^count = .*$", f"count = {self.workers}")
        return self

    def configure(self, pattern: str, replacement: str) -> None:
        """Change ``posthouse.toml`` where a pattern matches."""
        file = self.home / "posthouse.toml"
        text, count = re.subn(pattern, replacement, file.read_text(), flags=re.MULTILINE)
        assert count, pattern
        file.write_text(text)

    def start(self, **environment: str) -> PosthouseServer:
        """Start it and wait until it says ``ready``."""
        self.said.write_bytes(b"")
        with self.said.open("ab") as said, self.complained.open("ab") as complained:
            self.process = subprocess.Popen(
                [*self.wrapper, self.python, "-m", "posthouse.cli", "--home", str(self.home), "serve"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=complained, env=os.environ | environment,
            )  # fmt: skip
        RUNNING.append(self)
        until(lambda: self.ready_count() or self.process.poll() is not None, "the server to be ready", 30)
        assert self.ready_count(), f"the server ended with {self.process.poll()}: {self.complained.read_text()}"
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it by a signal; return its exit code."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(number)
            try:
                self.exit_code = self.process.wait(40)
            finally:
                self.process.kill()
                RUNNING.remove(self)
                self.process = None
        assert self.exit_code is not None
        return self.exit_code

    def __enter__(self) -> Self:
        return self if self.process is not None else self.found().start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def said(self) -> Path:
        """The file with its standard output."""
        return self.home.with_name(self.home.name + ".stdout")

    @property
    def complained(self) -> Path:
        """The file with its standard error."""
        return self.home.with_name(self.home.name + ".stderr")

    def ready_count(self) -> int:
        """Return how often it said ``ready``; once more after each SIGUSR2."""
        return self.said.read_bytes().count(b"ready\n")

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return what it logged, of one event or all."""
        path = self.home / "log" / "posthouse.log"
        lines = path.read_bytes().splitlines() if path.exists() else []
        found = [json.loads(line) for line in lines if not name or name.encode() in line]
        return [event for event in found if not name or event["event"] == name]

    def tail(self, lines: int = 40) -> str:
        """Return the end of its log and what it wrote to standard error."""
        path = self.home / "log" / "posthouse.log"
        logged = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []
        return "\n".join([*logged, self.complained.read_text(errors="replace")[-4000:]])

    # ---- administration -------------------------------------------------------------------------------------------

    def run(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of ours on this home."""
        return run_posthouse(self.home, *words, text=text)

    def say(self, *words: str, text: str = "") -> str:
        """Run a command that must succeed; return what it printed."""
        done = self.run(*words, text=text)
        assert done.returncode == 0, f"posthouse {' '.join(words)}: {done.returncode}: {done.stderr}"
        return done.stdout

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """Run a list command with ``--json``; return its rows."""
        return [json.loads(line) for line in self.say(*words, "--json").splitlines()]

    def tools(self, action: Callable[[Any], Any]) -> Any:
        """Do something with the toolbox of the command line, without the cost of a process."""
        return with_tools(Home(self.home), action)

    def add(self, *names: str) -> list[str]:
        """Add accounts; return their addresses."""
        addresses = [f"{name}@{DOMAIN}" for name in names]

        async def action(tools: Any) -> None:
            for address in addresses:
                await administer(tools, account.add, address=address, password=PASSWORD)

        self.tools(action)
        return addresses

    def set(self, **values: str) -> None:
        """Set settings; dots in names are written as double underscores."""

        async def action(tools: Any) -> None:
            for name, value in values.items():
                await administer(tools, setting.set_, name=name.replace("__", "."), value=value)

        self.tools(action)

    def route(self, domain: str, port: int, **options: Any) -> None:
        """Add a route to a port of this machine."""
        self.tools(lambda tools: administer(tools, route.add, domain=domain, host="127.0.0.1", port=port, **options))

    def story(self, what: str) -> str:
        """Return ``posthouse journey show`` of everything that ``journey find`` finds, oldest first; "" for nothing."""
        found = [row["queue_id"] for row in self.rows("journey", "find", what)]
        return "".join(self.say("journey", "show", queue_id) for queue_id in reversed(found))

    # ---- clients --------------------------------------------------------------------------------------------------

    def port(self, base: int) -> int:
        """Return the port that stands for a well-known one."""
        return self.offset + base

    @property
    def certificate(self) -> Path:
        """The certificate, which is its own authority."""
        return self.home / "tls" / "certificate.pem"

    def tls(self) -> ssl.SSLContext:
        """Return a client context that trusts this server's certificate and checks no name."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False
        return context

    def smtp(self, base: int = 25) -> smtplib.SMTP:
        """Return an SMTP connection; on 465 it is encrypted."""
        if base == 465:
            return smtplib.SMTP_SSL("127.0.0.1", self.port(465), timeout=20, context=self.tls())
        return smtplib.SMTP("127.0.0.1", self.port(base), timeout=20)

    def submission(self, name: str) -> smtplib.SMTP:
        """Return a connection to the submission port, encrypted and signed in."""
        client = self.smtp(587)
        client.starttls(context=self.tls())
        client.login(f"{name}@{DOMAIN}", PASSWORD)
        return client

    def imap(self, name: str) -> imaplib.IMAP4:
        """Return a signed-in IMAP connection; leave it with ``with`` or ``logout``."""
        client = imaplib.IMAP4("127.0.0.1", self.port(143), timeout=20)
        client.login(f"{name}@{DOMAIN}", PASSWORD)
        return client

    def pop3(self, name: str) -> poplib.POP3:
        """Return a signed-in POP3 connection."""
        client = poplib.POP3("127.0.0.1", self.port(110), timeout=20)
        client.user(f"{name}@{DOMAIN}")
        client.pass_(PASSWORD)
        return client

    def count(self, name: str, mailbox: str = "INBOX") -> int:
        """Return how many messages a mailbox holds."""
        with self.imap(name) as client:
            _, lines = client.status(mailbox, "(MESSAGES)")
        return int(lines[0].split()[-1].rstrip(b")"))

    def messages(self, name: str, mailbox: str = "INBOX") -> list[bytes]:
        """Return all messages of a mailbox, marking none as seen."""
        with self.imap(name) as client:
            client.select(mailbox, readonly=True)
            _, parts = client.fetch("1:*", "(BODY.PEEK[])")
        return [part[1] for part in parts if isinstance(part, tuple)]

    def wait_for(self, name: str, count: int, mailbox: str = "INBOX", seconds: float = 15.0) -> list[bytes]:
        """Wait until a mailbox holds ``count`` messages; return them all."""
        until(lambda: self.count(name, mailbox) >= count, f"{count} messages in {mailbox} of {name}", seconds)
        return self.messages(name, mailbox)
