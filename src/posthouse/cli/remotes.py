"""Servers that are known by a name: ``remotes.toml`` in the user's configuration, readable by himself alone.

The file holds tokens, which is why it is refused when others may read it. It is written anew and renamed into place.
Tests: ``tests/unit/cli/test_remotes.py``.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posthouse.services.administration.faults import Kind, Refused

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRemote:
    """A server with its token; ``ca`` names a file, "" for none."""

    url: str
    token: str
    ca: str = ""


def remotes_file() -> Path:
    """Return where the file is (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CONFIG_HOME") or ""
    return (Path(base) if os.path.isabs(base) else Path.home() / ".config") / "posthouse" / "remotes.toml"  # noqa: PTH117  (a string that may be empty)


def read_remotes() -> dict[str, SavedRemote]:
    """Return the servers by name. Raises Refused: where the file is broken, or others may read it."""
    path = remotes_file()
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise Refused(
                    f"{path} holds tokens, and others may read it", f"chmod 600 {path}", exit_code=os.EX_NOPERM
                )
            document = tomllib.load(file)
        return {name: SavedRemote(**told) for name, told in document.items()}
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, TypeError, UnicodeDecodeError):
        raise Refused(
            f"{path} cannot be read as a list of servers", "Mend it, or remove it and add them anew.",
            exit_code=os.EX_CONFIG,
        ) from None  # fmt: skip


def saved_remote(name: str) -> SavedRemote:
    """Return a server by its name. Raises Refused."""
    found = read_remotes().get(name)
    if found is None:
        raise Refused(
            f"no server is saved as {name}", "`posthouse remote list` shows those there are.", kind=Kind.MISSING
        )
    return found


def checked_name(name: str) -> str:
    """Return a name that can be used. Raises Refused."""
    if not _NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name for a server", "Use letters, digits, dots, hyphens and underscores.")
    return name


def write_remotes(remotes: Mapping[str, SavedRemote]) -> None:
    """Write all servers anew. Raises OSError: then the file is as it was."""
    import tomlkit

    document = tomlkit.document()
    for name, each in sorted(remotes.items()):
        document[name] = {"url": each.url, "token": each.token} | ({"ca": each.ca} if each.ca else {})
    path = remotes_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".remotes.")  # 0600 from the start
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(tomlkit.dumps(document))
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
