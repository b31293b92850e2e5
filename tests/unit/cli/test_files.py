"""Secrets, uploads and downloads."""

from __future__ import annotations

import io
import os
import sys
import tarfile

import pytest

from posthouse.cli import files
from posthouse.services.administration.faults import Refused


def test_a_secret_is_the_first_line(tmp_path, monkeypatch) -> None:
    """Of a file, or of standard input; line ends are not part of it."""
    (tmp_path / "s").write_bytes(b"secret \r\nmore\n")
    assert files.first_line(str(tmp_path / "s"), "password") == b"secret "
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    assert [files.first_line("-", "password") for _ in range(3)] == [b"one", b"two", b""]
    with pytest.raises(Refused, match="the password file") as refused:
        files.first_line(str(tmp_path), "password")
    assert refused.value.exit_code == os.EX_NOINPUT


def test_nobody_is_asked_without_a_terminal(monkeypatch) -> None:
    """There is nobody."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("x\n"))
    assert files.ask_secret("Password") is None


def test_a_folder_is_sent_as_an_archive(tmp_path) -> None:
    """Where an archive is wanted; links and devices are left out."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "main.cf").write_text("x")
    (folder / "link").symlink_to("/etc/shadow")
    os.mkfifo(folder / "pipe")
    with files.opened_upload(str(folder), "application/x-tar") as file, tarfile.open(fileobj=file) as archive:
        assert sorted(archive.getnames()) == [".", "./main.cf"]
    with pytest.raises(Refused, match="is a folder"), files.opened_upload(str(folder), "text/csv"):
        pass
    with pytest.raises(Refused, match="cannot be read"), files.opened_upload(str(tmp_path / "none"), "text/csv"):
        pass


def test_a_download_is_whole_or_not_there(tmp_path) -> None:
    """What breaks in the middle leaves neither a part of it nor loses what was there."""
    place = tmp_path / "out"

    def broken():
        yield b"half"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        files.write_download(broken(), "text/csv", output=str(place), replace=False)
    assert list(tmp_path.iterdir()) == []
    files.write_download([b"whole"], "text/csv", output=str(place), replace=False)
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"whole", 0o600)
    with pytest.raises(Refused, match="exists already"):
        files.write_download([b"other"], "text/csv", output=str(place), replace=False)
    with pytest.raises(OSError, match="gone"):
        files.write_download(broken(), "text/csv", output=str(place), replace=True)
    assert place.read_bytes() == b"whole"
    files.write_download([b"other"], "text/csv", output=str(place), replace=True)
    assert place.read_bytes() == b"other"
    with pytest.raises(Refused, match="is a folder"):
        files.write_download([b""], "text/csv", output=str(tmp_path), replace=True)


def test_octets_are_not_thrown_at_a_terminal(monkeypatch, capfdbinary) -> None:
    """Unless somebody means it; text is."""

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    screen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(screen))
    with pytest.raises(Refused, match="nothing for a terminal"):
        files.write_download([b"\x00"], "application/x-tar", output=None, replace=False)
    files.write_download([b"a,b"], "text/csv", output=None, replace=False)
    files.write_download([b"\x00"], "application/x-tar", output="-", replace=False)
    assert screen.getvalue() == b"a,b\x00"
