"""any bytes give replies, events or a named fault, in bounded memory, never another exception.

The first octet says how the rest is cut into pieces. Sign-in always succeeds; every message is a line with dots.
"""

from __future__ import annotations

from array import array

from posthouse.core import limits
from posthouse.protocols.pop3.session import Pop3Session
from posthouse.protocols.pop3.types import (
    ConnectionEnding,
    DeletionsRequested,
    Maildrop,
    MessageRequested,
    SessionConfig,
    StartTlsRequested,
)
from posthouse.protocols.sasl.mechanism import CredentialsOffered


def target(data: bytes) -> None:
    """Run one session over the data."""
    step = (data[0] if data else 0) + 1
    session = Pop3Session(SessionConfig(hostname="h", offers_tls=True, auth_in_clear=True))
    session.greet()
    for at in range(1, len(data), step):
        session.receive_data(data[at : at + step])
        while (event := session.next_event()) is not None:
            if not answer(session, event):
                return
        assert len(session.data_to_send()) <= 1_000_000
        assert len(session._buffer) <= limits.SMTP_AUTH_LINE + step


def answer(session: Pop3Session, event: object) -> bool:
    """Answer as a door would; return whether the session goes on."""
    if isinstance(event, CredentialsOffered):
        session.open_maildrop(Maildrop(7, array("I", [1, 9]), array("Q", [4, 4])))
    elif isinstance(event, MessageRequested):
        session.begin_message(4)
        session.add_content(b"..\r\n")
        session.end_message()
    elif isinstance(event, DeletionsRequested):
        session.deletions_done(succeeded=True)
    elif isinstance(event, StartTlsRequested):
        session.tls_started()
    return not isinstance(event, ConnectionEnding)
