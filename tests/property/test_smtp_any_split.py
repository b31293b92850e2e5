"""SMTP: how octets are split changes nothing; dot-stuffing and its inverse; nothing but CRLF.CRLF ends the data."""

from hypothesis import given, settings
from hypothesis import strategies as st

from posthouse.core.outcome import done, reject
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.protocols.smtp.data import ContentGate, DataReceiver, DotStuffer, has_bare_newline
from posthouse.protocols.smtp.lines import ReceiveBuffer
from posthouse.protocols.smtp.session import SmtpSession
from posthouse.protocols.smtp.types import (
    BareNewline,
    DataChunk,
    DataEnded,
    DataRequested,
    MailRequested,
    RcptRequested,
    SessionConfig,
)

# Octets among which ends of data and bare newlines are frequent.
WIRE = st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.\r\n", b"\n.\n", b"a", b"MAIL FROM:<a@b>"])).map(
    b"".join
)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=50)
COMMANDS = st.lists(
    st.sampled_from(
        [
            b"EHLO c.test\r\n",
            b"MAIL FROM:<a@b.test>\r\n",
            b"RCPT TO:<c@d.test>\r\n",
            b"RCPT TO:<no@d.test>\r\n",
            b"BDAT 5\r\n",
            b"BDAT 3 LAST\r\n",
            b"a\r\nb\n",
            b"abc",
            b"RSET\r\n",
            b"NOOP\r\n",
            b"AUTH LOGIN\r\n",
            b"AUTH PLAIN AGEAYg==\r\n",
            b"*\r\n",
            b"QUIT\r\n",
            b"x\ny\r\n",
            b"x" * 100 + b"\r\n",
        ]
    ),
    max_size=20,
).map(b"".join)


def pieces(data, cuts):
    at = turn = 0
    while at < len(data):
        step = cuts[turn % len(cuts)]
        yield data[at : at + step]
        at += step
        turn += 1


def play(data_pieces):
    """Return what the session told (content joined) and what it said."""
    config = SessionConfig(
        hostname="h", command_line=60, max_size=40, mechanisms=("PLAIN", "LOGIN"), auth_in_clear=True, error_limit=6
    )
    session = SmtpSession(config)
    session.greet()
    told = []
    said = b""
    for piece in data_pieces:
        session.receive_data(piece)
        while (event := session.next_event()) is not None:
            if isinstance(event, DataChunk) and told and isinstance(told[-1], DataChunk):
                told[-1] = DataChunk(told[-1].data + event.data)
            else:
                told.append(event)
            if isinstance(event, RcptRequested) and event.address.local_part == "no":
                session.answer(reject("No"))
            elif isinstance(event, MailRequested | RcptRequested | DataRequested | DataEnded):
                session.answer(done())
            elif isinstance(event, CredentialsOffered):
                session.answer_auth(done())
        said += session.data_to_send()
    return told, said


@given(COMMANDS, CUTS)
def test_any_split_gives_the_same_session(data, cuts):
    """Events and replies do not depend on how the octets arrive."""
    whole_told, whole_said = play([data] if data else [])
    told, said = play(pieces(data, cuts))
    assert said == whole_said
    # A chunk that is refused later may have given some of its content before, or none where it came whole.
    assert [each for each in told if not isinstance(each, DataChunk)] == [
        each for each in whole_told if not isinstance(each, DataChunk)
    ]


def receive(wire, cuts, policy):
    receiver = DataReceiver(ContentGate(0, policy))
    content = b""
    consumed = 0
    for piece in pieces(wire, cuts):
        more, used = receiver.feed(piece)
        content += more
        if used >= 0:
            return content, consumed + used, receiver.gate.fault
        consumed += len(piece)
    return content, None, receiver.gate.fault


@settings(max_examples=300)
@given(WIRE, CUTS)
def test_data_ends_at_its_end_and_nowhere_else(wire, cuts):
    """The end is the first CRLF.CRLF (the CRLF of DATA counts); any bare newline before it refuses the message."""
    end = (b"\r\n" + wire).find(b"\r\n.\r\n")
    _, used, fault = receive(wire, cuts, BareNewline.REFUSE)
    assert used == (end + 3 if end >= 0 else None)
    if end >= 0:
        assert (fault is not None) == has_bare_newline(wire[: end + 3])
    content, used_too, fault = receive(wire, cuts, BareNewline.REPAIR)
    assert used_too == used
    assert fault is None
    assert not has_bare_newline(content)


@settings(max_examples=300)
@given(WIRE, CUTS, CUTS)
def test_stuffing_and_its_inverse(content, cuts, other_cuts):
    """What is stuffed is received again, with CRLF for every line end; what follows the end is not touched."""
    stuffer = DotStuffer()
    wire = b"".join([stuffer.feed(piece) for piece in pieces(content, cuts)]) + stuffer.finish()
    received, used, fault = receive(wire + b"QUIT\r\n", other_cuts, BareNewline.REFUSE)
    assert (used, fault) == (len(wire), None)
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert received == (lines if lines.endswith(b"\r\n") or not lines else lines + b"\r\n")


@given(st.binary(max_size=200) | WIRE, CUTS)
def test_lines_do_not_depend_on_splits(data, cuts):
    """Lines and faults of framing are the same for any split."""

    def read(data_pieces):
        buffer = ReceiveBuffer()
        lines = []
        for piece in data_pieces:
            buffer.append(piece)
            while (line := buffer.next_line(30)) is not None:
                lines.append(line)
            assert len(buffer) < 30
        return lines

    assert read(pieces(data, cuts)) == read([data])
