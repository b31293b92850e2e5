"""Large bodies: written ahead of their delivery, chunk by chunk, so that no commit and no session holds all of one.

A staged body is seen by nobody until its Delivery commits; what a crash leaves behind is named in ``body_staging``
and taken away by housekeeping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from posthouse.core import limits
from posthouse.store.spool import Spool
from posthouse.store.sqlite.group import Group
from posthouse.store.values import Delivery


@dataclass(frozen=True, slots=True)
class StagedBody:
    """A body whose chunks are in the database."""

    id: int
    size: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class StageChunk:
    """Write one chunk. Returns the body's id; ``body`` 0 asks for a new one."""

    body: int
    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class DropStaged:
    """Take the chunks of a body away whose delivery was refused."""

    body: int


def is_large(delivery: Delivery) -> bool:
    """Whether the content is too long to be written in one piece."""
    content = delivery.email.content
    return (len(content) if isinstance(content, bytes) else content.size) > limits.INLINE_BODY


def chunks(content: bytes | Spool) -> Iterator[bytes]:
    """Yield the content in chunks."""
    if isinstance(content, bytes):
        for at in range(0, len(content), limits.BODY_CHUNK):
            yield content[at : at + limits.BODY_CHUNK]
    else:
        yield from content.chunks()


def stage_chunk(group: Group, value: StageChunk) -> int:
    """Write a chunk."""
    body = value.body
    if not body:
        body = group.next_number("body")
        group.execute("INSERT INTO body_staging (body_id, since) VALUES (?, ?)", (body, group.now))
    group.execute(
        "INSERT INTO body_chunk (body_id, number, content) VALUES (?, ?, ?)", (body, value.number, value.content)
    )
    return body


def drop_staged(group: Group, value: DropStaged) -> None:
    """Take chunks away."""
    group.execute("DELETE FROM body_chunk WHERE body_id = ?", (value.body,))
    group.execute("DELETE FROM body_staging WHERE body_id = ?", (value.body,))
