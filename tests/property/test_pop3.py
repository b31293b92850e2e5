"""POP3: commands and messages survive their forms, and splits of the input change nothing."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.pop3.grammar import Command, format_command, parse_command
from posthouse.protocols.pop3.session import Pop3Session
from posthouse.protocols.pop3.stuffing import DotStuffer, first_lines, unstuff
from posthouse.protocols.pop3.types import ConnectionEnding, Maildrop, SessionConfig, StartTlsRequested
from posthouse.protocols.sasl.mechanism import CredentialsOffered

LINES = st.sampled_from(
    [
        b"USER a",
        b"PASS b",
        b"STAT",
        b"LIST",
        b"LIST 1",
        b"UIDL",
        b"RETR 1",
        b"TOP 2 1",
        b"DELE 1",
        b"RSET",
        b"NOOP",
        b"CAPA",
        b"AUTH",
        b"AUTH PLAIN",
        b"AGEAYg==",
        b"*",
        b"QUIT",
        b"STLS",
        b"",
        b"x" * 5000,
        b"\x00",
        b"LIST 99999999999",
    ]
)
TEXT = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"..", b"\r\n."])).map(b"".join)


@given(st.binary(max_size=100))
def test_any_line_is_a_command_or_a_fault(line) -> None:
    """Any octets give a command that is printed as it was read, or a SyntaxFault."""
    try:
        command = parse_command(line)
    except SyntaxFault:
        return
    assert parse_command(format_command(command)) == command
    assert isinstance(command, Command)


@given(TEXT, st.lists(st.integers(0, 40), max_size=5))
def test_stuffing_is_undone_and_independent_of_chunks(message, cuts) -> None:
    """However a message is cut, it is sent the same, and unstuffing gives it back with a CRLF at its end."""
    whole = DotStuffer()
    expected = whole.stuff(message) + whole.end()
    pieces, stuffer, at = [], DotStuffer(), 0
    for cut in [*sorted(cuts), len(message)]:
        pieces.append(stuffer.stuff(message[at:cut]))
        at = max(at, cut)
    assert b"".join(pieces) + stuffer.end() == expected
    assert unstuff(expected) == (message if not message or message.endswith(b"\r\n") else message + b"\r\n")
    assert b"\n.\r\n" not in expected[:-3]


@given(TEXT, st.integers(0, 5))
def test_first_lines_are_the_first_lines(text, lines) -> None:
    """As many lines as wanted, or all there are, and the count of what is missing."""
    part, missing = first_lines(text, lines)
    expected = [line + b"\n" for line in text.split(b"\n")[:-1]][:lines]
    assert part == (b"".join(expected) if missing == 0 else text)
    assert missing == lines - min(lines, text.count(b"\n"))


def play(pieces: list[bytes]) -> tuple[bytes, list[object]]:
    """Return what a session with a small maildrop says to these pieces, and its events."""
    session = Pop3Session(SessionConfig(hostname="h", offers_tls=True, auth_in_clear=True))
    said, events = [], []
    for piece in pieces:
        session.receive_data(piece)
        while (event := session.next_event()) is not None:
            events.append(event)
            if isinstance(event, CredentialsOffered):
                session.open_maildrop(Maildrop(1, array("I", [3, 5]), array("Q", [10, 20])))
            elif isinstance(event, StartTlsRequested | ConnectionEnding):
                return b"".join([*said, session.data_to_send()]), [type(event) for event in events]
            elif hasattr(event, "uids"):
                session.deletions_done(succeeded=True)
            else:
                session.begin_message(3)
                session.add_content(b".a\r\n")
                session.end_message()
        said.append(session.data_to_send())
    return b"".join(said), [type(event) for event in events]


@given(st.lists(LINES, max_size=30), st.lists(st.integers(1, 60), max_size=30))
def test_splits_change_nothing(lines, cuts) -> None:
    """Whole, byte by byte or cut anywhere: the same replies and events."""
    data = b"".join(line + b"\r\n" for line in lines)
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(data[at : at + cut])
        at += cut
    pieces.append(data[at:])
    assert play(pieces) == play([data])
    assert play([data[i : i + 1] for i in range(len(data))]) == play([data])
