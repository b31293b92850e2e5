"""The spool: where a large message waits, in a nameless file, between its first octet and the one commit.

A spool file has no name in the file system (it is unlinked as soon as it is made), so a crash leaves no debris. It is
not stable storage: nothing is acknowledged because it is in the spool. Tests: ``tests/unit/store/test_spool.py``.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from posthouse.core import limits


class Spool:
    """Octets of one message, appended once and then read at will.

    The caller owns it and must ``close`` it. Memory held is that of one chunk, whatever the size.
    """

    def __init__(self, directory: Path) -> None:
        """Make a nameless file in ``directory``. Raises OSError where that cannot be done."""
        self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115  (closed by close())
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append octets. Raises OSError, such as for a full disk; what was written before stays readable."""
        view = memoryview(data)
        while view:
            written = os.write(self._file.fileno(), view)
            self.size += written
            view = view[written:]

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` octets from ``offset``."""
        return os.pread(self._file.fileno(), length, offset)

    def chunks(self, size: int = limits.BODY_CHUNK) -> Iterator[bytes]:
        """Yield the content in chunks of ``size`` octets, the last one shorter."""
        offset = 0
        while offset < self.size:
            chunk = self.read(offset, size)
            if not chunk:
                return
            yield chunk
            offset += len(chunk)

    def map(self) -> mmap.mmap:
        """Return the content as a read-only memory map (pages of the file, not of our heap). The caller closes it."""
        return mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()
