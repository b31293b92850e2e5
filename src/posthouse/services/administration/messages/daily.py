"""The report of a day, made from the log by a process of its own, so that a large log does not keep mail waiting.

It is ``posthouse log summary`` of the same home, at the lowest priority. Tests:
``tests/unit/services/administration/messages/test_daily.py``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from posthouse.core.errors import Unavailable

PATIENCE: Final = 1_800.0  # seconds
LONGEST: Final = 100_000  # octets of a report


class LogSummary:
    """Makes reports for a home. ``command`` is what is run before the words of a command, for tests."""

    def __init__(self, home: Path, command: tuple[str, ...] = (sys.executable, "-m", "posthouse.cli")) -> None:
        nice = shutil.which("nice")
        self._words = (*((nice, "-n", "19") if nice else ()), *command, "--home", str(home), "log", "summary")

    async def __call__(self, day: dt.date) -> str:
        """Return the report. Raises Unavailable: with what the command complained of; OSError."""
        process = await asyncio.create_subprocess_exec(
            *self._words, "--day", day.isoformat(),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONUTF8": "1"},
        )  # fmt: skip
        try:
            said, complained = await asyncio.wait_for(process.communicate(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            first = complained.decode("utf-8", "replace").strip().partition("\n")[0]
            raise Unavailable(first[:500] or "the summary could not be made", where="administration.daily")
        return said[:LONGEST].decode("utf-8", "replace")
