"""The relay self-test: talks to our own listeners as a stranger who wants to write to a stranger.

Every way in which servers have been talked into relaying is tried, each in a session of its own: plainly, with forged
local senders, with percent, bang, quoted and source-routed recipients, and with our address literals (RFC 5321 §4.1.2,
§F.2; RFC 2505 §2.1). No message is sent: it ends after RCPT. A listener for submission must refuse without sign-in.

What the test cannot see: a stranger comes from outside, and this test from this machine. An address of this machine
that ``relay.networks`` does not trust is used where there is one.
Tests: ``tests/unit/services/administration/diagnosis/test_relay_test.py``.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from posthouse.services.administration.diagnosis.dialogue import Link, LinkFault, linked
from posthouse.services.reception.relay_control import in_networks

# Addresses of this machine, one of which is hopefully not trusted: any of 127/8 can be a source on Linux.
SOURCES: Final = ("", "127.83.41.7", "127.161.9.201")
_STRANGERS: Final = ("example.com", "example.net", "example.org", "iana.org")
_HELLO: Final = "relay-test.invalid"


class Verdict(enum.Enum):
    """What became of one trick."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Trick:
    """One way to try it: a name for people, and the two paths."""

    name: str
    reverse_path: str
    forward_path: str
    is_local_looking: bool = False  # a domain of ours stands at its end: a catch-all may take it, which relays nothing


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a listener said to a trick; ``reply`` is the first refusal, or the acceptance."""

    trick: Trick
    verdict: Verdict
    reply: str


@dataclass(frozen=True, slots=True)
class RelayTest:
    """The test of one address of a listener: ``fault`` says why it could not be done, "" where it was."""

    place: str
    source: str
    attempts: tuple[Attempt, ...] = ()
    fault: str = ""

    @property
    def accepted(self) -> tuple[Attempt, ...]:
        """What was let through."""
        return tuple(attempt for attempt in self.attempts if attempt.verdict is Verdict.ACCEPTED)


def strangers(ours: Sequence[str]) -> tuple[str, str]:
    """Return two domains that are nobody's here, to write from and to."""
    free = [name for name in _STRANGERS if not any(name == own or name.endswith("." + own) for own in ours)]
    found = [*free, "relay-test-one.invalid", "relay-test-two.invalid"]
    return found[0], found[1]


def tricks(ours: str, literals: Sequence[str], far: tuple[str, str]) -> Iterator[Trick]:
    """Yield every way to try it: for a domain of ours ("" for none), our address literals, two strange domains."""
    to, sender = f"relay-test@{far[0]}", f"stranger@{far[1]}"
    yield Trick("a stranger writes to a stranger", sender, to)
    yield Trick("the null reverse-path", "", to)
    yield Trick("a sender without a domain", "stranger", to)
    yield Trick("the percent hack without a domain", sender, f"relay-test%{far[0]}")
    yield Trick("a bang path without a domain", sender, f"{far[0]}!relay-test")
    yield Trick("a quoted address without a domain", sender, f'"{to}"')
    for host in (ours, *literals):
        if not host:
            continue
        yield Trick(f"a forged sender of {host}", f"postmaster@{host}", to)
        yield Trick(f"the percent hack at {host}", sender, f"relay-test%{far[0]}@{host}", is_local_looking=True)
        yield Trick(f"a bang path at {host}", sender, f"{far[0]}!relay-test@{host}", is_local_looking=True)
        yield Trick(f"a quoted address at {host}", sender, f'"{to}"@{host}', is_local_looking=True)
        yield Trick(f"a quoted percent hack at {host}", sender, f'"relay-test%{far[0]}"@{host}', is_local_looking=True)
        yield Trick(f"a source route through {host}", sender, f"@{host}:{to}")
        yield Trick(f"two at signs at {host}", sender, f"{to}@{host}", is_local_looking=True)


def literals_of(addresses: Sequence[str]) -> list[str]:
    """Return addresses as address literals (RFC 5321 §4.1.3), the first few."""
    found = []
    for text in addresses[:3]:
        address = ipaddress.ip_address(text)
        found.append(f"[IPv6:{address}]" if address.version == 6 else f"[{address}]")
    return found


def source_for(host: str, networks: tuple[str, ...]) -> str | None:
    """Return the address to connect from: "" for any, one that is not trusted, or None where all are trusted."""
    if not host.startswith("127."):
        return "" if not in_networks(host, networks) else None
    return next((source for source in SOURCES if not in_networks(source or "127.0.0.1", networks)), None)


async def run_relay_test(host: str, port: int, source: str, attempts: Sequence[Trick]) -> RelayTest:
    """Try every trick on one address; a listener that hangs up is called again."""
    done: list[Attempt] = []
    place = f"{host}:{port}"
    for trick in attempts:
        try:
            async with linked(host, port, source=source) as link:
                done.append(await _try(link, trick))
        except LinkFault as fault:
            return RelayTest(place, source, tuple(done), f"{trick.name}: {fault}")
    return RelayTest(place, source, tuple(done))


async def _try(link: Link, trick: Trick) -> Attempt:
    reply = await link.reply()
    for command in (f"EHLO {_HELLO}", f"MAIL FROM:<{trick.reverse_path}>", f"RCPT TO:<{trick.forward_path}>"):
        if reply.code >= 400:
            break
        reply = await link.ask(command)
    verdict = Verdict.ACCEPTED if reply.code < 400 else Verdict.DEFERRED if reply.code < 500 else Verdict.REFUSED
    await link.say("QUIT")
    return Attempt(trick, verdict, reply.text)
