"""The IMAP session: pausing, pipelining, streaming, limits that a dialogue cannot show."""

from __future__ import annotations

from posthouse.core import limits
from posthouse.protocols.imap.session import ImapSession
from posthouse.protocols.imap.types import commands, events
from posthouse.protocols.imap.types.state import NO, OK, SessionConfig, State


def session_in(state: State, **config) -> ImapSession:
    session = ImapSession(SessionConfig(plaintext_allowed=True, **config))
    if state & State.SIGNED_IN:
        session.authenticated()
    if state is State.SELECTED:
        session.selected(read_only=False)
    return session


def test_one_command_at_a_time():
    """Pipelined commands wait until the one before is completed."""
    session = session_in(State.AUTHENTICATED)
    session.receive_data(b"a NOOP\r\nb NOOP\r\n")
    assert session.next_event() == events.CommandReceived(b"a", commands.Noop())
    assert session.next_event() is None
    session.complete(b"a", OK, b"Done")
    assert session.next_event() == events.CommandReceived(b"b", commands.Noop())
    assert session.data_to_send() == b"a OK Done\r\n"
    assert session.data_to_send() == b""


def test_full_while_waiting():
    """The door is told to stop reading when too much is pipelined."""
    session = session_in(State.AUTHENTICATED)
    session.receive_data(b"a NOOP\r\n" + b"b NOOP\r\n" * 40_000)
    session.next_event()
    assert session.is_full
    session.complete(b"a", OK, b"Done")
    assert not session.is_full


def test_commands_wait_until_answers_are_taken():
    """Commands that the session answers alone are held up when much is to be sent, and none is lost."""
    session = session_in(State.AUTHENTICATED)
    session.receive_data(b"a CAPABILITY\r\n" * 10_000)
    said = 0
    while session.next_event() is None and session.is_held:
        piece = session.data_to_send()
        assert len(piece) < 200_000
        said += piece.count(b"a OK")
    assert said + session.data_to_send().count(b"a OK") == 10_000


def test_a_large_answer_holds_up_the_next_command():
    """After a bulk of untagged responses the next command is read when they were taken."""
    session = session_in(State.SELECTED)
    session.receive_data(b"a SEARCH ALL\r\nb NOOP\r\n")
    session.next_event()
    session.untagged(b"* SEARCH" + b" 1" * 100_000 + b"\r\n")
    session.complete(b"a", OK, b"Done")
    assert session.next_event() is None
    session.data_to_send()
    assert session.next_event() == events.CommandReceived(b"b", commands.Noop())


def test_untagged_come_before_the_tag():
    """Responses go out in the order the driver gave them."""
    session = session_in(State.SELECTED)
    session.receive_data(b"a SEARCH ALL\r\n")
    session.next_event()
    session.untagged(b"* SEARCH 1\r\n")
    session.untagged(b"")
    session.complete(b"a", NO, b"Done", b"CODE")
    assert session.data_to_send() == b"* SEARCH 1\r\na NO [CODE] Done\r\n"


def test_message_is_streamed():
    """The octets of APPEND come in the pieces the door brought, none of them kept."""
    session = session_in(State.AUTHENTICATED, append_limit=10_000_000)
    session.receive_data(b"a APPEND INBOX {1000000}\r\n")
    started = session.next_event()
    assert isinstance(started, events.AppendStarted)
    assert started.size == 1_000_000
    assert session.data_to_send() == b""
    session.accept_append()
    assert session.data_to_send() == b"+ OK\r\n"
    piece = bytes(100_000)
    for _ in range(10):
        session.receive_data(piece)
        chunk = session.next_event()
        assert isinstance(chunk, events.AppendChunk)
        assert chunk.data is piece
        assert session.next_event() is None
        assert session._wire.held == 0
    session.receive_data(b"\r\n")
    assert session.next_event() == events.AppendEnded(b"a")


def test_append_given_up_in_the_middle():
    """A driver that cannot go on completes the command; what is left of the message is skipped."""
    session = session_in(State.AUTHENTICATED)
    session.receive_data(b"a APPEND INBOX {10+}\r\nabc")
    session.next_event()
    session.accept_append()
    assert session.next_event() == events.AppendChunk(b"abc")
    session.complete(b"a", NO, b"Disk full", b"UNAVAILABLE")
    session.receive_data(b"defghij\r\nb NOOP\r\n")
    assert session.next_event() == events.CommandReceived(b"b", commands.Noop())


def test_append_given_up_at_the_end():
    """The same where only the line end is left."""
    session = session_in(State.AUTHENTICATED)
    session.receive_data(b"a APPEND INBOX {3+}\r\nabc")
    session.next_event()
    session.accept_append()
    session.next_event()
    session.complete(b"a", NO, b"Disk full")
    session.receive_data(b"\r\nb NOOP\r\n")
    assert session.next_event() == events.CommandReceived(b"b", commands.Noop())


