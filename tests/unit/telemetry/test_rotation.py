"""Rotation: no line is lost, old files are compressed and removed, and logrotate may do it instead."""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from posthouse.telemetry import rotation as room
from posthouse.telemetry.archive import log_files, read_lines
from posthouse.telemetry.rotation import GRACE, Rotation, rotated_files, tidy
from posthouse.telemetry.writer import BufferedWriter

NOW = 1_700_000_000.0
DAY = 86_400.0


def lost_line(lines: int) -> bytes:
    """Return the line that tells of a loss."""
    return b"lost %d\n" % lines


class Loop(asyncio.AbstractEventLoop):
    """A loop whose timers never fire: the test flushes."""

    def call_later(self, delay, callback, *args, context=None):
        return asyncio.TimerHandle(0.0, callback, args, self)

    def _timer_handle_cancelled(self, handle) -> None:
        pass

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return False


def started(path: Path, rotation: Rotation, now: list[float], header: bytes = b"") -> BufferedWriter:
    """Return a writer that rotates; ``now`` is its clock."""
    writer = BufferedWriter(str(path), lost_line, rotation=rotation, header=header, now=lambda: now[0])
    writer.start(Loop())
    return writer


def put(writer: BufferedWriter, text: str) -> None:
    """Write a line now."""
    writer.write(f"{text}\n".encode())
    writer.flush()


def test_by_size(tmp_path) -> None:
    """A file that would grow too large is renamed before the next block; names that are taken get a number."""
    path, now = tmp_path / "a.log", [NOW]
    writer = started(path, Rotation(size=10, daily=False), now)
    for word in ("first", "second", "third"):
        put(writer, word)
    assert path.read_text() == "third\n"
    assert [each.name for each in rotated_files(path)] == [
        "a.log.2023-11-14T221320Z",
        "a.log.2023-11-14T221320Z.1",
    ]
    assert list(read_lines(path)) == [b"first", b"second", b"third"]


def test_by_day(tmp_path) -> None:
    """The first block of a day begins a file; an empty file is not rotated."""
    path, now = tmp_path / "a.log", [time.time()]
    writer = started(path, Rotation(daily=True), now)
    put(writer, "today")
    put(writer, "today too")
    now[0] += DAY
    put(writer, "tomorrow")
    assert path.read_text() == "tomorrow\n"
    assert len(rotated_files(path)) == 1


def test_a_new_file_begins_with_its_header(tmp_path) -> None:
    """Each file of the W3C form says what its fields are, once."""
    path, now = tmp_path / "a.log", [NOW]
    writer = started(path, Rotation(size=20, daily=False), now, header=b"#Fields\n")
    for word in ("one", "two", "three", "four"):
        put(writer, word)
    assert all(each.read_text().startswith("#Fields\n") for each in log_files(path))
    assert b"".join(each.read_bytes() for each in log_files(path)).count(b"#Fields") == len(log_files(path))


def test_others_follow_a_renamed_file(tmp_path) -> None:
    """Another writer notices that the name leads elsewhere before it writes: nothing goes into the old file."""
    path, now = tmp_path / "a.log", [NOW]
    first = started(path, Rotation(size=8, daily=False), now)
    second = started(path, Rotation(size=1 << 20, daily=False), now)
    put(first, "first")
    put(second, "a")
    put(first, "rotates")
    (old,) = rotated_files(path)
    before = old.read_bytes()
    put(second, "b")
    assert old.read_bytes() == before
    assert path.read_text() == "rotates\nb\n"


@pytest.mark.parametrize("how", ["renamed", "removed"])
def test_logrotate_may_do_it(tmp_path, how) -> None:
    """A file renamed or removed by somebody else is made anew, with or without a signal."""
    path = tmp_path / "a.log"
    writer = started(path, Rotation(daily=False), [NOW])
    put(writer, "one")
    if how == "renamed":
        path.rename(tmp_path / "a.log.1")
    else:
        path.unlink()
    put(writer, "two")
    assert path.read_text() == "two\n"


def test_a_lock_of_somebody_else_delays_nothing(tmp_path) -> None:
    """Who holds the file for good does not stop the log, nor is the file renamed under it."""
    path = tmp_path / "a.log"
    writer = started(path, Rotation(size=4, daily=False), [NOW])
    put(writer, "one")
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        put(writer, "two")
        fcntl.flock(held, fcntl.LOCK_SH)
        put(writer, "three")
    assert path.read_text() == "one\ntwo\nthree\n"
    put(writer, "four")
    assert path.read_text() == "four\n"


