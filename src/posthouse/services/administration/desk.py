"""What operations work with: the services of one process, as the composition hands them over.

A field that only a running server has is None on the command line, and the other way round; an operation that needs
it refuses with the remedy. Not here: who asks (``caller``) and for what (``call``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.identity.sealing import Sealing
from posthouse.store.contract import Store


class Live(Protocol):
    """The running server of this home: every worker asked through its control socket."""

    async def ask(self, question: str, **fields: Any) -> list[Mapping[str, Any]]:
        """Return each worker's answer; a worker that says nothing in time is left out."""
        ...

    def follow(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the events of all workers as they happen, until the iterator is closed."""
        ...


@dataclass(kw_only=True)
class Desk:
    """The services of one process.

    Attributes:
        store: open.
        clock: the machine's.
        settings: in force; a command reads them when it starts.
        hostname: of this server.
        home: the server's home, for what is written beside the store.
        live: the running server, or None where none answers.
        hash_password: makes an encoded hash, in a thread.
        sealing: for secrets that are to be used again.
        parts: further services by name, made when first asked for (``part``).
    """

    store: Store
    clock: Clock
    settings: Settings
    hostname: str
    home: Path
    hash_password: Callable[[bytes], Awaitable[str]]
    sealing: Sealing
    live: Live | None = None
    parts: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def part(self, name: str) -> Any:
        """Return a service that the composition registered, such as ``queue``, ``journey``, ``diagnosis``.

        Raises Refused: UNAVAILABLE, where this process has none.
        """
        if name not in self.parts:
            raise Refused(f"{name} is not to be had here", "Ask the running server.", kind=Kind.UNAVAILABLE)
        return self.parts[name]()
