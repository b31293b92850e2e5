"""The real machine, and a made-up /proc."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from posthouse.config.file import Bind
from posthouse.services.administration.diagnosis.machine import SystemMachine

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:5 / /srv rw - nfs4 host:/srv rw
24 22 0:6 / /srv/my\\040mail rw - tmpfs none rw
25 22 0:7 / /srvx rw - btrfs none rw
broken line
"""
KINDS = [("/srv/a", "nfs4"), ("/srv/my mail/a", "tmpfs"), ("/srvx", "btrfs"), ("/other", "ext4")]


@pytest.mark.parametrize(("path", "kind"), KINDS)
def test_the_file_system_of_a_path(tmp_path, monkeypatch, path, kind) -> None:
    """The longest mount point that holds it, with spaces as the kernel writes them."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mountinfo").write_text(MOUNTS)
    monkeypatch.setattr("os.path.realpath", str)
    monkeypatch.setattr("os.statvfs", lambda _: os.statvfs_result((4096, 4096, 100, 50, 40, 10, 9, 8, 0, 255)))
    facts = SystemMachine(tmp_path).disk(Path(path))
    assert (facts.kind, facts.free, facts.inodes, facts.inodes_free) == (kind, 40 * 4096, 10, 8)


def test_a_real_disk(tmp_path) -> None:
    """There is room where tests run, and the kernel names the file system."""
    facts = SystemMachine().disk(tmp_path)
    assert facts.free > 0
    assert facts.kind


def test_ports_free_and_taken_with_the_name_of_who_has_it() -> None:
    """Trying tells, and leaves the port as it was; this process finds itself."""
    machine = SystemMachine()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        bind = Bind("127.0.0.1", other.getsockname()[1])
        taken = machine.port(bind)
        assert (taken.state, f"process {os.getpid()}" in taken.program) == ("taken", True)
    assert machine.port(bind).state == "free"
    assert machine.port(Bind("192.0.2.77", 0)).state == "no-address"
    assert machine.port(Bind("*", 0)).state == "free"
    assert machine.port(Bind("run/x.sock", -1)).state == "free"
    assert not machine.program_at(1)


def test_what_cannot_be_read_is_not_told(tmp_path) -> None:
    """Another kernel, another user's processes."""
    machine = SystemMachine(tmp_path)
    assert not machine.program_at(25)
    assert not machine.disk(tmp_path).kind
    assert machine.has_user("root")
    assert not machine.has_user("no such user")
    assert machine.processors() >= 1
    assert machine.clock_is_synchronised() in {True, False, None}
    assert machine.is_root() is (os.geteuid() == 0)
