"""The server session: what dialogues cannot show (events, answers out of turn, back pressure, closing)."""

import pytest

from posthouse.core.address import Address
from posthouse.core.envelope import MailParameters, RcptParameters
from posthouse.core.outcome import defer, done, reject
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.protocols.smtp.session import SmtpSession
from posthouse.protocols.smtp.states import STATES, State
from posthouse.protocols.smtp.types import (
    AbuseKind,
    BareNewline,
    ConnectionEnding,
    DataChunk,
    DataEnded,
    DataRefused,
    DataRequested,
    HelloReceived,
    MailRequested,
    ProtocolAbuse,
    RcptRequested,
    ServiceClass,
    SessionConfig,
    StartTlsRequested,
    TransactionReset,
)

HELLO = b"EHLO c.test\r\n"
MAIL = b"MAIL FROM:<a@b.test>\r\n"
RCPT = b"RCPT TO:<c@d.test>\r\n"
OK = done()


def start(*data, **config):
    session = SmtpSession(SessionConfig(**({"hostname": "h.test"} | config)))
    session.greet()
    session.data_to_send()
    session.receive_data(b"".join(data))
    return session


def drain(session, outcome=OK):
    """Take all events, answering requests."""
    events = []
    while (event := session.next_event()) is not None:
        events.append(event)
        if isinstance(event, CredentialsOffered):
            session.answer_auth(outcome)
        elif isinstance(event, MailRequested | RcptRequested | DataRequested | DataEnded):
            session.answer(outcome)
    return events


def kinds(events):
    return [type(event) for event in events]


def test_events_of_a_message():
    """Each step of a message is an event, and the content comes in pieces that join to the message."""
    session = start(HELLO, MAIL, RCPT, b"DATA\r\n")
    assert drain(session) == [
        HelloReceived("c.test", "EHLO"),
        MailRequested(Address("a", "b.test"), MailParameters()),
        RcptRequested(Address("c", "d.test"), RcptParameters()),
        DataRequested(is_chunked=False),
    ]
    session.receive_data(b"a\r\n..b")
    assert drain(session) == [DataChunk(b"a\r\n.b")]
    session.receive_data(b"\r\n.\r\nQUIT\r\n")
    assert drain(session) == [
        DataChunk(b"\r\n"),
        DataEnded(7),
        ConnectionEnding(is_quit=True),
    ]
    assert session.is_closed


def test_a_request_pauses_the_session():
    """Behind a request nothing is read until it is answered; an answer nobody waits for changes nothing."""
    session = start(HELLO, MAIL, RCPT)
    session.next_event()
    session.data_to_send()
    assert isinstance(session.next_event(), MailRequested)
    assert session.next_event() is None
    assert session.data_to_send() == b""
    session.answer_auth(OK)
    session.answer_recipients([])
    assert session.next_event() is None
    session.answer(OK)
    session.answer(OK)
    assert isinstance(session.next_event(), RcptRequested)
    assert session.data_to_send() == b"250 2.1.0 Ok\r\n"


def test_an_answer_before_its_request_is_a_mistake_of_ours():
    """While the last piece of content is still to be taken, the message cannot be answered."""
    session = start(HELLO, MAIL, RCPT, b"BDAT 1 LAST\r\na")
    while not isinstance(event := session.next_event(), DataChunk):
        session.answer(OK) if not isinstance(event, HelloReceived) else None
    with pytest.raises(ValueError, match="not taken"):
        session.answer(OK)
    assert session.next_event() == DataEnded(1)
    session.answer(OK)
    session.receive_data(MAIL + RCPT + b"BDAT 1 LAST\r\na")
    while not isinstance(session.next_event(), DataChunk):
        session.answer(OK)
    session.answer(defer("Gone", code=421))
    assert drain(session) == [ConnectionEnding(is_quit=False)]


def test_envelope_holds_granted_recipients():
    """The envelope has what was granted, in order."""
    session = start(HELLO, MAIL, RCPT, b"RCPT TO:<no@d.test>\r\n", b"RCPT TO:<e@f.test>\r\n")
    while (event := session.next_event()) is not None:
        is_bad = isinstance(event, RcptRequested) and event.address.local_part == "no"
        session.answer(reject("No") if is_bad else OK)
    assert [str(each.address) for each in session.envelope.recipients] == ["c@d.test", "e@f.test"]
    assert session.is_in_transaction


def test_reset_is_told():
    """RSET, EHLO and a refused DATA tell that the transaction is gone."""
    for last in (b"RSET\r\n", HELLO):
        events = drain(start(HELLO, MAIL, RCPT, last))
        assert TransactionReset in kinds(events)
    session = start(HELLO, MAIL, RCPT, b"DATA\r\n")
    events = []
    while (event := session.next_event()) is not None:
        events.append(event)
        session.answer(defer("Later") if isinstance(event, DataRequested) else OK)
    assert kinds(events)[-1] is TransactionReset
    assert not session.is_in_transaction


