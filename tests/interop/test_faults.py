"""The machine fails: no room, a store that cannot be written, a flush that fails, a lock that somebody holds.

Each time: peers get 4xx (``NO`` in IMAP), what was accepted is there afterwards exactly once, what can be read is
read, and when the fault is over the same processes accept mail again.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import smtplib
import sqlite3
import subprocess
from collections import Counter

import pytest

from tests.support.server import DOMAIN, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("faults")]

NEEDS_STRACE = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("strace"), reason="needs root and the Debian package strace"
)


@pytest.fixture
def house(tmp_path):
    """Return a server for this test alone."""
    with PosthouseServer(tmp_path / "home") as server:
        yield server


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Post:
    """Hands in numbered messages and remembers which were accepted."""

    def __init__(self, house):
        self.house = house
        self.number = 0
        self.accepted = []
        self.codes = []

    def send(self, size=200, base=25, client=None):
        """Send one message; return the code of the reply that decided."""
        self.number += 1
        text = f"Subject: number {self.number}\r\n\r\n" + ("x" * 70 + "\r\n") * (size // 72) + "\r\n"
        try:
            with contextlib.nullcontext(client) if client else self.connect(base) as link:
                link.sendmail("a@b.example", [f"anna@{DOMAIN}"], text)
        except smtplib.SMTPResponseException as reply:
            code = reply.smtp_code
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, _),) = refused.recipients.values()
        else:
            code = 250
            self.accepted.append(self.number)
        self.codes.append(code)
        return code

    def connect(self, base):
        """Return a connection for mail of strangers."""
        if base == 24:
            return smtplib.LMTP("127.0.0.1", self.house.port(24))
        return self.house.smtp(base)

    def is_sound(self):
        """Everything that was accepted is in the inbox exactly once, nothing twice, and the store is sound."""
        found = Counter(
            int(line.split()[2])
            for message in self.house.messages("anna")
            for line in message.split(b"\r\n")
            if line.startswith(b"Subject: number")
        )
        assert {number: found[number] for number in self.accepted} == dict.fromkeys(self.accepted, 1)
        assert max(found.values()) == 1
        assert len(found) <= self.number
        done = self.house.run("verify")
        assert done.returncode == 0, done.stdout


@contextlib.contextmanager
def struck(house, calls, error):
    """Make system calls of all workers fail while the block runs."""
    pids = [str(worker["pid"]) for worker in house.rows("status")[0]["workers"]]
    attach = [word for pid in pids for word in ("-p", pid)]
    said = house.home.with_name("strace")
    with said.open("wb") as out:
        process = subprocess.Popen(
            ["strace", "-f", *attach, "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"],
            stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        until(
            lambda: said.read_bytes().count(b"attached") >= len(pids) or process.poll() is not None,
            "strace to be attached",
        )
        if process.poll() is not None:
            pytest.skip(f"strace cannot attach here: {said.read_text().strip()[:200]}")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def assert_recovers(house, post, pids):
    """Mail is accepted again, soon, and by the same processes."""
    until(lambda: post.send() == 250, "mail to be accepted again", 20)
    until(lambda: [post.send() for _ in range(4)] == [250] * 4, "mail to be accepted by every worker", 20)
    assert [worker["pid"] for worker in house.rows("status")[0]["workers"]] == pids
    post.is_sound()


FAULTS = [
    pytest.param("fsync,fdatasync", "EIO", id="a flush fails"),
    pytest.param("pwrite64,ftruncate,fallocate", "ENOSPC", id="no room"),
    pytest.param("pwrite64,ftruncate,fallocate", "EROFS", id="the store is read-only"),
    pytest.param("pwrite64", "EIO", id="a write fails"),
]


@NEEDS_STRACE
@pytest.mark.parametrize(("calls", "error"), FAULTS)
def test_a_store_that_cannot_write(house, calls, error):
    """While writes fail every message and every change is refused for now; reading goes on; then all is well again."""
    post = Post(house)
    pids = [worker["pid"] for worker in house.rows("status")[0]["workers"]]
    assert [post.send() for _ in range(3)] == [250] * 3
    with struck(house, calls, error):
        codes = [post.send() for _ in range(4)]
        lmtp = post.send(base=24)
        with house.imap("anna") as client:
            client.select("INBOX")
            appended = client.append("INBOX", "", None, b"Subject: appended\r\n\r\nx\r\n")[0]
            read = client.fetch("1", "(BODY.PEEK[])")[0]
    assert all(400 <= code < 500 for code in [*codes, lmtp]), (codes, lmtp)
    assert (appended, read) == ("NO", "OK")
    assert_recovers(house, post, pids)


def test_a_large_message_that_finds_no_room_in_the_spool(small_disk):
    """A message too large for memory and disk is refused for now, leaves nothing, and a small one is still taken."""
    with PosthouseServer(small_disk / "home") as house:
        post = Post(house)
        pids = [worker["pid"] for worker in house.rows("status")[0]["workers"]]
        assert 400 <= post.send(size=28_000_000) < 500
        assert list((house.home / "spool").iterdir()) == []
        assert post.send() == 250
        assert_recovers(house, post, pids)


def test_a_full_disk(small_disk):
    """Mail comes until the disk is full, then 452; when there is room again it is accepted, by the same processes."""
    with PosthouseServer(small_disk / "home") as house:
        post = Post(house)
        pids = [worker["pid"] for worker in house.rows("status")[0]["workers"]]
        until(lambda: post.send(size=400_000) != 250, "the disk to be full", 60)
        assert set(post.codes) <= {250, 451, 452}
        assert 400 <= post.send(size=400_000) < 500
        assert len(house.messages("anna")) == len(post.accepted)
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        assert_recovers(house, post, pids)


def test_a_home_that_cannot_be_written(small_disk):
    """A server does not begin to serve where it can write nothing, and says which file it was."""
    house = PosthouseServer(small_disk / "home").found()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = house.run("serve")
    assert done.returncode == 78, (done.returncode, done.stderr)
    assert str(house.home) in done.stderr, done.stderr
    assert "ead-only" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@contextlib.contextmanager
def lock_file_held(home):
    """Hold the lock by which writers take turns."""
    with (home / "store.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def database_locked(home):
    """Hold the database's own write lock, as a tool that knows nothing of ours would."""
    with contextlib.closing(sqlite3.connect(home / "store.db", isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("hold", [lock_file_held, database_locked], ids=["by its lock file", "by SQLite"])
def test_a_store_that_somebody_holds(house, hold):
    """While another holds the store nothing is accepted and nobody waits for ever; reading goes on."""
    post = Post(house)
    pids = [worker["pid"] for worker in house.rows("status")[0]["workers"]]
    assert post.send() == 250
    with hold(house.home):
        with house.smtp() as client:
            client.sock.settimeout(60)
            code = post.send(client=client)
        assert 400 <= code < 500
        assert len(house.messages("anna")) == 1
    assert_recovers(house, post, pids)
