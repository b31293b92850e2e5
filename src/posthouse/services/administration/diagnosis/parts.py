"""What diagnosis needs from around it, handed over by whoever composes the process: a command, or a worker.

``Machine`` is the machine as checks see it (``machine.SystemMachine``; tests have their own). A part that is missing
makes the checks that need it be left out, and the report says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from posthouse.config.file import Bind, Configuration
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.services.administration.diagnosis.sign_in_steps import Step
from posthouse.services.resolver.contract import Resolver
from posthouse.store.contract import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """The file system that holds a path: ``kind`` as the kernel names it; numbers are 0 where they are not told."""

    mount: str
    kind: str
    free: int
    size: int
    inodes_free: int
    inodes: int


@dataclass(frozen=True, slots=True)
class PortFacts:
    """Whether an address could be listened on: ``state`` is free | taken | no-right | no-address | no-family."""

    state: str
    detail: str = ""
    program: str = ""


class Machine(Protocol):
    """Looks at the machine. Nothing here changes anything; methods may block for milliseconds."""

    def is_root(self) -> bool:
        """Whether we run as root."""
        ...

    def has_user(self, name: str) -> bool:
        """Whether there is a user of that name."""
        ...

    def disk(self, path: Path) -> DiskFacts:
        """Return what holds a path. Raises OSError."""
        ...

    def port(self, bind: Bind) -> PortFacts:
        """Return whether the server could listen there, and who does where it could not."""
        ...

    def clock_is_synchronised(self) -> bool | None:
        """Whether the kernel says that its clock follows another; None where it does not tell."""
        ...

    def processors(self) -> int:
        """Return how many processors this process may use."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisParts:
    """What diagnosis works with.

    Attributes:
        configuration: what ``posthouse.toml`` says.
        store: open; None where it could not be opened, and ``store_fault`` says why.
        settings: in force.
        clock: the machine's.
        machine: see above.
        resolver: asks the name servers alone: what ``/etc/hosts`` says is not what others see.
        courier_resolver: asks as the courier does.
        name_servers: who is asked, for people; () where there is nobody to ask.
        workers: returns the status of each worker that answers.
        policy: fetches the MTA-STS policy of a domain; returns its text, or raises ``policy.PolicyFault``.
        explain_sign_in: asks the sign-in sources in order for ``(login, password, protocol)`` and says what each said;
            None where this process has none.
    """

    configuration: Configuration
    store: Store | None
    settings: Settings
    clock: Clock
    machine: Machine
    resolver: Resolver
    courier_resolver: Resolver
    workers: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]
    policy: Callable[[str], Awaitable[str]]
    explain_sign_in: Callable[[str, bytes, str], Awaitable[Sequence[Step]]] | None = None
    name_servers: tuple[str, ...] = ()
    store_fault: str = ""
