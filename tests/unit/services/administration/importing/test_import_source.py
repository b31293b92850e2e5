"""Files that are imported: encodings, bounds, archives."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from posthouse.services.administration.importing import source
from posthouse.services.administration.importing.source import (
    ArchiveTree,
    FolderTree,
    Lines,
    Unreadable,
    file_at,
    file_of,
    survey,
    tree_at,
)

ENCODINGS = [
    pytest.param("Jürgen,ß\n".encode(), "utf-8", id="utf-8"),
    pytest.param("\ufeffJürgen\n".encode(), "utf-8-sig", id="utf-8 with a mark"),
    pytest.param("\ufeffJürgen\n".encode("utf-16-le"), "utf-16", id="utf-16 little with a mark"),
    pytest.param("\ufeffJürgen\n".encode("utf-16-be"), "utf-16", id="utf-16 big with a mark"),
    pytest.param("anna@example.org\n".encode("utf-16-le"), "utf-16-le", id="utf-16 little"),
    pytest.param("anna@example.org\n".encode("utf-16-be"), "utf-16-be", id="utf-16 big"),
    pytest.param("J\xfcrgen\n".encode("cp1252"), "cp1252", id="windows"),
    pytest.param(b"", "utf-8", id="nothing"),
]


@pytest.mark.parametrize(("content", "encoding"), ENCODINGS)
def test_the_encoding_is_found(content, encoding):
    """One reading tells the encoding, whatever the file begins with."""
    assert survey(file_of("f", content)).encoding == encoding


def test_a_late_octet_that_is_no_utf8_counts():
    """The whole file is looked at, not its beginning alone."""
    assert survey(file_of("f", b"a" * 600_000 + b"\xfc")).encoding == "cp1252"


def test_gzip_is_unpacked():
    """A packed file reads as what is in it."""
    assert list(Lines(file_of("f.gz", gzip.compress(b"one\ntwo\n")), "utf-8")) == ["one\n", "two\n"]


BAD = [
    pytest.param(b"ok\n" + b"x" * (source.LINE_MAX + 5), "f:2: the line has more than", id="a line without end"),
    pytest.param(b"ok\nb\0d\n", "f:2: the line holds a NUL", id="NUL"),
    pytest.param(gzip.compress(b"many lines\n" * 9000)[:-40], "cannot be read further", id="gzip cut off"),
]


@pytest.mark.parametrize(("content", "says"), BAD)
def test_lines_stop_at_what_is_no_text(content, says):
    """The place is named, and memory is bounded."""
    with pytest.raises(Unreadable, match=says):
        list(Lines(file_of("f", content), "utf-8"))


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    """What a small archive unpacks to has a bound."""
    monkeypatch.setattr(source, "OCTETS_MAX", 1000)
    with pytest.raises(Unreadable, match="is larger than"):
        survey(file_of("f", b"x" * 2000))


def tar_of(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_archives_are_trees(tmp_path, form):
    """Files of an archive are found by their names and by absolute names' last parts."""
    files = {"postfix/main.cf": b"a = b\n", "postfix/virtual": b"x y\n"}
    path = tmp_path / "archive"
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        tar_of(path, files)
    tree = tree_at(path)
    assert [file.name for file in tree.files()] == ["postfix/main.cf", "postfix/virtual"]
    found = tree.find("/etc/postfix/virtual")
    assert found is not None
    assert b"".join(found.chunks()) == b"x y\n"
    assert tree.find("nothing") is None


def test_what_is_no_archive_is_told(tmp_path):
    """A file that is neither folder nor archive has one clear error."""
    path = tmp_path / "f"
    path.write_bytes(b"not an archive")
    with pytest.raises(Unreadable, match="f: is no zip or tar archive"):
        ArchiveTree(path)
    with pytest.raises(Unreadable, match="does not exist"):
        tree_at(tmp_path / "nothing")


def test_a_folder_does_not_lead_outside(tmp_path):
    """Links and absolute names stay in the folder, unless the operator of the machine asks."""
    inside, outside = tmp_path / "in", tmp_path / "secret"
    inside.mkdir()
    outside.write_text("secret")
    (inside / "link").symlink_to(outside)
    (inside / "virtual").write_text("x y")
    tree = FolderTree(inside)
    assert [file.name for file in tree.files()] == ["virtual"]
    assert tree.find(str(outside)) is None
    assert tree.find("../secret") is None
    assert tree.find("/etc/postfix/virtual") is not None
    assert FolderTree(inside, outside=True).find(str(outside)) is not None


def test_a_file_that_is_not_there(tmp_path):
    """Opening says why."""
    with pytest.raises(Unreadable, match="cannot be read"):
        survey(file_at(tmp_path / "none"))
