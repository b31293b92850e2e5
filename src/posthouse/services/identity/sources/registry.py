"""The sources of this server: made when first asked, asked in a domain's order, spared while they are down.

``ask`` walks the order that ``auth.sources`` gives for a domain. A source that says *granted* ends the walk; one that
does not know the name passes it on; what else passes it on is a setting. Where nobody granted and some source could not
say, the answer is Down: it might have granted. A source that timed out or could not be reached is not asked again for
a while, then one caller tries it while the others still get Down.

Invariants: an empty password is Wrong before anybody is asked; a walk takes no longer than its budget; what a source
raises becomes Down. Not here: accounts, failures counted (``identity.authentication``).
Tests: ``tests/unit/services/identity/sources/test_source_registry.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from posthouse.config.definitions.auth import NEXT_SOURCE_AFTER, SOURCE_BUDGET, SOURCE_PAUSE, SOURCES
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.services.identity.sources.contract import (
    OWN,
    Down,
    Granted,
    Login,
    Source,
    SourceAnswer,
    Unknown,
    Wrong,
)
from posthouse.services.identity.sources.fields import SourceFault
from posthouse.services.identity.sources.kinds import Parts, make_source

PASSWORD_OCTETS: Final = 1_024
TOKEN_KIND: Final = "oidc"


class StoredSource(Protocol):
    """A source as the store keeps it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def kind(self) -> str:
        """The word for its kind (``kinds.kind_names``)."""
        ...

    @property
    def config(self) -> Mapping[str, str]:
        """Its plain fields."""
        ...

    @property
    def sealed(self) -> str:
        """Its secret fields, sealed."""
        ...

    @property
    def disabled(self) -> bool:
        """Whether it is passed over."""
        ...

    @property
    def revision(self) -> int:
        """Goes up with every change."""
        ...


@dataclass(slots=True)
class _Circuit:
    """Whether a source is asked: not before ``closed_until``, then by one caller at a time until one gets through."""

    closed_until: float = 0.0
    detail: str = ""
    is_trying: bool = False


Ask = Callable[[Source], Awaitable[SourceAnswer]]
OwnAnswer = Callable[[], Awaitable[SourceAnswer]]


