"""How far an import is, kept so that one that was interrupted goes on where it was.

Invariant: a checkpoint is written after what it counts was committed; one that is lost or old costs time, never
anything else, because putting a record again changes nothing.
Tests: ``tests/unit/services/administration/importing/test_import_apply.py``.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Final, Protocol

_KEY: Final = re.compile(r"[0-9a-f]{8,64}")
KEPT_SECONDS: Final = 30 * 86_400.0


class Checkpoints(Protocol):
    """Keeps a number by the fingerprint of source and options."""

    def done(self, key: str) -> int:
        """Return how many records are done; 0 for an import that is not known."""
        ...

    def save(self, key: str, done: int) -> None:
        """Keep how many records are done."""
        ...

    def clear(self, key: str) -> None:
        """Forget an import that ended."""
        ...


class MemoryCheckpoints:
    """Keeps them for the life of the object."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    def done(self, key: str) -> int:
        """See ``Checkpoints``."""
        return self.kept.get(key, 0)

    def save(self, key: str, done: int) -> None:
        """See ``Checkpoints``."""
        self.kept[key] = done

    def clear(self, key: str) -> None:
        """See ``Checkpoints``."""
        self.kept.pop(key, None)


class FileCheckpoints:
    """Keeps each in a small file of a folder, replaced whole. A folder that cannot be written keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a checkpoint is named by hexadecimal digits")
        return self._folder / f"{key}.json"

    def done(self, key: str) -> int:
        """See ``Checkpoints``; a file that makes no sense counts as none."""
        try:
            kept = json.loads(self._path(key).read_bytes())
            return max(0, int(kept["done"]))
        except (OSError, ValueError, TypeError, KeyError):
            return 0

    def save(self, key: str, done: int) -> None:
        """See ``Checkpoints``."""
        path = self._path(key)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "w") as file:
                json.dump({"done": done}, file)
            Path(name).replace(path)
        except OSError:
            return

    def clear(self, key: str) -> None:
        """See ``Checkpoints``."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError:
            return
