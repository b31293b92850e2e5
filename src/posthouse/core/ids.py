"""Identifiers, each its own type so that mypy stops one from standing for another.

A queue id is 64 bits: microseconds since the epoch in the high 54 bits, ten bits that tell workers apart. It orders
messages by time, so the journey needs no index of its own for time. It is shown as 13 letters of base 32
(``format_queue_id``), which is what people copy from logs and replies.
"""

from __future__ import annotations

from typing import NewType

DomainId = NewType("DomainId", int)
AccountId = NewType("AccountId", int)
MailboxId = NewType("MailboxId", int)
EmailId = NewType("EmailId", int)
BodyId = NewType("BodyId", int)
Uid = NewType("Uid", int)
SeqNum = NewType("SeqNum", int)
UidValidity = NewType("UidValidity", int)
ModSeq = NewType("ModSeq", int)
QueueId = NewType("QueueId", int)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U, so it survives being read aloud
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LETTERS = 13
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time: ids stand in every reply
_WORKER_BITS = 10


def make_queue_id(epoch_microseconds: int, worker: int) -> QueueId:
    """Compose a queue id.

    Args:
        epoch_microseconds: microseconds since 1970; must differ between two calls of one worker.
        worker: number of the worker, taken modulo 1024.
    """
    return QueueId((epoch_microseconds << _WORKER_BITS) | (worker & ((1 << _WORKER_BITS) - 1)))


def queue_id_time(queue_id: QueueId) -> float:
    """Return the second since the epoch at which the id was made."""
    return (queue_id >> _WORKER_BITS) / 1e6


def queue_id_floor(epoch_seconds: float) -> QueueId:
    """Return the smallest id of that moment; ids made later compare greater."""
    return QueueId(int(epoch_seconds * 1e6) << _WORKER_BITS)


def format_queue_id(queue_id: QueueId) -> str:
    """Return the 13 letters that people see."""
    value, pairs = int(queue_id), _PAIRS
    return (
        f"{_ALPHABET[value >> 60 & 31]}{pairs[value >> 50 & 1023]}{pairs[value >> 40 & 1023]}"
        f"{pairs[value >> 30 & 1023]}{pairs[value >> 20 & 1023]}{pairs[value >> 10 & 1023]}{pairs[value & 1023]}"
    )


def parse_queue_id(text: str) -> QueueId:
    """Read what ``format_queue_id`` printed; case does not matter.

    Raises ValueError: where the text is not 13 letters of the alphabet or passes 63 bits.
    """
    letters = text.strip().upper()
    if len(letters) != _LETTERS or any(letter not in _VALUES for letter in letters):
        raise ValueError("a queue id has 13 letters and digits, without I, L, O and U")
    value = 0
    for letter in letters:
        value = (value << 5) | _VALUES[letter]
    if value >= 1 << 63:
        raise ValueError("a queue id fits in 63 bits")
    return QueueId(value)
