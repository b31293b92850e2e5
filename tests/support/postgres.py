"""A real PostgreSQL for tests: a cluster of its own in a folder, on a socket and a loopback port.

PostgreSQL does not run as root: there it runs as the user ``postgres``. Use as a context; ``run`` executes SQL.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.support.ldap import _free_port
from tests.support.server import until

FOLDERS = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
PASSWORD = "sql-secret"


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([*FOLDERS, os.environ.get("PATH", "")]))


def why_not() -> str:
    """Return why PostgreSQL cannot be run here, "" where it can."""
    if _program("initdb") is None or _program("postgres") is None:
        return "PostgreSQL's server is not installed"
    if os.getuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


class PostgresServer:
    """One cluster with a superuser ``mail``."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="posthouse-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self._user: dict[str, Any] = {}
        if os.getuid() == 0:
            entry = pwd.getpwnam("postgres")
            self._user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://mail@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        (self._folder / "password").write_text(PASSWORD)
        (self._folder / "password").chmod(0o644)
        initdb = [
            _program("initdb"), "-D", str(self._folder / "data"), "-U", "mail", "-A", "scram-sha-256", "-E", "UTF8",
            "--no-locale", "--no-sync", f"--pwfile={self._folder / 'password'}",
        ]  # fmt: skip
        done = subprocess.run(initdb, capture_output=True, text=True, timeout=120, cwd="/", **self._user)
        assert done.returncode == 0, done.stderr
        self.start()
        return self

    def start(self) -> None:
        """Run the server until it answers."""
        settings = ["fsync=off", "shared_buffers=8MB", f"unix_socket_directories={self._folder}", "max_connections=20"]
        options = [word for setting in settings for word in ("-c", setting)]
        self._process = subprocess.Popen(
            [_program("postgres"), "-D", str(self._folder / "data"), "-p", str(self.port), "-h", "127.0.0.1", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self._user,
        )  # fmt: skip
        until(lambda: self._sql("SELECT 1").returncode == 0, "PostgreSQL to answer")

    def _sql(self, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_program("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "mail",
             "-d", "postgres", "-f", "-"],
            input=text, capture_output=True, text=True, timeout=30, env=os.environ | {"PGPASSWORD": PASSWORD},
        )  # fmt: skip

    def run(self, text: str) -> None:
        """Execute SQL."""
        done = self._sql(text)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Stop the server at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
            self._process = None

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