def test_refused_content_is_told():
    """A message that the protocol refuses is told with its outcome; abuse is told beside it."""
    session = start(HELLO, MAIL, RCPT, b"DATA\r\n")
    drain(session)
    session.receive_data(b"a\nb\r\n.\r\n")
    events = drain(session)
    assert kinds(events) == [ProtocolAbuse, DataRefused]
    assert events[1].outcome.code == 550


def test_repair_gives_clean_content():
    """With repair the message is given on with CRLF only."""
    session = start(HELLO, MAIL, RCPT, b"DATA\r\n", bare_newline=BareNewline.REPAIR)
    drain(session)
    session.receive_data(b"a\nb\r\n.\r\n")
    assert drain(session) == [DataChunk(b"a\r\nb\r\n"), DataEnded(6)]


WITH = [
    pytest.param(b"HELO c\r\n", {}, "SMTP", id="HELO"),
    pytest.param(HELLO, {}, "ESMTP", id="EHLO"),
    pytest.param(HELLO, {"tls_active": True}, "ESMTPS", id="TLS"),
    pytest.param(b"LHLO c\r\n", {"service_class": ServiceClass.LMTP}, "LMTP", id="LMTP"),
    pytest.param(
        HELLO + b"AUTH PLAIN AGEAYg==\r\n",
        {"mechanisms": ("PLAIN",), "tls_active": True},
        "ESMTPSA",
        id="TLS and AUTH",
    ),
    pytest.param(HELLO + b"MAIL FROM:<a@b.test> SMTPUTF8\r\n", {}, "UTF8SMTP", id="SMTPUTF8"),
    pytest.param(
        b"LHLO c\r\nMAIL FROM:<a@b.test> SMTPUTF8\r\n",
        {"service_class": ServiceClass.LMTP},
        "UTF8LMTP",
        id="SMTPUTF8 over LMTP",
    ),
]


@pytest.mark.parametrize(("data", "config", "word"), WITH)
def test_with_protocol(data, config, word):
    """The word of the Received line is that of the registry (RFC 3848, RFC 6531 §4.3)."""
    session = start(data, **config)
    drain(session)
    assert session.with_protocol == word


def test_credentials_are_offered_and_answered():
    """AUTH asks by an event; a refusal is the service's, and the password is in no repr."""
    config = {"mechanisms": ("PLAIN",), "tls_active": True}
    session = start(HELLO, b"AUTH PLAIN AGEAYnV0dGVy\r\n", **config)
    session.next_event()
    session.data_to_send()
    event = session.next_event()
    assert event == CredentialsOffered(mechanism="PLAIN", authzid="", login="a", password="butter")
    assert "butter" not in repr(event)
    session.answer(OK)
    session.answer_auth(defer("Directory away", code=454))
    assert session.data_to_send() == b"454 4.3.0 Directory away\r\n"
    assert not session.is_authenticated
    session.receive_data(b"AUTH PLAIN AGEAYg==\r\n")
    session.next_event()
    session.answer_auth(defer("Go away", code=421))
    assert session.is_closed


def test_an_auth_line_may_be_long():
    """A SASL response may have 12288 octets, a command may not; 5.5.6 is for the former (RFC 4954 §4, §6)."""
    session = start(HELLO, b"AUTH PLAIN\r\n", b"A" * 8000 + b"\r\n", mechanisms=("PLAIN",), tls_active=True)
    drain(session)
    assert session.data_to_send().endswith(b"334 \r\n501 5.5.2 Cannot decode response\r\n")
    session.receive_data(b"NOOP " + b"A" * 8000 + b"\r\nAUTH PLAIN\r\n" + b"A" * 13_000 + b"\r\nNOOP\r\n")
    drain(session)
    assert [line[:9] for line in session.data_to_send().split(b"\r\n")] == [
        b"500 5.5.2",
        b"334 ",
        b"500 5.5.6",
        b"250 2.0.0",
        b"",
    ]


def test_octets_before_tls_are_dropped_and_told():
    """What arrives behind STARTTLS is told as abuse once and never read (CVE-2011-0411)."""
    session = start(HELLO, b"STARTTLS\r\nRSET\r\n", offers_tls=True)
    assert kinds(drain(session)) == [HelloReceived, ProtocolAbuse, StartTlsRequested]
    session.receive_data(b"MAIL FROM:<x@y.test>\r\n")
    session.receive_data(b"more")
    assert drain(session) == [ProtocolAbuse(AbuseKind.BYTES_BEFORE_TLS)]
    session.tls_started()
    session.data_to_send()
    assert (session.is_tls, session.hello_name, session.state) == (True, "", State.CONNECTED)
    session.receive_data(b"MAIL FROM:<x@y.test>\r\n")
    assert drain(session) == []
    assert session.data_to_send().startswith(b"503")


