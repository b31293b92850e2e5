"""Records put aside until those before them are through: in memory while they are few, then in a nameless file.

Tests: ``tests/unit/services/administration/importing/test_import_plan.py``.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from typing import Final

from posthouse.services.administration.importing.records import Thing

IN_MEMORY: Final = 4 * 1024 * 1024  # octets


class Aside:
    """A queue of records that is filled, then emptied once. Close it where it may not be emptied."""

    def __init__(self) -> None:
        self._file: tempfile.SpooledTemporaryFile[bytes] | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, thing: Thing, *, is_twice: bool) -> None:
        """Put a record aside."""
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (closed by ``close``)
        pickle.dump((thing, is_twice), self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def drain(self) -> Iterator[tuple[Thing, bool]]:
        """Yield the records in order, then let the file go."""
        if self._file is None:
            return
        self._file.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._file)  # noqa: S301  (our own records, written by this object)
        self.close()

    def close(self) -> None:
        """Let everything go."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._count = 0
