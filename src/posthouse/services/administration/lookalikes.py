"""Domains that look like others: labels of mixed scripts, and names that a reader takes for one of ours.

The skeleton of a name is what is left when letters that look alike are made one (a part of the table of UTS #39 §4,
for the scripts that domains are written in); two names with one skeleton are confusable. A label may be of one script,
or of one of the mixtures that people write (UTS #39 §5.2, highly restrictive).
Tests: ``tests/unit/services/administration/test_lookalikes.py``.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Refused
from posthouse.store.contract import Store

# Letters by what they look like; the first of each is what the skeleton writes.
_ALIKE: Final = (
    "a\u0430\u03b1\u0251\u1ea1\uff41",
    "b\u042c\u0184\uff42",
    "c\u0441\u03f2\u1d04\uff43",
    "d\u0501\u0257\uff44",
    "e\u0435\u04bd\u1eb9\uff45",
    "f\u017f\uff46",
    "g\u0261\u0581\uff47",
    "h\u04bb\u0570\uff48",
    "i\u0456\u0131\u0269\u03b9\uff49",
    "j\u0458\u03f3\uff4a",
    "k\u03ba\u043a\uff4b",
    "l1\u04cf\u0406|\u217c\uff4c",
    "m\u043c\u217f\uff4d",
    "n\u043f\u0578\u057c\uff4e",
    "o0\u043e\u03bf\u0585\u03c3\u1ecd\uff4f",
    "p\u0440\u03c1\uff50",
    "q\u051b\u0563\uff51",
    "r\u0433\uff52",
    "s\u0455\ua731\uff53",
    "t\u0442\u03c4\uff54",
    "u\u03c5\u057d\u028b\u04af\uff55",
    "v\u03bd\u0475\uff56",
    "w\u051d\u0448\u0561\u0461\uff57",
    "x\u0445\u03c7\uff58",
    "y\u0443\u03b3\u028f\uff59",
    "z\u1d22\u0290\uff5a",
)
_SKELETON: Final = {ord(letter): letters[0] for letters in _ALIKE for letter in letters[1:]}
_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_MIXTURES: Final = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
_SCRIPTS: Final = {"CJK": "HAN", "KATAKANA-HIRAGANA": "KATAKANA", "IDEOGRAPHIC": "HAN"}


def skeleton(name: str) -> str:
    """Return what a name looks like; names with one skeleton are taken for each other."""
    marks = unicodedata.normalize("NFKD", name.lower().translate(_SKELETON))
    plain = "".join(letter for letter in marks if not unicodedata.combining(letter)).translate(_SKELETON)
    for pair, letter in _PAIRS:
        plain = plain.replace(pair, letter)
    return plain


def mixed_scripts(name: str) -> str:
    """Return the label of a domain that mixes scripts nobody mixes, with their names; "" where none does."""
    for label in name.split("."):
        found = {_script(letter) for letter in label if letter.isalpha()}
        if len(found) > 1 and not any(found <= mixture for mixture in _MIXTURES):
            return f"{label} mixes {' and '.join(sorted(each.title() for each in found))}"
    return ""


async def refuse_lookalike(store: Store, caller: Caller, name: str) -> None:
    """Raise Refused where a new domain mixes scripts or can be taken for one that we have.

    The other domain is named to those alone who administer it.
    """
    mixture = mixed_scripts(name)
    if mixture:
        raise Refused(
            f"{name} can be taken for another name: {mixture}", "If it is really meant, add --allow-lookalike.",
            field="name",
        )  # fmt: skip
    wanted, parent = skeleton(name), _parents(name)
    for row in await store.domains():
        if row.name in parent or skeleton(row.name) != wanted or row.name == name:
            continue
        may_know = caller.role is Role.SERVER or (caller.role is Role.OFFICE and row.office == caller.office)
        other = row.name if may_know else "another domain of this server"
        raise Refused(f"{name} looks like {other}", "If it is really meant, add --allow-lookalike.", field="name")


def _parents(name: str) -> frozenset[str]:
    labels = name.split(".")
    return frozenset(".".join(labels[number:]) for number in range(1, len(labels)))


def _script(letter: str) -> str:
    word = unicodedata.name(letter, "UNKNOWN").split(" ", 1)[0]
    return _SCRIPTS.get(word, word)
