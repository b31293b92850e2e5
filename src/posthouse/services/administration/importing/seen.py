"""A set of texts that takes 16 to 32 octets for each, so that a million addresses fit in a little memory.

It keeps 64 bits of each text's hash: two texts may be taken for one, once in some ten million imports of a million
addresses. Whoever asks must not lose anything by that.
Tests: ``tests/unit/services/administration/importing/test_import_plan.py``.
"""

from __future__ import annotations

from array import array
from typing import Final

_SMALLEST: Final = 1 << 10
_MASK: Final = (1 << 64) - 1


class Seen:
    """An open-addressed table of hashes."""

    def __init__(self) -> None:
        self._size = _SMALLEST
        self._slots = array("Q", bytes(8 * _SMALLEST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: str) -> bool:
        key = (hash(text) & _MASK) or 1
        return self._slots[self._place(key)] == key

    def add(self, text: str) -> bool:
        """Add a text; return whether it was not there."""
        key = (hash(text) & _MASK) or 1
        place = self._place(key)
        if self._slots[place] == key:
            return False
        self._slots[place] = key
        self._count += 1
        if self._count * 2 > self._size:
            self._grow()
        return True

    def _place(self, key: int) -> int:
        slots, mask = self._slots, self._size - 1
        place = key & mask
        while slots[place] and slots[place] != key:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        old = self._slots
        self._size *= 4
        self._slots = array("Q", bytes(8 * self._size))
        for key in old:
            if key:
                self._slots[self._place(key)] = key
