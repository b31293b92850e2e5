"""Asking the workers of this machine through their control sockets, without waiting long for one that is silent.

A worker that does not answer in time, or answers with something else than is expected, is left out and counted.
Tests: ``tests/unit/web/test_siblings.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

PATIENCE: Final = 1.0  # seconds for all of them together, as they are asked at once
LARGEST: Final = 4 << 20


async def ask_siblings(sockets: Sequence[Path], word: str) -> tuple[list[dict[str, Any]], int]:
    """Ask each worker by its control socket; return the answers and how many gave none."""
    answers = await asyncio.gather(*(_ask(path, word) for path in sockets))
    found = [answer for answer in answers if answer is not None]
    return found, len(answers) - len(found)


async def _ask(path: Path, word: str) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LARGEST)
            try:
                writer.write(orjson.dumps({"do": word}) + b"\n")
                answer = orjson.loads(await reader.readline())
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return None
    return answer if isinstance(answer, dict) and "error" not in answer else None
