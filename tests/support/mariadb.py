"""A real MariaDB for tests: a data folder of its own, on a socket and a loopback port, as the user ``mysql`` under root.

Use as a context; ``run`` executes SQL. There is a user ``mail`` with ``PASSWORD`` and a database ``users``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.support.ldap import _free_port
from tests.support.server import until

PASSWORD = "sql-secret"


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/libexec")


def why_not() -> str:
    """Return why MariaDB cannot be run here, "" where it can."""
    for name in ("mariadbd", "mariadb-install-db", "mariadb"):
        if _program(name) is None:
            return f"{name} is not installed"
    if os.getuid() == 0:
        try:
            pwd.getpwnam("mysql")
        except KeyError:
            return "there is no user mysql to run MariaDB as"
    return ""


class MariadbServer:
    """One server."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="posthouse-mariadb-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user = ["--user=mysql"] if os.getuid() == 0 else []
        self.port = _free_port()
        if os.getuid() == 0:
            entry = pwd.getpwnam("mysql")
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"mysql://mail@127.0.0.1:{self.port}/users"

    @property
    def socket_url(self) -> str:
        """Where it is on this machine."""
        return f"mysql://mail@localhost/users?unix_socket={self._folder}/socket"

    def __enter__(self) -> Self:
        install = [
            _program("mariadb-install-db"), "--no-defaults", f"--datadir={self._folder}/data",
            "--auth-root-authentication-method=normal", "--skip-test-db", *self._as_user,
        ]  # fmt: skip
        done = subprocess.run(install, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        self.start()
        self.run(
            "CREATE DATABASE users CHARACTER SET utf8mb4;"
            f"CREATE USER mail IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON users.* TO mail;"
        )
        return self

    def start(self) -> None:
        """Run the server until it answers."""
        self._process = subprocess.Popen(
            [_program("mariadbd"), "--no-defaults", f"--datadir={self._folder}/data", f"--port={self.port}",
             "--bind-address=127.0.0.1", f"--socket={self._folder}/socket", f"--pid-file={self._folder}/pid",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", *self._as_user],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: self._sql("SELECT 1").returncode == 0, "MariaDB to answer", 30)

    def _sql(self, text: str) -> subprocess.CompletedProcess[str]:
        client = [_program("mariadb"), "--no-defaults", f"--socket={self._folder}/socket", "-u", "root"]
        return subprocess.run(client, input=text, capture_output=True, text=True, timeout=30)

    def run(self, text: str) -> None:
        """Execute SQL."""
        done = self._sql(text)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