def test_a_folder_that_may_not_be_written_keeps_the_log(tmp_path, monkeypatch) -> None:
    """Where renaming fails the file goes on to grow, and it is tried again later."""
    path, now = tmp_path / "a.log", [NOW]
    writer = started(path, Rotation(size=4, daily=False), now)
    put(writer, "one")
    monkeypatch.setattr(Path, "rename", _refuse)
    put(writer, "two")
    monkeypatch.undo()
    put(writer, "three")
    assert path.read_text() == "one\ntwo\nthree\n"
    now[0] += 61
    put(writer, "four")
    assert path.read_text() == "four\n"


def _refuse(*_args) -> None:
    raise PermissionError(13, "Permission denied")


def make_old(path: Path, *stamps: str) -> list[Path]:
    """Make rotated files, older than the grace."""
    made = [path.with_name(f"{path.name}.{each}") for each in stamps]
    for each in made:
        each.write_bytes(b'{"event":"x"}\n' * 100)
        os.utime(each, (NOW, NOW))
    return made


def test_old_files_are_compressed_and_removed(tmp_path) -> None:
    """Compressed after the grace, removed by number and by age; files of other names stay."""
    path = tmp_path / "a.log"
    path.write_bytes(b"")
    make_old(path, "2023-11-11T000000Z", "2023-11-12T000000Z", "2023-11-13T000000Z")
    for name in ("a.log.1", "a.log.old", "ba.log.2023-11-11T000000Z", "a.log.2023-11-11T000000Z.part"):
        (tmp_path / name).write_bytes(b"")
    rotation = Rotation(keep_files=2, keep_days=0)
    tidy(path, rotation, time.time())
    assert [each.name for each in rotated_files(path)] == ["a.log.2023-11-12T000000Z", "a.log.2023-11-13T000000Z"]
    tidy(path, rotation, time.time() + GRACE + 1)
    names = [each.name for each in rotated_files(path)]
    assert names == ["a.log.2023-11-12T000000Z.gz", "a.log.2023-11-13T000000Z.gz"]
    assert gzip.decompress((tmp_path / names[0]).read_bytes()) == b'{"event":"x"}\n' * 100
    tidy(path, Rotation(keep_days=3), NOW + 2 * DAY)
    assert len(rotated_files(path)) == 2
    tidy(path, Rotation(keep_days=3), NOW + 4 * DAY)
    assert rotated_files(path) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "a.log", "a.log.1", "a.log.2023-11-11T000000Z.part", "a.log.old", "ba.log.2023-11-11T000000Z",
    ]  # fmt: skip


def test_what_another_compresses_is_left_to_it(tmp_path) -> None:
    """A rotated file that is locked is passed over; a crash in between is made good by the next round."""
    path = tmp_path / "a.log"
    (old,) = make_old(path, "2023-11-11T000000Z")
    old.with_name(old.name + ".part").write_bytes(b"half")
    with old.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        tidy(path, Rotation(), time.time() + 60)
    assert old.exists()
    tidy(path, Rotation(), time.time() + 60)
    assert [each.name for each in rotated_files(path)] == [old.name + ".gz"]
    assert sorted(each.name for each in tmp_path.iterdir()) == [old.name + ".gz"]


def write_many(path: str, name: str, count: int) -> None:
    """Write lines as a worker does, rotating all the time."""
    writer = BufferedWriter(path, lost_line, rotation=Rotation(size=3000, daily=False, compress=False))
    writer.start(Loop())
    for number in range(count):
        writer.write(f"{name} {number}\n".encode())
        if number % 7 == 0:
            writer.flush()
    writer.close()


@pytest.mark.slow
def test_rotation_under_three_writers_loses_nothing(tmp_path, monkeypatch) -> None:
    """Three processes write and rotate one file, a fourth compresses: every line is there once, in its order."""
    monkeypatch.setattr(room, "GRACE", 0.05)
    path = tmp_path / "a.log"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=write_many, args=(str(path), name, 3000)) for name in ("a", "b", "c")]
    for each in workers:
        each.start()
    while any(each.is_alive() for each in workers):
        tidy(path, Rotation(), time.time())
    for each in workers:
        each.join(30)
        assert each.exitcode == 0
    assert len(rotated_files(path)) > 1
    lines = [line.decode().split() for line in read_lines(path)]
    for name in ("a", "b", "c"):
        assert sorted(int(number) for who, number in lines if who == name) == list(range(3000))
