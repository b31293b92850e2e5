"""The octets of one message on their way in: in memory while they are few, in the spool when they are many.

The head of a message (its first octets, with the header section) passes once through ``finish_head``, which adds the
trace line and what submission adds, so the content that comes out is the content that is stored. Memory held is at
most ``limits.INLINE_BODY`` twice (the pieces and their join), whatever the message's size.

RFC 5321 §4.4 (trace lines), RFC 6409 §8 (what submission may change). A message whose header section does not fit in
the first ``limits.INLINE_BODY`` octets is not completed. Tests: ``tests/unit/services/reception/test_content.py``.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from posthouse.core import limits
from posthouse.core.errors import Unavailable
from posthouse.message.complete import complete
from posthouse.message.headers import section_end
from posthouse.message.scan import scan
from posthouse.store.spool import Spool


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
        self._pieces: list[bytes] = []
        self._held = 0
        self._spool: Spool | None = None
        self._failure: Unavailable | None = None

    def write(self, data: bytes) -> None:
        """Take a piece. Never raises: a failure is kept for ``take``, so that the peer can end its data first."""
        if self._spool is None:
            self._pieces.append(data)
            self._held += len(data)
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
        pieces, self._pieces = self._pieces, []
        return self._finish_head(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def close(self) -> None:
        """Drop everything."""
        self._pieces = []
        if self._spool is not None:
            self._spool.close()

    def _spill(self) -> None:
        pieces, self._pieces = self._pieces, []
        if self._failure is not None:
            return
        self._held = 0
        self._spool = self._new_spool()
        self._append(self._finish_head(b"".join(pieces)))

    def _append(self, data: bytes) -> None:
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


def complete_head(head: bytes, *, date: float, message_id: str) -> bytes:
    """Return the first octets of a submitted message with Date and Message-ID, and without Bcc (RFC 6409 §8)."""
    end = section_end(head, 0, len(head))
    if end == len(head) >= limits.INLINE_BODY:
        return head  # the section goes on beyond what is in memory: leave it as it came
    completion = complete(scan(head[:end]), date=date, message_id=message_id)
    return b"".join((completion.prepend, completion.header, memoryview(head)[completion.body_start :]))
