r"""Mailbox names: modified UTF-7 to text and back, validity, the fold of INBOX, LIST patterns (RFC 3501 §5.1, §6.3.8).

Inside the house a name is ``/``-separated Unicode text and the inbox is ``INBOX``; on the wire it is modified UTF-7.
The decoder accepts only the one canonical form of each name, so that two spellings never mean one mailbox.
Whether a mailbox exists is not known here. Tests: ``tests/unit/protocols/imap/test_imap_mailbox_name.py``,
``tests/property/test_imap_properties.py``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from posthouse.core import limits
from posthouse.core.errors import SyntaxFault

DELIMITER: Final = "/"
INBOX: Final = "INBOX"

_SHIFTED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_DIRECT_ONLY = re.compile(rb"[\x20-\x25\x27-\x7e]*")
_NOT_DIRECT = re.compile("&|[^\x20-\x7e]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WILDCARDS = re.compile(r"[*%]+")


class NameFault(SyntaxFault):
    """A name that no mailbox can have; answered ``NO [CANNOT]`` (RFC 5530 §3)."""


def _encode_run(match: re.Match[str]) -> str:
    run = match.group()
    if run == "&":
        return "&-"
    packed = binascii.b2a_base64(run.encode("utf-16-be"), newline=False)
    return "&" + packed.rstrip(b"=").replace(b"/", b",").decode("ascii") + "-"


@lru_cache(maxsize=8192)
def encode_name(name: str) -> bytes:
    """Return a name as modified UTF-7 (RFC 3501 §5.1.3)."""
    return _NOT_DIRECT.sub(_encode_run, name).encode("ascii")


def _decode_run(match: re.Match[bytes]) -> bytes:
    run = match.group(1)
    if not run:
        return b"&"
    padded = run.replace(b",", b"/") + b"=" * (-len(run) % 4)
    return binascii.a2b_base64(padded).decode("utf-16-be").encode("utf-8")


@lru_cache(maxsize=8192)
def decode_name(data: bytes) -> str:
    """Return the text of a name in modified UTF-7, INBOX not yet folded.

    Raises NameFault: where the octets are not its canonical form.
    """
    if _DIRECT_ONLY.fullmatch(data):
        return data.decode("ascii")
    try:
        name = _SHIFTED.sub(_decode_run, data).decode("utf-8")
        canonical = encode_name(name)
    except (ValueError, binascii.Error):
        raise NameFault("not modified UTF-7", where="imap.mailbox") from None
    if canonical != data:
        raise NameFault("not the canonical modified UTF-7", where="imap.mailbox")
    return name


def fold_inbox(name: str) -> str:
    """Return the name with INBOX, alone or as the first level, in its one spelling (RFC 3501 §5.1)."""
    if name[:5].upper() == INBOX and (len(name) == 5 or name[5] == DELIMITER):
        return INBOX + name[5:]
    return name


@lru_cache(maxsize=8192)
def parse_name(data: bytes) -> str:
    """Return the mailbox a client names: decoded, INBOX folded, valid.

    Raises NameFault: where no mailbox can have the name.
    """
    name = fold_inbox(decode_name(data))
    check_name(name)
    return name


def check_name(name: str) -> None:
    """Make sure that a mailbox may have the name: levels that are not empty, no controls, not too long or deep.

    Raises NameFault: saying which rule was broken.
    """
    if not name or name.startswith(DELIMITER) or name.endswith(DELIMITER) or DELIMITER * 2 in name:
        raise NameFault("a level of the name is empty", where="imap.mailbox")
    if _CONTROL.search(name):
        raise NameFault("the name has control characters", where="imap.mailbox")
    if len(name.encode("utf-8")) > limits.MAILBOX_NAME:
        raise NameFault("the name is too long", where="imap.mailbox")
    if name.count(DELIMITER) >= limits.MAILBOX_DEPTH:
        raise NameFault("the name has too many levels", where="imap.mailbox")


def _collapse(match: re.Match[str]) -> str:
    return "*" if "*" in match.group() else "%"


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a predicate for names that match a LIST pattern with ``*`` and ``%`` (RFC 3501 §6.3.8).

    The predicate takes time linear in the name for each wildcard, whatever the pattern.
    """
    folded = fold_inbox(_WILDCARDS.sub(_collapse, pattern))
    if sum(map(folded.count, "*%")) <= 2:
        return _regex_predicate(folded)
    return _stepping_predicate(folded)


def _regex_predicate(pattern: str) -> Callable[[str], bool]:
    source = re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*")
    match = re.compile(source, re.DOTALL).fullmatch

    def matches(name: str) -> bool:
        return match(name) is not None

    return matches


def _stepping_predicate(pattern: str) -> Callable[[str], bool]:
    """Step all positions of the pattern at once as bits of one number, so that wildcards never backtrack."""
    wild = level = 0
    steps: dict[str, int] = {}
    for place, sign in enumerate(pattern):
        if sign == "*":
            wild |= 1 << place
        elif sign == "%":
            level |= 1 << place
        else:
            steps[sign] = steps.get(sign, 0) | 1 << place
    any_wild = wild | level
    accept = 1 << len(pattern)

    def matches(name: str) -> bool:
        at = 1 | (any_wild & 1) << 1
        for sign in name:
            stay = at & (wild if sign == DELIMITER else any_wild)
            at = stay | (at & steps.get(sign, 0)) << 1
            at |= (at & any_wild) << 1
        return bool(at & accept)

    return matches
