"""What the find index holds: text folded so that case and accents do not matter, and marks of post offices.

A mark is three characters of a private use area, and so exactly one trigram, which no folded text contains: a search
inside one post office is one more trigram. Tests: ``tests/unit/store/test_folding.py``.
"""

from __future__ import annotations

import unicodedata

_MARK = 0xF0000  # the first of the plane; fifteen bits of the post office's id in each of two characters
_BITS = 15
_DROPPED = {"Mn", "Me", "Co", "Cn", "Cs"}  # accents, and what is no character of anybody's name


def fold(text: str) -> str:
    """Return text as it is looked for: without case, accents, control characters and private characters."""
    if text.isascii() and text.isprintable():
        return text.lower()
    return "".join(_fold_character(one) for one in unicodedata.normalize("NFKD", text.casefold()))


def _fold_character(one: str) -> str:
    category = unicodedata.category(one)
    if category in _DROPPED:
        return ""
    return " " if category in {"Cc", "Cf", "Zl", "Zp", "Zs"} else one


def office_mark(office: int) -> str:
    """Return the mark of a post office."""
    return "\ue000" + chr(_MARK + (office >> _BITS & 0x7FFF)) + chr(_MARK + (office & 0x7FFF))


def entry_text(address: str, names: tuple[str, ...], office: int) -> str:
    """Return what is indexed of an entry: each part between line feeds, which no search contains."""
    told = dict.fromkeys(filter(None, map(fold, (address, *names))))
    return "\n" + "\n".join(told) + "\n" + office_mark(office)