class Sources:
    """The sources of one worker.

    Attributes:
        knows_tokens: whether a bearer token may be somebody's, as of the last ``look``.

    Args:
        load: reads the stored sources; called again after ``forget``. Raises Unavailable as the store does.
        unseal: opens the secret fields of a source; what it raises becomes Down.
        make: makes a source from what is stored; tests hand in their own.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[Iterable[StoredSource]]],
        settings: Settings,
        parts: Parts,
        *,
        unseal: Callable[[StoredSource], Mapping[str, str]],
        make: Callable[[StoredSource], Source] | None = None,
    ) -> None:
        self._load = load
        self._settings = settings
        self._clock: Clock = parts.clock
        self._make = make or (lambda row: make_source(row.kind, row.name, row.config, unseal(row), parts))
        self.knows_tokens = False
        self._rows: dict[str, StoredSource] | None = None
        self._made: dict[str, tuple[StoredSource, Source]] = {}
        self._circuits: dict[str, _Circuit] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """Read the stored sources again before the next question; those that did not change stay connected."""
        self._rows = None

    async def close(self) -> None:
        """Close every source."""
        made, self._made = self._made, {}
        await asyncio.gather(*(source.close() for _, source in made.values()), *self._closing, return_exceptions=True)

    async def look(self) -> None:
        """Read the stored sources; note whether some order holds one that knows tokens. Raises Unavailable."""
        rows = await self._stored()
        kinds = {name for name, row in rows.items() if row.kind == TOKEN_KIND and not row.disabled}
        orders: list[tuple[str, ...]] = self._settings.values_of(SOURCES)
        self.knows_tokens = any(kinds.intersection(order) for order in orders)

    def order(self, domain: str) -> tuple[str, ...]:
        """Return the names of the sources that are asked for a domain's people, in their order."""
        return self._settings.get(SOURCES, domain=domain) or (OWN,)

    async def get(self, name: str) -> Source:
        """Return a source by name. Raises SourceFault: where it is not there or cannot be made; Unavailable."""
        row = (await self._stored()).get(name)
        if row is None:
            raise SourceFault(
                f"there is no source named {name!r}", field="auth.sources", remedy="Make it, or take it off the list."
            )
        known = self._made.get(name)
        if known is not None and known[0].revision == row.revision:
            return known[1]
        source = self._make(row)
        self._made[name] = (row, source)
        self._circuits.pop(name, None)
        if known is not None:
            self._close_later(known[1])
        return source

    async def ask_password(self, login: Login, password: bytes, own: OwnAnswer) -> SourceAnswer:
        """Ask the sources of the login's domain in their order; ``own`` answers for our own store."""
        if not password or len(password) > PASSWORD_OCTETS or b"\x00" in password:
            return Wrong("the password is empty, too long or holds a NUL")
        return await self._walk(login.domain, own, lambda source: source.check_password(login, password))

    async def ask_token(self, token: str, mechanism: str, domain: str = "") -> SourceAnswer:
        """Ask whose token this is; ``domain`` is that of the name that came with it, "" where none did."""

        async def no_tokens() -> SourceAnswer:
            return Unknown()

        return await self._walk(domain, no_tokens, lambda source: source.check_token(token, mechanism))

    async def ask_one(self, name: str, ask: Ask, seconds: float) -> SourceAnswer:
        """Ask one source unless it is disabled or spared now; whatever happens becomes an answer.

        Raises Unavailable: our store cannot be read.
        """
        try:
            source = await self.get(name)
        except SourceFault as fault:
            return Down(fault.detail, name)
        if self._made[name][0].disabled:
            return Unknown()
        circuit = self._circuits.setdefault(name, _Circuit())
        if self._clock.monotonic() < circuit.closed_until or circuit.is_trying:
            return Down(f"not asked, since a moment ago: {circuit.detail}", name)
        circuit.is_trying = circuit.closed_until > 0
        try:
            answer = await asyncio.wait_for(ask(source), seconds)
        except TimeoutError:
            answer = Down(f"no answer within {seconds:.1f} s")
        except Exception as error:
            answer = Down(f"{type(error).__name__}: {error}"[:500], is_spared=False)
        finally:
            circuit.is_trying = False
        return self._noted(name, answer, circuit)

    def _noted(self, name: str, answer: SourceAnswer, circuit: _Circuit) -> SourceAnswer:
        if isinstance(answer, Down):
            if answer.is_spared:
                circuit.closed_until = self._clock.monotonic() + self._settings.get(SOURCE_PAUSE)
                circuit.detail = answer.detail
            return Down(answer.detail, name, answer.is_spared)
        circuit.closed_until = 0.0
        if isinstance(answer, Granted):
            return Granted(answer.person, name)
        return Wrong(answer.detail, name) if isinstance(answer, Wrong) else answer

    async def _walk(self, domain: str, own: OwnAnswer, ask: Ask) -> SourceAnswer:
        ends = self._clock.monotonic() + self._settings.get(SOURCE_BUDGET)
        passes_on = self._settings.get(NEXT_SOURCE_AFTER, domain=domain)
        wrong: Wrong | None = None
        down: Down | None = None
        for name in self.order(domain):
            rest = ends - self._clock.monotonic()
            if rest <= 0:
                down = down or Down("the time for all sources was over", name)
                break
            answer = await own() if name == OWN else await self.ask_one(name, ask, rest)
            if isinstance(answer, Granted):
                return answer
            if isinstance(answer, Wrong):
                wrong = wrong or answer
                if "wrong" not in passes_on:
                    break
            if isinstance(answer, Down):
                down = down or answer
                if "down" not in passes_on:
                    break
        return down or wrong or Unknown()

    async def _stored(self) -> dict[str, StoredSource]:
        if self._rows is None:
            self._rows = {row.name: row for row in await self._load()}
            for name in [name for name in self._made if name not in self._rows]:
                self._close_later(self._made.pop(name)[1])
                self._circuits.pop(name, None)
        return self._rows

    def _close_later(self, source: Source) -> None:
        task = asyncio.ensure_future(source.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