def test_condstore_by_use():
    """Using a mod-sequence turns CONDSTORE on (RFC 7162 §3.1)."""
    session = session_in(State.SELECTED)
    session.receive_data(b"a FETCH 1 (MODSEQ)\r\n")
    assert not session.condstore
    session.next_event()
    assert session.condstore


def test_long_line_is_not_kept():
    """A line without an end is thrown away as it comes, and ends the session where it goes on and on."""
    session = session_in(State.AUTHENTICATED)
    seen = []
    for _ in range(100):
        session.receive_data(bytes(10_000).replace(b"\0", b"x"))
        while (event := session.next_event()) is not None:
            seen.append(type(event))
        assert session._wire.held <= limits.IMAP_COMMAND_LINE + 10_000
    assert seen == [events.CommandRejected, events.SessionEnded]
    assert session.data_to_send().endswith(b"* BYE Too much data without a command\r\n")


def test_announced_size_takes_no_memory():
    """A refused literal is skipped as it comes."""
    session = session_in(State.AUTHENTICATED)
    session.receive_data(b"a SELECT {1000000+}\r\n")
    for _ in range(100):
        session.receive_data(bytes(10_000))
        while session.next_event() is not None:
            pass
        assert session._wire.held == 0
    session.receive_data(b"\r\nb NOOP\r\n")
    assert session.next_event() == events.CommandReceived(b"b", commands.Noop())


def test_literals_together_are_limited():
    """Many literals, each within its limit, together pass the limit of a command."""
    session = session_in(State.SELECTED)
    literal = b"{60000+}\r\n" + b"x" * 60_000
    session.receive_data(b"a SEARCH " + b" TEXT ".join([literal] * 10) + b"\r\n")
    assert session.next_event() == events.CommandRejected(b"a", "literal too large")
    session.receive_data(b"b NOOP\r\n")
    assert session.next_event() == events.CommandReceived(b"b", commands.Noop())


def test_literal_behind_a_long_line_is_no_command():
    """What a refused line announced is skipped with it, never executed."""
    session = session_in(State.AUTHENTICATED)
    session.receive_data(b"a SELECT " + b"x" * 70_000 + b" {8+}\r\nb NOOP\r\n\r\nc NOOP\r\n")
    assert session.next_event() == events.CommandRejected(b"a", "line too long")
    assert session.next_event() == events.CommandReceived(b"c", commands.Noop())


def test_nothing_after_the_end():
    """After BYE nothing is read, said or handed on."""
    session = session_in(State.AUTHENTICATED)
    session.bye(b"Stopping")
    session.bye(b"Stopping")
    assert session.next_event() == events.SessionEnded("bye")
    session.receive_data(b"a NOOP\r\n")
    session.complete(b"x", OK, b"Done")
    assert session.next_event() is None
    assert session.data_to_send() == b"* BYE Stopping\r\n"
    assert session.state is State.LOGOUT


def test_refused_at_the_door():
    """A door that is full says BYE and nothing else."""
    session = ImapSession(SessionConfig())
    session.refuse(b"Too many connections")
    assert session.data_to_send() == b"* BYE Too many connections\r\n"
    assert isinstance(session.next_event(), events.SessionEnded)


def test_long_sasl_line_ends_the_session():
    """A response over its limit is not read to its end."""
    session = session_in(State.NOT_AUTHENTICATED)
    session.receive_data(b"a AUTHENTICATE PLAIN\r\n" + b"x" * 20_000)
    assert isinstance(session.next_event(), events.SessionEnded)


def test_login_that_is_not_utf8():
    """Credentials that are no text are wrong credentials."""
    session = session_in(State.NOT_AUTHENTICATED)
    session.receive_data(b'a LOGIN "\xff" x\r\n')
    assert session.next_event() is None
    assert session.data_to_send().startswith(b"a NO [AUTHENTICATIONFAILED]")


def test_password_is_not_shown():
    """The event that carries a password does not print it."""
    session = session_in(State.NOT_AUTHENTICATED)
    session.receive_data(b"a LOGIN user hunter2\r\n")
    assert "hunter2" not in repr(session.next_event())


def test_append_in_the_wrong_state():
    """APPEND of a stranger is refused; a small literal that comes anyway is skipped, a large one ends the session."""
    session = session_in(State.NOT_AUTHENTICATED)
    session.receive_data(b"a APPEND x {3+}\r\nabc\r\nb NOOP\r\n")
    assert session.next_event() == events.CommandRejected(b"a", "wrong state")
    assert session.next_event() == events.CommandReceived(b"b", commands.Noop())
    session.complete(b"b", OK, b"Done")
    session.receive_data(b"c APPEND x {1000000+}\r\n")
    assert isinstance(session.next_event(), events.CommandRejected)
    assert isinstance(session.next_event(), events.SessionEnded)
