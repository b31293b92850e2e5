"""From a destination to an open connection: plan the hosts, try them in turn, fall back where the policy allows.

- A host that cannot be reached, or that greets or answers EHLO with a refusal, sends us to the next one (RFC 5321
  §5.1). When none is left the last reason is the outcome, always temporary, save that every host said it never takes
  mail (521, RFC 7504 §3).
- TLS with ``may``: where the handshake fails the same address is asked again in the clear, unless we sign in there.
  With ``must``: never.
- An address that could not be reached is passed over for a while, by all destinations that share it.

Tests: ``tests/unit/services/relay/test_connect.py``.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.clock import Clock
from posthouse.core.errors import SyntaxFault, Unavailable
from posthouse.core.outcome import Outcome, defer, reject
from posthouse.services.queue.destination import parse_destination
from posthouse.services.relay.hosts import NextHop, Self, Shuffle, plan_hosts
from posthouse.services.relay.pool import Connection, LaneEvents
from posthouse.services.relay.routes import Credentials, TlsPolicies, TlsPolicy
from posthouse.services.resolver.contract import Resolver
from posthouse.telemetry.log import Telemetry

MAX_TRIES = 5  # addresses tried for one connection (Postfix smtp_mx_address_limit)
MAX_DEAD = 10_000  # addresses that are remembered as dead

BAD_KEY = defer("Local error in processing", rule="relay.destination")
NO_PASSWORD = defer("The password for the next hop cannot be read", rule="relay.credentials")
ALL_DEAD = defer("No mail server could be reached lately", detail_code=status.NO_ANSWER, rule="relay.dead")
NEVER_TAKES_MAIL = reject("Host accepts no mail", code=556, detail_code=status.NULL_MX, rule="relay.521")


@dataclass(frozen=True, slots=True)
class DialFailure:
    """Why no session came about with one address.

    Attributes:
        outcome: the reason; host and text are for people.
        is_dead: whether the address could not be reached at all, so that others need not try it now.
        is_tls: whether it was TLS that failed.
    """

    outcome: Outcome
    is_dead: bool = False
    is_tls: bool = False


Dial = Callable[["Visit", LaneEvents], Awaitable[Connection | DialFailure]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One address to be dialled, how TLS is used there, and what to sign in with, if anything."""

    hop: NextHop
    policy: TlsPolicy
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorParts:
    """What a connector needs; made in the composition root.

    Attributes:
        own: how we recognise ourselves among exchangers.
        dial: opens one session (``connection.Dialer.dial``).
        shuffle: the chance among equal exchangers.
    """

    resolver: Resolver
    policies: TlsPolicies
    settings: Settings
    clock: Clock
    telemetry: Telemetry
    own: Self
    dial: Dial
    shuffle: Shuffle = random.shuffle


class Connector:
    """Opens connections for the pool; ``connect`` is its ``Connect``."""

    def __init__(self, parts: ConnectorParts) -> None:
        self._parts = parts
        self._dead: dict[tuple[str, int], tuple[float, Outcome]] = {}

    async def connect(self, key: str, events: LaneEvents) -> Connection | Outcome:
        """Return a session that is ready for MAIL, or why there is none. Never raises for what the world does."""
        parts = self._parts
        try:
            destination = parse_destination(key)
        except SyntaxFault as fault:
            return BAD_KEY.because(f"{key!r}: {fault.detail}")
        plan = await plan_hosts(destination, parts.resolver, parts.own, parts.shuffle)
        if isinstance(plan, Outcome):
            return plan
        try:
            credentials = await parts.policies.credentials(key)
        except Unavailable as fault:
            return NO_PASSWORD.because(fault.detail)
        policy = await parts.policies.policy(key)
        return await self._try_all([Visit(hop, policy, credentials) for hop in plan], events)

    async def _try_all(self, plan: Sequence[Visit], events: LaneEvents) -> Connection | Outcome:
        last: Outcome | None = None
        never = True
        alive = [visit for visit in plan if self._reason_dead(visit.hop) is None]
        for visit in alive[:MAX_TRIES]:
            answer = await self._try(visit, events)
            if not isinstance(answer, DialFailure):
                return answer
            last = answer.outcome
            never = never and last.code == 521
        if last is None:
            return self._reason_dead(plan[0].hop) or ALL_DEAD
        if never and len(alive) == len(plan):
            return NEVER_TAKES_MAIL.because(last.public_text)
        return last if last.is_temporary else replace(last, code=450)

    async def _try(self, visit: Visit, events: LaneEvents) -> Connection | DialFailure:
        answer, hop = await self._parts.dial(visit, events), visit.hop
        if isinstance(answer, DialFailure) and answer.is_tls:
            falls_back = visit.policy is TlsPolicy.MAY and visit.credentials is None
            self._parts.telemetry.event(
                "relay.tls_failed",
                level="warning",
                relay=str(hop),
                reason=answer.outcome.detail or answer.outcome.public_text,
                fallback=falls_back,
            )
            if falls_back:
                answer = await self._parts.dial(replace(visit, policy=TlsPolicy.NONE), events)
        if isinstance(answer, DialFailure) and answer.is_dead:
            self._remember_dead(hop, answer.outcome)
        return answer

    def forget_dead(self) -> None:
        """Let every address be tried again."""
        self._dead.clear()

    def _remember_dead(self, hop: NextHop, outcome: Outcome) -> None:
        while len(self._dead) >= MAX_DEAD:
            del self._dead[next(iter(self._dead))]
        pause = self._parts.settings.get(definitions.DEAD_HOST_PAUSE)
        self._dead[hop.address, hop.port] = (self._parts.clock.monotonic() + pause, outcome)

    def _reason_dead(self, hop: NextHop) -> Outcome | None:
        entry = self._dead.get((hop.address, hop.port))
        if entry is None:
            return None
        if entry[0] <= self._parts.clock.monotonic():
            del self._dead[hop.address, hop.port]
            return None
        return entry[1]
