"""Logs of conversations: what a peer and we say, line by line, with secrets masked and messages left out.

Off by default. A door asks ``ConversationLog.open_tap`` once for each connection and gets None unless its protocol and
peer are wanted; a connection without a tap costs a look at an attribute for each write and nothing for reads. What may
be shown is decided by the protocol's own mask (``protocols.*.masking``); here lines are counted, held and reported.

Where only accounts are wanted the lines of a session are held (``HELD``) until it signs in: then they are reported, or
the tap goes silent. Turning the setting off silences open taps; turning it on concerns connections that begin later,
because a mask must have seen a session from its start to know what is secret.

Tests: ``tests/unit/telemetry/test_conversation.py``, ``tests/interop/test_conversation_secrets.py``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

from posthouse.telemetry.log import Telemetry

EVENTS_BY_PROTOCOL: Final = {
    "smtp": "conversation.smtp",
    "lmtp": "conversation.lmtp",
    "imap": "conversation.imap",
    "pop3": "conversation.pop3",
    "relay": "conversation.relay",
}
HELD: Final = 200  # lines of a session that has not signed in yet
LONGEST: Final = 1000  # characters of a line that are shown

Report = Callable[[str, str, int], None]
"""Takes direction (``C`` or ``S``), masked text, and the octets of what was said."""


class ConversationLog:
    """Which conversations are logged.

    Attributes:
        is_on: whether any may be.
        generation: changes with the configuration, so that open taps look again.
    """

    def __init__(self) -> None:
        self.is_on = False
        self.generation = 0
        self._protocols: frozenset[str] = frozenset()
        self._networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
        self._accounts: frozenset[str] = frozenset()

    def configure(self, protocols: Sequence[str], clients: Sequence[str]) -> None:
        """Log conversations of these protocols with these clients: networks, ``user@domain``, ``@domain``, or all."""
        networks = tuple(ipaddress.ip_network(each, strict=False) for each in clients if "@" not in each)
        accounts = frozenset(each.lower() for each in clients if "@" in each)
        wanted = (frozenset(protocols), networks, accounts)
        if wanted != (self._protocols, self._networks, self._accounts):
            self._protocols, self._networks, self._accounts = wanted
            self.is_on = bool(protocols)
            self.generation += 1

    def open_tap(self, telemetry: Telemetry, protocol: str, peer: str, port: int) -> Tap | None:
        """Return a tap for a connection that begins, or None where nobody wants it."""
        if protocol not in self._protocols:
            return None
        is_wanted = self.wants(protocol, peer, "")
        if not is_wanted and (not self._accounts or protocol == "relay"):
            return None
        return Tap(self, telemetry, protocol, peer, port, is_open=is_wanted)

    def wants(self, protocol: str, peer: str, account: str) -> bool:
        """Return whether the conversation of a peer, who may have signed in, is wanted."""
        if protocol not in self._protocols:
            return False
        if not self._networks and not self._accounts:
            return True
        if account and not self._accounts.isdisjoint({account, "@" + account.rpartition("@")[2]}):
            return True
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:  # a UNIX socket
            return False
        return any(address in network for network in self._networks)


class Tap:
    """Reports the lines of one connection. A door calls ``close`` never: a tap holds nothing but lines."""

    __slots__ = ("_account", "_event", "_generation", "_held", "_is_open", "_log", "_peer", "_port", "_telemetry")

    def __init__(
        self, log: ConversationLog, telemetry: Telemetry, protocol: str, peer: str, port: int, *, is_open: bool
    ) -> None:
        self._log = log
        self._telemetry = telemetry
        self._event = EVENTS_BY_PROTOCOL[protocol]
        self._peer = peer
        self._port = port
        self._account = ""
        self._is_open = is_open
        self._generation = log.generation
        self._held: list[tuple[str, str, int]] | None = None if is_open else []

    def report(self, direction: str, text: str, octets: int) -> None:
        """Report, hold or forget one line."""
        if self._generation != self._log.generation:
            self._look_again()
        if self._is_open:
            self._write(direction, text, octets)
        elif self._held is not None and len(self._held) < HELD:
            self._held.append((direction, text, octets))

    def signed_in(self, account: str) -> None:
        """The session is this account's from now on: report what was held, or forget it."""
        self._account = account
        self._look_again()
        held, self._held = self._held, None
        if self._is_open:
            for line in held or ():
                self._write(*line)

    def _look_again(self) -> None:
        self._generation = self._log.generation
        protocol = self._event.partition(".")[2]
        self._is_open = self._log.wants(protocol, self._peer, self._account)

    def _write(self, direction: str, text: str, octets: int) -> None:
        fields = {"account": self._account} if self._account else {}
        if len(text) > LONGEST:
            text = text[:LONGEST] + "..."
        self._telemetry.event(
            self._event, direction=direction, text=text, octets=octets, peer=self._peer, port=self._port, **fields
        )
