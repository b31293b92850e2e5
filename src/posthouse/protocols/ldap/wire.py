"""Framing: where one LDAP message ends and the next begins.

The length that the other side writes is believed only up to ``limit``; what is held never grows beyond it.
RFC 4511 §5.2. Tests: ``tests/unit/protocols/ldap/test_ldap_ber.py``.
"""

from __future__ import annotations

from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.protocols.ldap import ber

MESSAGE_SIZE = 4 * 1024 * 1024


class MessageSplitter:
    """Gathers octets and hands out whole messages."""

    def __init__(self, limit: int = MESSAGE_SIZE) -> None:
        self._limit = limit
        self._held = bytearray()

    @property
    def held(self) -> int:
        """How many octets of an unfinished message are held."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that these octets complete.

        Raises: SyntaxFault: what comes is no LDAP message; LimitFault: it is longer than the limit.
        """
        self._held += data
        found: list[bytes] = []
        at, end = 0, len(self._held)
        while at < end:
            if self._held[at] != ber.SEQUENCE:
                raise SyntaxFault("no LDAP message begins here", where="ldap.wire", offset=at)
            head = ber.header(self._held, at, end)
            if head is None:
                break
            stop = head[1] + head[2]
            if stop - at > self._limit:
                raise LimitFault(f"a message of {stop - at} octets", where="ldap.wire")
            if stop > end:
                break
            found.append(bytes(self._held[at:stop]))
            at = stop
        del self._held[:at]
        return found