def test_greeting_and_refusal():
    """Early talkers are told; a refusal stands in place of the greeting and ends the session."""
    session = SmtpSession(SessionConfig(hostname="h.test"))
    session.receive_data(HELLO)
    assert session.next_event() is None
    session.greet()
    session.greet()
    assert kinds(drain(session)) == [ProtocolAbuse, HelloReceived]
    assert session.data_to_send().count(b"220 ") == 1
    session = SmtpSession(SessionConfig(hostname="h.test"))
    session.refuse(reject("No", code=554))
    session.greet()
    assert session.data_to_send() == b"554 5.7.1 No\r\n"
    assert drain(session) == [ConnectionEnding(is_quit=False)]


def test_shutdown_waits_for_the_answer():
    """A message that is being committed gets its reply before 421; the session does not lose it."""
    session = start(HELLO, MAIL, RCPT, b"DATA\r\n")
    drain(session)
    session.receive_data(b"a\r\n.\r\n")
    session.data_to_send()
    session.next_event()
    assert isinstance(session.next_event(), DataEnded)
    session.shutdown()
    assert session.data_to_send() == b""
    session.answer(done("Taken"))
    assert session.data_to_send().startswith(b"250 2.0.0 Taken\r\n421 4.3.2")
    assert session.is_closed
    session.time_out()
    session.receive_data(HELLO)
    assert drain(session) == [ConnectionEnding(is_quit=False)]


def test_421_from_a_service_ends_the_session():
    """A service may end the session with its answer."""
    session = start(HELLO, MAIL)
    session.next_event()
    session.next_event()
    session.answer(defer("Go away", code=421))
    assert drain(session) == [ConnectionEnding(is_quit=False)]


def test_lmtp_wants_an_outcome_for_each_recipient():
    """Too few or too many outcomes are our mistake; one outcome for all is repeated."""
    session = start(b"LHLO c\r\n", MAIL, RCPT, RCPT, b"BDAT 1 LAST\r\na", service_class=ServiceClass.LMTP)
    while not isinstance(event := session.next_event(), DataEnded):
        session.answer(OK) if not isinstance(event, HelloReceived | DataChunk) else None
    with pytest.raises(ValueError, match="2 recipients"):
        session.answer_recipients([OK])
    session.data_to_send()
    session.answer(done("Taken"))
    assert session.data_to_send() == b"250 2.0.0 Taken\r\n" * 2


def test_back_pressure():
    """A paused session says when it is full, and ends where the door does not heed it."""
    session = start(HELLO, MAIL, receive_buffer=100)
    session.next_event()
    session.next_event()
    assert not session.is_full
    session.receive_data(b"x" * 100)
    assert session.is_full
    session.receive_data(b"x" * 400)
    assert not session.is_closed
    session.receive_data(b"x")
    assert kinds(drain(session)) == [ProtocolAbuse, ConnectionEnding]


def test_recipients_without_end():
    """A client that goes on after 452 a thousand times is cut off."""
    session = start(HELLO, MAIL, max_recipients=1)
    drain(session)
    for _ in range(1003):
        session.receive_data(RCPT)
        drain(session)
    assert session.is_closed
    replies = session.data_to_send().split(b"\r\n")
    assert replies[-3:] == [b"452 4.5.3 Too many recipients", b"421 4.7.0 Too many errors", b""]


def test_a_message_that_is_taken_forgives_errors():
    """Errors count since the last message that was taken."""
    session = start(HELLO, error_limit=3)
    for _ in range(3):
        session.receive_data(b"WHAT\r\nWHAT\r\n" + MAIL + RCPT + b"BDAT 1 LAST\r\na")
        drain(session)
    assert not session.is_closed


def test_every_state_that_reads_commands_knows_every_verb():
    """The table has no holes: a verb known in one state is known in all."""
    verbs = {frozenset(rules) for rules in STATES.values()}
    assert len(verbs) == 1


def test_a_command_without_an_end_ends_the_session():
    """A peer that sends octets where a command is due, and no CRLF, is told 421 and reported, before its line ends."""
    session = start(HELLO)
    drain(session)
    session.data_to_send()
    events = []
    for _ in range(40):
        session.receive_data(b"x" * 65_536)
        events += drain(session)
        if session.is_closed:
            break
    assert session.is_closed
    assert session.data_to_send().startswith(b"421 4.5.2 ")
    assert kinds(events) == [ProtocolAbuse, ConnectionEnding]
    assert events[0].kind is AbuseKind.LONG_LINE
