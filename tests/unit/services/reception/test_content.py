"""However a message is cut into pieces, the same content comes out; small pieces cost no more memory than large."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posthouse.core import limits
from posthouse.core.errors import Unavailable
from posthouse.services.reception.content import IncomingContent, complete_head
from posthouse.store.spool import Spool


def head(content: bytes) -> bytes:
    return b"Trace: yes\r\n" + content


def complete(content: bytes) -> bytes:
    return b"Trace: yes\r\n" + complete_head(content, date=0.0, message_id="id@here")


def whole(found: bytes | Spool) -> bytes:
    return found if isinstance(found, bytes) else b"".join(found.chunks())


@given(pieces=st.lists(st.binary(max_size=5_000), max_size=30))
def test_pieces_join_in_order(pieces: list[bytes]) -> None:
    """Small and large pieces in any order give their join, below the trace line."""
    content = IncomingContent(lambda: pytest.fail("no spool is needed"), head)
    for piece in pieces:
        content.write(piece)
    assert content.take() == head(b"".join(pieces))


@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 300_000), header=st.integers(0, 700_000))
def test_the_spool_holds_the_same(tmp_path_factory: pytest.TempPathFactory, size: int, header: int) -> None:
    """A message that spills is the same whatever its pieces and however long its header section."""
    message = b"Subject: x\r\nX: " + b"y" * header + b"\r\n\r\n" + b"z" * limits.INLINE_BODY
    folder = tmp_path_factory.mktemp("spool")
    content = IncomingContent(lambda: Spool(folder), complete)
    for start in range(0, len(message), size):
        content.write(message[start : start + size])
    found = content.take()
    assert isinstance(found, Spool)
    stored = whole(found)
    content.close()
    assert stored.startswith(b"Trace: yes\r\n")
    assert stored.endswith(message)
    assert (b"Message-ID: <id@here>" in stored[:200]) == (len(stored) > len(message) + len(b"Trace: yes\r\n"))


def test_many_small_pieces_cost_little() -> None:
    """A hundred thousand pieces of one octet are one piece."""
    content = IncomingContent(lambda: pytest.fail("no spool is needed"), head)
    for _ in range(100_000):
        content.write(b"x")
    assert len(content._pieces) == 1


def test_no_spool_is_an_answer_at_the_end(tmp_path: Path) -> None:
    """Where no spool can be made, everything that comes is dropped, and the end says so."""

    def broken() -> Spool:
        raise Unavailable("disk full", storage_short=True)

    content = IncomingContent(broken, head)
    for _ in range(40):
        content.write(b"x" * 100_000)
        assert sum(map(len, content._pieces)) <= limits.INLINE_BODY + 100_000
    with pytest.raises(Unavailable) as caught:
        content.take()
    assert caught.value.storage_short
    content.close()


def test_a_head_that_breaks_is_temporary(tmp_path: Path) -> None:
    """An error of ours in the head of a spilled message is kept for the end too."""

    def broken(content: bytes) -> bytes:
        raise ZeroDivisionError

    content = IncomingContent(lambda: Spool(tmp_path), broken)
    content.write(b"x" * (limits.INLINE_BODY + 1))
    with pytest.raises(Unavailable):
        content.take()
    content.close()
