"""What submission adds to a message and takes out of it (RFC 6409 §8). Room: message."""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.message.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How to complete a submitted message: send ``prepend``, ``header``, then the content from ``body_start``."""

    prepend: bytes
    header: bytes
    body_start: int


def complete(scanned: Scan, *, date: float, message_id: str) -> Completion:
    """Return the missing Date and Message-ID lines and the header section without Bcc (RFC 6409 §8.1, §8.2, §8.7).

    ``message_id`` has no brackets. ``header`` is the header section with the empty line that ends it.
    """
    raise NotImplementedError
