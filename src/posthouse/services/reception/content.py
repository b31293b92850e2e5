"""The octets of one message on their way in: in memory while they are few, in the spool when they are many.

The head of a message (its first octets, with the header section) passes once through ``finish_head``, which adds the
trace line and what submission adds, so the content that comes out is the content that is stored. Memory held is at
most ``limits.INLINE_BODY`` twice (the pieces and their join), whatever the message's size and however small its
pieces are: small ones are gathered, since each alone would cost forty octets more than it holds.

RFC 5321 §4.4 (trace lines), RFC 6409 §8 (what submission may change). A message whose header section does not fit in
the first ``limits.INLINE_BODY`` octets is not completed. Tests: ``tests/unit/services/reception/test_content.py``.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from posthouse.core import limits
from posthouse.core.errors import Unavailable
from posthouse.message.complete import complete
from posthouse.message.headers import section_end
from posthouse.message.scan import scan
from posthouse.store.spool import Spool

SMALL: Final = 2_048  # octets; pieces below are gathered


class IncomingContent:
    """Takes pieces, gives the whole.

    Args:
        new_spool: makes a spool; may raise Unavailable.
        finish_head: gets the first octets of the message and returns what stands in their place.
    """

    __slots__ = ("_failure", "_finish_head", "_held", "_new_spool", "_pieces", "_spool")

    def __init__(self, new_spool: Callable[[], Spool], finish_head: Callable[[bytes], bytes]) -> None:
        self._new_spool = new_spool
        self._finish_head = finish_head
        self._pieces: list[bytes | bytearray] = []
        self._held = 0
        self._spool: Spool | None = None
        self._failure: Unavailable | None = None

    def write(self, data: bytes) -> None:
        """Take a piece. Never raises: a failure is kept for ``take``, so that the peer can end its data first."""
        if self._spool is None:
            self._hold(data)
            if self._held > limits.INLINE_BODY:
                self._guarded(self._spill)
        elif self._failure is None:
            self._guarded(lambda: self._append(data))

    def take(self) -> bytes | Spool:
        """Return the whole message; a spool stays this object's to close. Raises Unavailable, or what the head met."""
        if self._failure is not None:
            raise self._failure
        if self._spool is not None:
            return self._spool
        head = b"".join(self._pieces)
        self._pieces.clear()
        return self._finish_head(head)

    def close(self) -> None:
        """Drop everything."""
        self._pieces = []
        if self._spool is not None:
            self._spool.close()

    def _hold(self, data: bytes) -> None:
        self._held += len(data)
        pieces = self._pieces
        if len(data) >= SMALL:
            pieces.append(data)
        elif pieces and isinstance(last := pieces[-1], bytearray):
            last += data
        else:
            pieces.append(bytearray(data))

    def _spill(self) -> None:
        """Move to the spool: the head, finished, and then piece by piece, without joining them all."""
        pieces, self._pieces = self._pieces, []
        if self._failure is not None:
            return
        self._spool = self._new_spool()
        count = _pieces_of_head(pieces)
        self._append(self._finish_head(b"".join(pieces[:count])))
        for piece in pieces[count:]:
            self._append(piece)

    def _append(self, data: bytes | bytearray) -> None:
        assert self._spool is not None
        self._spool.write(data)

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Unavailable as fault:
            self._failure = fault
        except OSError as error:
            short = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            self._failure = Unavailable(f"spool: {error.strerror}", where="reception.spool", storage_short=short)
        except Exception as error:
            self._failure = Unavailable(f"head: {type(error).__name__}", where="reception.head")


def _pieces_of_head(pieces: list[bytes | bytearray]) -> int:
    """Return how many of the first pieces hold the whole header section; all, where it goes on beyond them."""
    count = 1
    while count < len(pieces):
        head = b"".join(pieces[:count])
        if section_end(head, 0, len(head)) < len(head):
            return count
        count *= 2
    return len(pieces)


def complete_head(head: bytes, *, date: float, message_id: str) -> bytes:
    """Return the first octets of a submitted message with Date and Message-ID, and without Bcc (RFC 6409 §8)."""
    end = section_end(head, 0, len(head))
    if end == len(head) >= limits.INLINE_BODY:
        return head  # the section goes on beyond what is in memory: leave it as it came
    completion = complete(scan(head[:end]), date=date, message_id=message_id)
    return b"".join((completion.prepend, completion.header, memoryview(head)[completion.body_start :]))
