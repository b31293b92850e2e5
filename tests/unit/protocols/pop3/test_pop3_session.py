"""The POP3 session alone: dialogues in memory, and what no dialogue shows."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path

import pytest

from posthouse.core import limits
from posthouse.protocols.pop3.session import Pop3Session
from posthouse.protocols.pop3.stuffing import unstuff
from posthouse.protocols.pop3.types import (
    ConnectionEnding,
    DeletionsRequested,
    Maildrop,
    MessageRequested,
    SessionConfig,
    StartTlsRequested,
    State,
)
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.testing.dialogue import run_dialogue, run_dialogue_bytewise

DIALOGUES = sorted((Path(__file__).parents[3] / "dialogues" / "pop3").glob("*.txt"))


def make_message(number: int, size: int) -> bytes:
    """Return a message of exactly that size, with lines of ten letters."""
    head = b"Subject: message %d\r\n\r\n" % number
    lines, rest = divmod(size - len(head), 12)
    if rest in {1, 2} and lines:
        lines, rest = lines - 1, rest + 12
    return head + b"xxxxxxxxxx\r\n" * lines + (b"x" * (rest - 2) + b"\r\n" if rest else b"")


class Peer:
    """A session with a mailbox in memory behind it."""

    def __init__(self, mailbox: dict[int, bytes], config: SessionConfig) -> None:
        self.mailbox = mailbox
        self.session = Pop3Session(config)
        self.session.greet()
        self.closed = False

    def step(self, name: str) -> None:
        assert name == "starttls"
        self.session.tls_started()

    def feed(self, data: bytes) -> bytes:
        self.session.receive_data(data)
        said = []
        while True:
            event = self.session.next_event()
            if event is not None:
                self.handle(event)
            elif self.session.is_held:
                said.append(self.session.data_to_send())
            else:
                return b"".join([*said, self.session.data_to_send()])

    def handle(self, event) -> None:
        session = self.session
        match event:
            case CredentialsOffered():
                if (event.login, event.password) == ("mrose", "tanstaaf"):
                    uids = array("I", self.mailbox)
                    session.open_maildrop(Maildrop(77, uids, array("Q", map(len, self.mailbox.values()))))
                else:
                    session.refuse_sign_in()
            case MessageRequested():
                self.send(self.mailbox.get(event.uid), event.lines)
            case DeletionsRequested():
                for uid in event.uids:
                    self.mailbox.pop(uid, None)
                session.deletions_done(succeeded=True)
            case ConnectionEnding():
                self.closed = True

    def send(self, message: bytes | None, lines: int | None) -> None:
        if message is None:
            self.session.refuse(is_gone=True)
            return
        self.session.begin_message(len(message) if lines is None else None)
        if lines is not None:
            end = message.index(b"\r\n\r\n") + 4
            message = message[:end] + b"".join(message[end:].splitlines(keepends=True)[:lines])
        for start in range(0, len(message), 7):
            self.session.add_content(message[start : start + 7])
        self.session.end_message()


def factory():
    """Return a make_peer whose sessions share one mailbox."""
    mailbox: dict[int, bytes] = {}

    def make_peer(config: Mapping[str, str]) -> Peer:
        if not make_peer.filled:
            sizes = [int(size) for size in config["messages"].split(",")]
            mailbox.update({uid: make_message(uid, size) for uid, size in enumerate(sizes, 1)})
            make_peer.filled = True
        tls = config.get("tls") == "yes"
        ways = tuple(config.get("auth", "PLAIN,LOGIN").split(","))
        return Peer(
            mailbox,
            SessionConfig(hostname="mail.example.test", offers_tls=tls, auth_in_clear=not tls, mechanisms=ways),
        )

    make_peer.filled = False
    return make_peer


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_dialogue(path) -> None:
    """A script holds with each client turn in one piece."""
    run_dialogue(path, factory())


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_dialogue_bytewise(path) -> None:
    """A script holds byte by byte."""
    run_dialogue_bytewise(path, factory())


def signed_in(*messages: bytes) -> Peer:
    """Return a peer in TRANSACTION."""
    mailbox = dict(enumerate(messages, 1))
    peer = Peer(mailbox, SessionConfig(hostname="h", auth_in_clear=True))
    peer.feed(b"USER mrose\r\nPASS tanstaaf\r\n")
    assert peer.session.state is State.TRANSACTION
    return peer


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b".",
        b".\r\n",
        b"..\r\n.\r\n",
        b"a\r\n.\r\nb\r\n",
        b"a\n.\r\nb\r\n",
        b"a\r\n.b",
        b"\r\n",
        b"\n",
        b"\r",
        b"a",
    ],
)
def test_messages_arrive_as_they_are(message) -> None:
    """Dots at the start of lines survive, no dot ends a message early, and a missing CRLF is added."""
    said = signed_in(message).feed(b"RETR 1\r\n")
    head, body = said.split(b"\r\n", 1)
    assert head == b"+OK %d octets" % len(message)
    assert body.endswith(b".\r\n")
    assert b"\n.\r\n" not in body[:-3]
    assert unstuff(body) == (message if message.endswith(b"\r\n") or not message else message + b"\r\n")


def test_early_bytes_after_stls_are_thrown_away() -> None:
    """What follows STLS in the clear is counted and never executed (CVE-2011-0411)."""
    peer = Peer({}, SessionConfig(hostname="h", offers_tls=True))
    peer.session.receive_data(b"STLS\r\nUSER mrose\r\nPASS tanstaaf\r\n")
    assert peer.session.next_event() == StartTlsRequested(early=27)
    peer.session.data_to_send()
    assert peer.session.next_event() is None
    peer.session.tls_started()
    assert peer.feed(b"") == b""
    assert peer.feed(b"PASS tanstaaf\r\n") == b"-ERR USER comes first\r\n"


def test_a_paused_session_says_when_it_is_full() -> None:
    """While an answer is awaited nothing is executed, and the door is told to stop reading."""
    session = Pop3Session(SessionConfig(hostname="h", auth_in_clear=True))
    session.receive_data(b"USER a\r\nPASS b\r\n" + b"NOOP\r\n" * 20_000)
    assert isinstance(session.next_event(), CredentialsOffered)
    assert session.next_event() is None
    assert session.is_full
    session.open_maildrop(Maildrop(1, array("I"), array("Q")))
    said = b""
    while session.next_event() is None and (more := session.data_to_send()):
        said += more
    assert said.count(b"+OK\r\n") == 20_001
    assert not session.is_full


def test_a_session_that_has_much_to_send_reads_nothing() -> None:
    """Commands behind a large reply wait until the reply was taken."""
    peer = signed_in(b"x" * limits.POP3_UNSENT + b"\r\n")
    peer.session.receive_data(b"RETR 1\r\nNOOP\r\n")
    peer.handle(peer.session.next_event())
    assert peer.session.is_held
    assert peer.session.next_event() is None
    assert peer.session.data_to_send().endswith(b"x\r\n.\r\n")
    assert not peer.session.is_held
    assert peer.session.next_event() is None
    assert peer.session.data_to_send() == b"+OK\r\n"


def test_an_endless_line_costs_no_memory() -> None:
    """A line without an end is dropped as it comes and answered once."""
    session = Pop3Session(SessionConfig(hostname="h"))
    for _ in range(1000):
        session.receive_data(b"x" * 10_000)
        assert session.next_event() is None
        assert len(session._buffer) <= limits.POP3_COMMAND_LINE
    session.receive_data(b"\r\nQUIT\r\n")
    assert session.next_event() == ConnectionEnding(is_quit=True)
    assert session.data_to_send() == b"-ERR Line too long\r\n+OK Bye\r\n"


def test_five_wrong_passwords_end_the_session() -> None:
    """A guesser has to connect again."""
    peer = Peer({}, SessionConfig(hostname="h", auth_in_clear=True))
    said = peer.feed(b"USER mrose\r\nPASS wrong\r\n" * 7)
    assert peer.closed
    assert said.count(b"[AUTH]") == 5


def test_passwords_keep_their_spaces_and_are_not_shown() -> None:
    """PASS takes the rest of the line, and the event hides it in its repr."""
    session = Pop3Session(SessionConfig(hostname="h", auth_in_clear=True))
    session.receive_data(b"USER a@b\r\nPASS two  words \r\n")
    event = session.next_event()
    assert isinstance(event, CredentialsOffered)
    assert event.password == "two  words "
    assert "words" not in repr(event)


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (lambda session: session.refuse(), b"-ERR [SYS/TEMP] "),
        (lambda session: session.refuse(is_gone=True), b"-ERR The message was removed"),
    ],
)
def test_messages_that_cannot_be_had(call, reply) -> None:
    """A message that is gone or unreadable is refused, and the session goes on."""
    peer = signed_in(b"x\r\n")
    peer.session.receive_data(b"RETR 1\r\nNOOP\r\n")
    assert peer.session.next_event() == MessageRequested(1)
    call(peer.session)
    assert peer.session.next_event() is None
    said = peer.session.data_to_send()
    assert said.startswith(reply)
    assert said.endswith(b"+OK\r\n")


def test_deletions_that_fail_are_told() -> None:
    """QUIT says so where the messages were not removed (RFC 1939 §6)."""
    peer = signed_in(b"x\r\n", b"y\r\n")
    peer.session.receive_data(b"DELE 2\r\nDELE 1\r\nQUIT\r\nNOOP\r\n")
    assert peer.session.next_event() == DeletionsRequested((1, 2))
    assert peer.session.state is State.UPDATE
    peer.session.deletions_done(succeeded=False)
    assert peer.session.next_event() == ConnectionEnding(is_quit=True)
    assert peer.session.data_to_send().endswith(b"-ERR [SYS/TEMP] Some messages were not removed\r\n")
    assert peer.session.next_event() is None


def test_a_sign_in_that_cannot_be_checked_is_temporary() -> None:
    """Where the directory is away, the client is told to come back (RFC 3206 §4)."""
    session = Pop3Session(SessionConfig(hostname="h", auth_in_clear=True))
    session.receive_data(b"USER a\r\nPASS b\r\n")
    session.next_event()
    session.refuse_sign_in(is_temporary=True)
    assert session.data_to_send().splitlines()[-1].startswith(b"-ERR [SYS/TEMP]")
    assert session.next_event() is None
