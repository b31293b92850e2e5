"""The writer of log lines."""

from __future__ import annotations

import asyncio
import json
import os

from posthouse.telemetry import writer as room
from posthouse.telemetry.formats import open_telemetry
from posthouse.telemetry.writer import FULL, BufferedWriter
from posthouse.testing.clock import FakeClock


def lost_line(lines: int) -> bytes:
    """Return the line that tells of a loss."""
    return b"lost %d\n" % lines


def test_without_a_loop_lines_are_written_at_once(tmp_path) -> None:
    """A command's lines are in the file when it ends, however it ends."""
    path = tmp_path / "log"
    BufferedWriter(str(path), lost_line).write(b"one\n")
    assert path.read_bytes() == b"one\n"
    assert path.stat().st_mode & 0o777 == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


async def test_lines_gather_and_go_out_together(tmp_path, monkeypatch) -> None:
    """With a loop lines wait for the timer, for a full buffer, or for flush."""
    monkeypatch.setattr(room, "DELAY", 0.005)
    path = tmp_path / "log"
    writer = BufferedWriter(str(path), lost_line)
    writer.start(asyncio.get_running_loop())
    writer.write(b"one\n")
    writer.write(b"two\n")
    assert path.read_bytes() == b""
    while not path.read_bytes():  # noqa: ASYNC110  (the timer is what is tested)
        await asyncio.sleep(0.001)
    assert path.read_bytes() == b"one\ntwo\n"
    writer.write(b"x" * FULL)
    assert path.stat().st_size == FULL + 8
    writer.write(b"last\n")
    writer.close()
    assert path.read_bytes().endswith(b"last\n")


def test_a_full_disk_loses_lines_and_says_so(tmp_path, monkeypatch) -> None:
    """Writing that fails raises nothing; the count is told when writing works again."""
    path = tmp_path / "log"
    writer = BufferedWriter(str(path), lost_line)
    real = os.write

    def full(descriptor, data) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    writer.write(b"one\n")
    writer.write(b"two\n")
    assert writer.lost == 2
    monkeypatch.setattr(os, "write", real)
    writer.write(b"three\n")
    assert path.read_bytes() == b"lost 2\nthree\n"
    assert writer.lost == 0


def test_reopen_follows_a_rotation(tmp_path) -> None:
    """After the file was renamed, reopen goes on in a new one; where it cannot, the old one stays in use."""
    path = tmp_path / "log"
    writer = BufferedWriter(str(path), lost_line)
    writer.write(b"one\n")
    path.rename(tmp_path / "log.1")
    writer.reopen()
    writer.write(b"two\n")
    assert (path.read_bytes(), (tmp_path / "log.1").read_bytes()) == (b"two\n", b"one\n")
    path.unlink()
    path.mkdir()
    writer.reopen()
    writer.write(b"three\n")


def test_two_workers_share_a_file(tmp_path) -> None:
    """Whole lines of several writers stand one after the other."""
    path = tmp_path / "log"
    writers = [BufferedWriter(str(path), lost_line) for _ in range(2)]
    for number in range(100):
        writers[number % 2].write(b"line %d\n" % number)
    assert path.read_bytes().splitlines() == [b"line %d" % number for number in range(100)]


def test_open_telemetry_writes_json(tmp_path) -> None:
    """The root telemetry of a worker ends in the file."""
    telemetry, writer = open_telemetry(FakeClock(), target=str(tmp_path / "log"))
    telemetry.event("door.idle", count=3)
    writer.close()
    assert json.loads((tmp_path / "log").read_bytes())["count"] == 3
