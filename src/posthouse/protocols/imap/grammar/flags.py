r"""``flag`` and ``flag-list`` (RFC 3501 §9).

Quirk: ``\Recent`` is taken and ignored; clients copy it from FETCH into APPEND and STORE.
"""

from __future__ import annotations

from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.core.flags import FLAGS_BY_NAME, Flag
from posthouse.protocols.imap.grammar.strings import atom, parenthesised, space
from posthouse.protocols.imap.types.flags import FlagList

_MOST_FLAGS = 1_000
_LONGEST_KEYWORD = 255


def flag(text: bytes, at: int) -> tuple[bytes, int]:
    r"""``flag = "\" atom / atom``."""
    if text.startswith(b"\\", at):
        name, end = atom(text, at + 1)
        return b"\\" + name, end
    return atom(text, at)


def flag_list(text: bytes, at: int) -> tuple[FlagList, int]:
    """``flag-list = "(" [flag *(SP flag)] ")"``."""
    names, at = parenthesised(text, at, flag, most=_MOST_FLAGS, empty=True)
    return collect_flags(names), at


def flags(text: bytes, at: int) -> tuple[FlagList, int]:
    """``flag-list / (flag *(SP flag))``, as STORE takes it."""
    if text.startswith(b"(", at):
        return flag_list(text, at)
    names = []
    while True:
        name, at = flag(text, at)
        names.append(name)
        if at >= len(text) or len(names) > _MOST_FLAGS:
            return collect_flags(names), at
        at = space(text, at)


def collect_flags(names: list[bytes]) -> FlagList:
    """Return names as a value. Raises SyntaxFault: for a system flag there is not."""
    mask = Flag.NONE
    keywords: dict[str, str] = {}
    for name in names:
        if name.startswith(b"\\"):
            found = FLAGS_BY_NAME.get(name.lower())
            if found is not None:
                mask |= found
            elif name.lower() != b"\\recent":
                raise SyntaxFault("no such system flag", where="imap.flag")
        else:
            if len(name) > _LONGEST_KEYWORD:
                raise LimitFault("keyword too long", where="imap.flag")
            keyword = name.decode("ascii")
            keywords.setdefault(keyword.lower(), keyword)
    return FlagList(mask, tuple(keywords.values()))
