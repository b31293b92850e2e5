"""Reading a log with its rotated files."""

from __future__ import annotations

import gzip

from posthouse.telemetry import archive
from posthouse.telemetry.archive import log_files, read_lines

NOW = 1_700_000_000.0


def make(tmp_path):
    """Make a log with two rotated files, one of them compressed."""
    path = tmp_path / "a.log"
    (tmp_path / "a.log.2023-11-12T000000Z.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    (tmp_path / "a.log.2023-11-13T000000Z").write_bytes(b"three\n")
    (tmp_path / "a.log.2023-11-13T000000Z.10").write_bytes(b"five\n")
    (tmp_path / "a.log.2023-11-13T000000Z.2").write_bytes(b"four\n")
    path.write_bytes(b"six\nhalf")
    return path


def test_oldest_first(tmp_path) -> None:
    """Rotated files come in order of their names, the log last; a last line without an end is one."""
    assert list(read_lines(make(tmp_path))) == [b"one", b"two", b"three", b"four", b"five", b"six", b"half"]


def test_old_files_are_passed_over(tmp_path) -> None:
    """A file that was closed before the time asked for is not opened."""
    path = make(tmp_path)
    assert len(log_files(path, since=NOW)) == 1
    assert len(log_files(path, since=NOW - 2 * 86_400)) == 4


def test_a_broken_file_is_told(tmp_path) -> None:
    """What can be read of it is read, and the others are."""
    path = make(tmp_path)
    packed = tmp_path / "a.log.2023-11-12T000000Z.gz"
    packed.write_bytes(packed.read_bytes()[:-9])
    (tmp_path / "a.log.2023-11-11T000000Z.gz").write_bytes(b"no gzip at all")
    troubles: list[str] = []
    lines = list(read_lines(path, trouble=troubles.append))
    assert lines[-1] == b"half"
    assert len(troubles) == 2


def test_endless_lines_are_passed_over(tmp_path, monkeypatch) -> None:
    """A line that is none of ours takes no memory."""
    monkeypatch.setattr(archive, "LONGEST", 10)
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * 95 + b"\nshort\n" + b"y" * 30)
    assert list(read_lines(path)) == [b"short"]


def test_a_file_that_was_compressed_meanwhile(tmp_path, monkeypatch) -> None:
    """The name that was listed leads to the compressed file."""
    path = make(tmp_path)
    monkeypatch.setattr(archive, "log_files", lambda *_: [tmp_path / "a.log.2023-11-12T000000Z", tmp_path / "gone"])
    assert list(read_lines(path)) == [b"one", b"two"]
