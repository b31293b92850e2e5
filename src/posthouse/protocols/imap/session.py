"""IMAP server session (signatures first; ``types/events.py`` tells how a door uses it)."""

from __future__ import annotations

from posthouse.protocols.imap.types.events import Event
from posthouse.protocols.imap.types.state import Condition, SessionConfig, State


class ImapSession:
    """The server's side of one connection."""

    state: State
    condstore: bool  # whether FETCH responses must carry MODSEQ from now on (RFC 7162 §3.1)
    is_tls: bool

    def __init__(self, config: SessionConfig) -> None:
        raise NotImplementedError

    def greet(self) -> None:
        """Queue ``* OK [CAPABILITY ...] greeting``."""

    def refuse(self, text: bytes) -> None:
        """Queue ``* BYE text`` instead of a greeting, and end."""

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer."""

    def next_event(self) -> Event | None:
        """Return the next event, or None while bytes or an answer are awaited."""

    def data_to_send(self) -> bytes:
        """Return and forget the bytes that are to be sent."""
        raise NotImplementedError

    @property
    def is_full(self) -> bool:
        """Whether the door should stop reading until the pending command is answered."""
        raise NotImplementedError

    @property
    def is_idle(self) -> bool:
        """Whether IDLE is under way: ``untagged`` may be called at any moment."""
        raise NotImplementedError

    def untagged(self, data: bytes) -> None:
        r"""Queue whole untagged responses, ready-made, each with its ``* `` and CRLF."""

    def complete(self, tag: bytes, condition: Condition, text: bytes, code: bytes | None = None) -> None:
        """Queue the tagged answer and go on to the next command; ``code`` without its brackets."""

    def accept_append(self) -> None:
        """Let the octets of the APPEND come: AppendChunk events follow, then AppendEnded."""

    def authenticated(self) -> None:
        """Credentials were right; then ``complete(tag, OK, b"Logged in", session.capability_code())``."""

    def selected(self, *, read_only: bool) -> None:
        """A mailbox is selected now."""

    def unselected(self) -> None:
        """No mailbox is selected now (CLOSE, UNSELECT, or a SELECT that failed)."""

    def tls_started(self) -> None:
        """The handshake is done."""

    def capability_code(self) -> bytes:
        """Return ``CAPABILITY IMAP4rev1 ...`` as it is now, for a response code."""
        raise NotImplementedError

    def bye(self, text: bytes) -> None:
        """Queue ``* BYE text`` and end: the server stops, or the client was silent too long."""
