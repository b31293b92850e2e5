"""Files that commands read and write: secrets, uploads, downloads.

Secrets come from the first line of a file, from standard input or from a terminal, never from an argument. A download
is written beside its place and renamed, readable by its owner alone; octets that are no text are not thrown at a
terminal. Tests: ``tests/unit/cli/test_files.py``.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import click

from posthouse.services.administration.faults import Refused

PASSWORD_HELP: Final = (
    "File whose first line is the password; - reads standard input. Asked for where there is a terminal."
)
_LONGEST_SECRET: Final = 65_536  # octets of the line
_TEXT: Final = ("text/", "application/toml", "application/jsonl", "application/json")
_ARCHIVES: Final = frozenset({"application/x-tar", "application/zip"})  # of uploads that may be a folder


def first_line(path: str, what: str) -> bytes:
    """Return the first line of a file, ``-`` for standard input. Raises Refused."""
    if path == "-":
        return sys.stdin.buffer.readline(_LONGEST_SECRET).rstrip(b"\r\n")
    try:
        with Path(path).open("rb") as file:
            return file.readline(_LONGEST_SECRET).rstrip(b"\r\n")
    except OSError as error:
        raise Refused(
            f"the {what} file {path} cannot be read: {error.strerror}",
            f"Name a file whose first line is the {what}, or - for standard input.",
            exit_code=os.EX_NOINPUT,
        ) from None


def ask_secret(label: str) -> str | None:
    """Ask for a secret twice at the terminal; None where there is none."""
    if not sys.stdin.isatty():
        return None
    text: str = click.prompt(label, hide_input=True, confirmation_prompt=True, err=True)
    return text


# ---- uploads --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened_upload(path: str, media_type: str) -> Iterator[BinaryIO]:
    """Give the file to send, ``-`` for standard input; a folder becomes an archive where one is wanted.

    Raises Refused: where it cannot be read.
    """
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        with contextlib.ExitStack() as stack:
            if Path(path).is_dir():
                yield _packed(path, media_type, stack)
            else:
                yield stack.enter_context(Path(path).open("rb"))
    except OSError as error:
        if error.filename != path:
            raise
        raise Refused(f"{path} cannot be read: {error.strerror}", exit_code=os.EX_NOINPUT) from None


def _packed(path: str, media_type: str, stack: contextlib.ExitStack) -> BinaryIO:
    if media_type not in _ARCHIVES:
        raise Refused(f"{path} is a folder", "Name a file, or - for standard input.", exit_code=os.EX_NOINPUT)
    packed = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (the stack closes it)
    stack.callback(packed.close)
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(path, arcname=".", filter=_files_only)
    packed.seek(0)
    return packed


def _files_only(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return member if member.isfile() or member.isdir() else None


# ---- downloads ------------------------------------------------------------------------------------------------------


def write_download(chunks: Iterable[bytes], media_type: str, *, output: str | None, replace: bool) -> None:
    """Write what came to a file, or to standard output. Raises Refused, OSError; then nothing is left behind."""
    if output in {None, "-"}:
        if output is None and sys.stdout.isatty() and not media_type.startswith(_TEXT):
            raise Refused(
                f"{media_type} is nothing for a terminal", "Give --output FILE, or - if you mean it.",
                exit_code=os.EX_USAGE,
            )  # fmt: skip
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        return
    assert output is not None
    path = Path(output)
    refuse_existing(path, replace=replace)
    _write(path, chunks)


def refuse_existing(path: Path, *, replace: bool) -> None:
    """Raise Refused where a file is there already and was not given up."""
    if path.is_dir():
        raise Refused(f"{path} is a folder", "Name a file in it.", exit_code=os.EX_CANTCREAT)
    if path.exists() and not replace:
        raise Refused(f"{path} exists already", "Give another name, or --yes to replace it.", exit_code=os.EX_CANTCREAT)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    if path.exists() and not path.is_file():  # a pipe or a device is written, not replaced
        with path.open("wb") as file:
            _fill(file, chunks)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            _fill(file, chunks)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _fill(file: Any, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        file.write(chunk)
