"""Faults as tagged answers: NO with a response code of RFC 5530, and a text that holds nothing private.

Tests: ``tests/unit/servers/imap``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from posthouse.core.errors import Fault, LimitFault, SequenceFault, SyntaxFault, Unavailable
from posthouse.protocols.imap.types.state import BAD, NO, Condition
from posthouse.store.contract import AlreadyExists, NotAllowed, OverQuota, Vanished


@dataclass(frozen=True, slots=True)
class Answer:
    """A tagged answer that is not OK; ``code`` is without its brackets."""

    condition: Condition
    code: bytes | None
    text: bytes


SERVER_BUG: Final = Answer(NO, b"SERVERBUG", b"Internal error, see the server's log")
TRY_CREATE: Final = Answer(NO, b"TRYCREATE", b"No such mailbox")
NONEXISTENT: Final = Answer(NO, b"NONEXISTENT", b"No such mailbox")
OVER_QUOTA: Final = Answer(NO, b"OVERQUOTA", b"Quota exceeded")
EXPUNGE_ISSUED: Final = Answer(NO, b"EXPUNGEISSUED", b"The messages were expunged meanwhile")
READ_ONLY: Final = Answer(NO, b"READ-ONLY", b"The mailbox is open for reading only")

# The first class that fits answers; classes that are special cases of others come first.
_ANSWERS: Final[tuple[tuple[type[Fault], Answer], ...]] = (
    (AlreadyExists, Answer(NO, b"ALREADYEXISTS", b"A mailbox of that name exists")),
    (OverQuota, OVER_QUOTA),
    (NotAllowed, Answer(NO, b"CANNOT", b"That cannot be done to this mailbox")),
    (Vanished, NONEXISTENT),
    (Unavailable, Answer(NO, b"UNAVAILABLE", b"Temporary failure, please try again later")),
    (LimitFault, Answer(NO, b"LIMIT", b"A limit was passed")),
    (SequenceFault, Answer(BAD, None, b"No such message")),
    (SyntaxFault, Answer(NO, b"CANNOT", b"No mailbox can have that name")),
)


def answer_for(fault: Fault) -> Answer | None:
    """Return how a fault is answered, or None where it is a bug of ours."""
    for kind, answer in _ANSWERS:
        if isinstance(fault, kind):
            return answer
    return None
