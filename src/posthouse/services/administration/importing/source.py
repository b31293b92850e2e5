"""Files that are imported: opened again and again, alone, in a folder, or in a zip or tar archive; gzip is unpacked.

Invariants: a file is read in pieces of bounded size; a line of text is at most ``LINE_MAX`` characters, or the import
ends with its number; what is found in a folder or an archive is never taken from outside it, unless the caller says
that the operator of this machine asks. Tests: ``tests/unit/services/administration/importing/test_import_source.py``.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Protocol, cast

from posthouse.services.administration.faults import Refused

LINE_MAX: Final = 1024 * 1024
OCTETS_MAX: Final = 64 * 1024**3  # of one file, unpacked
FILES_MAX: Final = 10_000
SMALL: Final = 1024 * 1024  # members of a tar archive up to this are kept in memory,
KEPT: Final = 32 * 1024 * 1024  # up to this in all
_CHUNK: Final = 256 * 1024
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Closeable(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Close it."""
        ...


class Unreadable(Refused):
    """A source that cannot be read on from some place; ``where`` is in the line."""

    def __init__(self, where: str, why: str, remedy: str = "") -> None:
        super().__init__(f"{where}: {why}" if where else why, remedy)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its name for people, and how it is opened. ``path`` is there where it lies unpacked on a disk."""

    name: str
    opener: Callable[[], BinaryIO]
    path: Path | None = None

    def open(self) -> BinaryIO:
        """Open it from its beginning, unpacked. Raises Unreadable."""
        try:
            raw = self.opener()
            head = raw.read(2)
            raw.seek(0)
        except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, RuntimeError, zlib.error) as error:
            raise Unreadable(self.name, f"cannot be read ({_reason(error)})") from None
        if head != b"\x1f\x8b":
            return raw
        return cast("BinaryIO", io.BufferedReader(_Owned(cast("BinaryIO", gzip.GzipFile(fileobj=raw)), raw)))

    def chunks(self) -> Iterator[bytes]:
        """Yield its octets in pieces. Raises Unreadable, also where there are more than ``OCTETS_MAX``."""
        total = 0
        with self.open() as stream:
            while piece := _read(stream, self.name):
                total += len(piece)
                if total > OCTETS_MAX:
                    raise Unreadable(self.name, f"is larger than {OCTETS_MAX >> 30} GiB", "Import it in parts.")
                yield piece


def _read(stream: BinaryIO, name: str) -> bytes:
    try:
        return stream.read(_CHUNK)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise Unreadable(name, f"cannot be read to its end ({_reason(error)})", "Make the file anew.") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def file_at(path: Path) -> SourceFile:
    """Return a file of this machine, named by its last part."""
    return SourceFile(path.name, lambda: path.open("rb"), path)


def file_of(name: str, content: bytes) -> SourceFile:
    """Return a file that is in memory already."""
    return SourceFile(name, lambda: io.BytesIO(content))


@dataclass(frozen=True, slots=True)
class Survey:
    """What one reading of a file showed: a digest of its octets, their number, and how its text is encoded."""

    fingerprint: str
    octets: int
    encoding: str


def survey(file: SourceFile) -> Survey:
    """Read a file once and say what it is. Raises Unreadable."""
    digest = hashlib.blake2b(digest_size=16)
    octets, head = 0, b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    for chunk in file.chunks():
        head = head or chunk[:8192]
        digest.update(chunk)
        octets += len(chunk)
        is_utf8 = is_utf8 and _decodes(decoder, chunk, final=False)
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    return Survey(digest.hexdigest(), octets, _encoding(head, is_utf8=is_utf8))


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(head: bytes, *, is_utf8: bool) -> str:
    """UTF-16 has a zero octet beside nearly every ASCII character; text that is not UTF-8 is taken for Windows-1252."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    half = max(1, len(head) // 2)
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(head) >= 4 and head[start::2].count(0) > half * 0.6 and head[1 - start :: 2].count(0) < half * 0.2:
            return name
    return "utf-8" if is_utf8 else "cp1252"


class Lines:
    """Lines of a text file, with their ends, as ``csv.reader`` wants them; ``number`` is that of the last one given.

    Octets that the encoding has no character for become U+FFFD, which no check of the plan lets pass.
    Raises Unreadable: at a line that is too long or holds a NUL.
    """

    def __init__(self, file: SourceFile, encoding: str, *, newline: str | None = "") -> None:
        self.name = file.name
        self.number = 0
        codecs.lookup(encoding)
        self._text = io.TextIOWrapper(file.open(), encoding, "replace", newline=newline)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = "" if self._text.closed else self._text.readline(LINE_MAX + 1)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise Unreadable(self.where(1), f"cannot be read further ({_reason(error)})", "Make it anew.") from None
        if not line:
            self.close()
            raise StopIteration
        self.number += 1
        if len(line) > LINE_MAX:
            raise Unreadable(self.where(), f"the line has more than {LINE_MAX} characters", "Is it a text file?")
        if "\0" in line:
            raise Unreadable(self.where(), "the line holds a NUL character", "Is it a text file, and whole?")
        return line

    def __del__(self) -> None:
        # Readers are generators that may be left in the middle; opening may have failed.
        if hasattr(self, "_text"):
            self._text.close()

    def where(self, ahead: int = 0) -> str:
        """Return ``file:line`` of the last line given."""
        return f"{self.name}:{self.number + ahead}"

    def close(self) -> None:
        """Close the file; there are no more lines then."""
        self._text.close()


