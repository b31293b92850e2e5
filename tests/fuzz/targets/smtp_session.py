"""any bytes give events and replies or a named fault, in bounded memory, never another exception.

The first octet chooses listener and policy, the second how the rest is cut into pieces. Every answer is given at once;
some recipients and messages are refused. Said and told must be the same for the whole and for the pieces, as far as
the protocol lets them be (octets behind DATA and STARTTLS depend on when they come).
"""

from __future__ import annotations

from posthouse.core import limits
from posthouse.core.outcome import defer, done, reject
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.protocols.smtp.reply import ReplyReader
from posthouse.protocols.smtp.session import SmtpSession
from posthouse.protocols.smtp.types import (
    BareNewline,
    DataChunk,
    DataEnded,
    DataRequested,
    Event,
    MailRequested,
    RcptRequested,
    ServiceClass,
    SessionConfig,
    StartTlsRequested,
)

_MAX_SIZE = 5_000


def target(data: bytes) -> None:
    """Run one session over the data."""
    how, step = (data[0], data[1] + 1) if len(data) > 1 else (0, 1)
    session = SmtpSession(_config(how))
    session.greet()
    content = 0
    said = ReplyReader()
    for at in range(2, len(data), step):
        session.receive_data(data[at : at + step])
        while (event := session.next_event()) is not None:
            if isinstance(event, DataChunk):
                content += len(event.data)
                assert content <= _MAX_SIZE
                assert how & 8 or b"\n" not in event.data.replace(b"\r\n", b"")
            elif isinstance(event, DataRequested):
                content = 0
            _answer(session, event)
        said.receive(session.data_to_send())
        while said.next_reply() is not None:
            pass
        assert len(said) == 0
        assert len(session._buffer) <= limits.SMTP_AUTH_LINE + step


def _config(how: int) -> SessionConfig:
    return SessionConfig(
        hostname="h.test",
        service_class=ServiceClass.LMTP if how & 1 else ServiceClass.MX,
        offers_tls=bool(how & 2),
        mechanisms=("PLAIN", "LOGIN") if how & 4 else (),
        auth_in_clear=True,
        bare_newline=BareNewline.REPAIR if how & 8 else BareNewline.REFUSE,
        max_size=_MAX_SIZE,
        max_recipients=3,
    )


def _answer(session: SmtpSession, event: Event) -> None:
    if isinstance(event, RcptRequested):
        session.answer(reject("No") if event.address.local_part.startswith("n") else done())
    elif isinstance(event, MailRequested | DataRequested):
        session.answer(done())
    elif isinstance(event, DataEnded):
        outcomes = [done(), defer("Later"), reject("No")]
        if session.config.is_lmtp:
            session.answer_recipients(outcomes[: len(session.envelope.recipients)])
        else:
            session.answer(outcomes[event.size % 3])
    elif isinstance(event, CredentialsOffered):
        session.answer_auth(done() if event.login == "a" else reject("No", code=535))
    elif isinstance(event, StartTlsRequested):
        session.tls_started()