class Tree(Protocol):
    """A folder of files, wherever it lies."""

    def files(self) -> Sequence[SourceFile]:
        """Return all files, named by their path in the tree with ``/``, in order of name."""
        ...

    def find(self, name: str) -> SourceFile | None:
        """Return the file of a name as a configuration writes it: relative, or absolute; None where there is none."""
        ...


class FolderTree:
    """A folder of this machine. ``outside`` lets absolute names lead out of it: for the operator, never for uploads."""

    def __init__(self, root: Path, *, outside: bool = False) -> None:
        self._root = root.resolve()
        self._outside = outside

    def files(self) -> Sequence[SourceFile]:
        """Return the files below the folder. Raises Unreadable where there are too many."""
        found: list[SourceFile] = []
        for path in sorted(self._root.rglob("*")):
            if path.is_file() and path.resolve().is_relative_to(self._root):
                found.append(self._named(path))
            if len(found) > FILES_MAX:
                raise Unreadable(str(self._root), f"has more than {FILES_MAX} files", "Name the folder itself.")
        return found

    def find(self, name: str) -> SourceFile | None:
        """See ``Tree``."""
        path = (self._root / name).resolve()
        if not self._outside and not path.is_relative_to(self._root):
            return _by_tail(self.files(), name)
        if path.is_file():
            return self._named(path)
        return None if self._outside else _by_tail(self.files(), name)

    def _named(self, path: Path) -> SourceFile:
        name = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)
        return SourceFile(name, lambda: path.open("rb"), path)


class ArchiveTree:
    """A zip or tar archive, left packed."""

    def __init__(self, path: Path) -> None:
        """Read its list of contents. Raises Unreadable."""
        try:
            self._files = _zip_files(path) if zipfile.is_zipfile(path) else _tar_files(path)
        except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
            raise Unreadable(path.name, f"is no zip or tar archive ({_reason(error)})") from None
        if len(self._files) > FILES_MAX:
            raise Unreadable(path.name, f"has more than {FILES_MAX} files")

    def files(self) -> Sequence[SourceFile]:
        """See ``Tree``."""
        return self._files

    def find(self, name: str) -> SourceFile | None:
        """See ``Tree``; an absolute name is found by its last parts."""
        return _by_tail(self._files, name)


def _zip_files(path: Path) -> list[SourceFile]:
    archive = zipfile.ZipFile(path)
    names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    return [SourceFile(name, partial(_zip_member, archive, name)) for name in names]


def _zip_member(archive: zipfile.ZipFile, name: str) -> BinaryIO:
    return cast("BinaryIO", archive.open(name))


def _tar_files(path: Path) -> list[SourceFile]:
    """Small members are kept, since a packed archive cannot be entered in the middle; large ones are found again."""
    found: list[SourceFile] = []
    kept = 0
    with tarfile.open(path) as archive:
        for member in archive:
            if not member.isfile():
                continue
            stream = archive.extractfile(member) if member.size <= SMALL and kept + member.size <= KEPT else None
            if stream is not None:
                kept += member.size
                found.append(file_of(member.name.removeprefix("./"), stream.read()))
            else:
                found.append(SourceFile(member.name.removeprefix("./"), partial(_tar_member, path, member.name)))
    return sorted(found, key=lambda file: file.name)


def _tar_member(path: Path, name: str) -> BinaryIO:
    archive = tarfile.open(path)  # noqa: SIM115  (closed with the member)
    stream = archive.extractfile(name)
    if stream is None:
        archive.close()
        raise Unreadable(name, "is no file")
    return cast("BinaryIO", _Owned(cast("BinaryIO", stream), archive))


class _Owned(io.RawIOBase):
    """A stream that closes what it was opened from."""

    def __init__(self, stream: BinaryIO, *owners: Closeable) -> None:
        super().__init__()
        self._stream = stream
        self._owners = owners

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._stream.seek(offset, whence)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            for owner in self._owners:
                owner.close()
        super().close()


def _by_tail(files: Sequence[SourceFile], name: str) -> SourceFile | None:
    """Find a file by as many last parts of its name as agree, one at least, the case aside."""
    parts = [part.lower() for part in PurePosixPath(name.replace("\\", "/")).parts if part not in {"/", ".", ".."}]
    best: tuple[int, SourceFile] | None = None
    for file in files:
        theirs = [part.lower() for part in PurePosixPath(file.name).parts]
        agree = 0
        while agree < min(len(parts), len(theirs)) and parts[-1 - agree] == theirs[-1 - agree]:
            agree += 1
        if agree and (best is None or agree > best[0]):
            best = (agree, file)
    return best[1] if best else None


def tree_at(path: Path, *, outside: bool = False) -> Tree:
    """Return the tree that a path of this machine is: a folder, or an archive. Raises Unreadable."""
    if path.is_dir():
        return FolderTree(path, outside=outside)
    if not path.is_file():
        raise Unreadable(str(path), "does not exist")
    return ArchiveTree(path)


def fingerprint_of(files: Sequence[SourceFile]) -> str:
    """Return a digest of the names and octets of files."""
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(f"{file.name}\0{survey(file).fingerprint}\0".encode())
    return digest.hexdigest()
