"""What of a conversation is shown, and what never is."""

from __future__ import annotations

import base64

import pytest

from posthouse.core.outcome import done
from posthouse.protocols.imap import masking as imap
from posthouse.protocols.imap.session import ImapSession
from posthouse.protocols.imap.types.state import OK
from posthouse.protocols.imap.types.state import SessionConfig as ImapConfig
from posthouse.protocols.pop3 import masking as pop3
from posthouse.protocols.smtp import masking as smtp
from posthouse.protocols.smtp.session import SmtpSession
from posthouse.protocols.smtp.types import SessionConfig as SmtpConfig

SECRET = b"hunter2-open-sesame"
CODED = base64.b64encode(b"\0anna\0" + SECRET)


class Shown:
    """Keeps what a mask reports."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.octets = {"C": 0, "S": 0}

    def __call__(self, direction: str, text: str, octets: int) -> None:
        self.lines.append(f"{direction} {text}")
        self.octets[direction] += octets


SMTP_LINES = [
    (b"EHLO mx.example.test", "EHLO mx.example.test"),
    (b"mail from:<a@b.test> SIZE=10", "mail from:<a@b.test> SIZE=10"),
    (b"RCPT TO: <c@d.test>", "RCPT TO: <c@d.test>"),
    (b"DATA", "DATA"),
    (b"BDAT 100 LAST", "BDAT 100 LAST"),
    (b"AUTH PLAIN", "AUTH PLAIN"),
    (b"AUTH PLAIN " + CODED, "AUTH PLAIN [hidden]"),
    (b"auth login " + CODED, "AUTH LOGIN [hidden]"),
    (b"AUTH " + CODED, "AUTH [hidden]"),
    (b"AUTH  PLAIN  " + CODED, "AUTH PLAIN [hidden]"),
    (CODED, f"[no command, {len(CODED)} octets]"),
    (b"NOOP " + SECRET, "NOOP [19 octets]"),
    (b"VRFY anna", "VRFY [4 octets]"),
    (b"help me with the secret", "HELP [18 octets]"),
    (b"PASS " + SECRET, "[no command, 24 octets]"),
    (b"Dear Anna, the secret is", "[no command, 24 octets]"),
    (b"EHLO two words", "[no command, 14 octets]"),
    (b"", "[no command, 0 octets]"),
]
POP3_LINES = [
    (b"USER anna", "USER anna"),
    (b"user anna " + SECRET, "USER anna [hidden]"),
    (b"PASS " + SECRET, "PASS [hidden]"),
    (b"pass two words", "PASS [hidden]"),
    (b"PASS", "PASS [hidden]"),
    (b"PASSWORD " + SECRET, "PASS [hidden]"),
    (b"APOP anna " + SECRET, "APOP anna [hidden]"),
    (b"AUTH PLAIN " + CODED, "AUTH PLAIN [hidden]"),
    (b"AUTH", "AUTH"),
    (b"TOP 1 10", "TOP 1 10"),
    (b"RETR " + SECRET, "[no command, 24 octets]"),
    (b"LOGIN anna " + SECRET, "[no command, 30 octets]"),
    (CODED, f"[no command, {len(CODED)} octets]"),
]
IMAP_LINES = [
    (b"a1 SELECT INBOX", "a1 SELECT INBOX"),
    (b"a1 login anna " + SECRET, "a1 LOGIN [hidden]"),
    (b'a1 LOGIN "anna" "' + SECRET + b'"', "a1 LOGIN [hidden]"),
    (b"a1 LOGIN {4}\r\nanna {19}\r\n" + SECRET, "a1 LOGIN [hidden]"),
    (b"a1 LOGIN anna ", "a1 LOGIN [hidden]"),
    (b"a1  LOGIN anna " + SECRET, "[no command, 34 octets]"),
    (b"LOGIN anna " + SECRET, "[no command, 30 octets]"),
    (b"a1 LOGN anna " + SECRET, "[no command, 32 octets]"),
    (b"a1 AUTHENTICATE PLAIN " + CODED, "a1 AUTHENTICATE PLAIN [hidden]"),
    (b"a1 AUTHENTICATE " + CODED, "a1 AUTHENTICATE [hidden]"),
    (CODED, f"[no command, {len(CODED)} octets]"),
    (b"a1 UID SEARCH TEXT {5+}\r\nhello SEEN", "a1 UID SEARCH TEXT [5 octets] SEEN"),
]


@pytest.mark.parametrize(("line", "shown"), SMTP_LINES)
def test_smtp_commands(line, shown) -> None:
    """Commands in their form are shown, what proves who somebody is never."""
    assert smtp.show_command(line) == shown


@pytest.mark.parametrize(("line", "shown"), POP3_LINES)
def test_pop3_commands(line, shown) -> None:
    """The same in POP3."""
    assert pop3.show_command(line) == shown


@pytest.mark.parametrize(("line", "shown"), IMAP_LINES)
def test_imap_commands(line, shown) -> None:
    """The same in IMAP, with literals."""
    assert imap.show_command(line) == shown


def smtp_session() -> tuple[SmtpSession, smtp.SmtpMask, Shown]:
    """Return a watched session that has greeted."""
    shown = Shown()
    mask = smtp.SmtpMask(shown)
    session = SmtpSession(SmtpConfig(hostname="mx.test", mechanisms=("PLAIN", "LOGIN"), tls_active=True))
    session.observe(mask)
    session.greet()
    return session, mask, shown


def talk(session: SmtpSession, mask: smtp.SmtpMask, *pieces: bytes) -> None:
    """Hand octets in and answer everything well."""
    for piece in pieces:
        session.receive_data(piece)
        while (event := session.next_event()) is not None:
            name = type(event).__name__
            if name == "CredentialsOffered":
                session.answer_auth(done("ok", code=235))
            elif name in {"MailRequested", "RcptRequested", "DataEnded"}:
                session.answer(done("ok"))
            elif name == "DataRequested":
                session.answer(done("go", code=354))
        if sent := session.data_to_send():
            mask.on_sent(sent)


def test_an_smtp_conversation() -> None:
    """SASL lines and challenges are hidden, mail data is counted, and every octet is accounted for."""
    session, mask, shown = smtp_session()
    pieces = [
        b"EHLO x.test\r\n",
        b"AUTH LOGIN\r\n",
        base64.b64encode(b"anna") + b"\r\n",
        base64.b64encode(SECRET) + b"\r\n",
        b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n",
        b"Subject: " + SECRET + b"\r\n\r\n" + SECRET,
        b"\r\nMAIL FROM:<" + SECRET + b"@b.test>\r\n.\r\nQUIT\r\n",
    ]
    talk(session, mask, *pieces)
    text = "\n".join(shown.lines)
    assert SECRET.decode() not in text
    assert CODED.decode() not in text
    assert base64.b64encode(SECRET).decode() not in text
    assert [line for line in shown.lines if line.startswith("C")] == [
        "C EHLO x.test",
        "C AUTH LOGIN",
        "C [hidden]",
        "C [hidden]",
        "C MAIL FROM:<a@b.test>",
        "C RCPT TO:<c@d.test>",
        "C DATA",
        f"C [{len(pieces[5]) + len(pieces[6]) - len(b'QUIT') - 2} octets]",
        "C QUIT",
    ]
    assert "S 334 [hidden]" in shown.lines
    assert shown.octets["C"] == sum(map(len, pieces))


def test_data_that_is_refused_is_not_shown() -> None:
    """A client that sends its message after DATA was refused shows nothing of it."""
    session, mask, shown = smtp_session()
    talk(session, mask, b"EHLO x.test\r\nDATA\r\n", b"Subject: " + SECRET + b"\r\n\r\nhelp " + SECRET + b"\r\n.\r\n")
    assert SECRET.decode() not in "\n".join(shown.lines)


def test_credentials_after_a_refused_auth_are_not_shown() -> None:
    """Blind clients send their password after AUTH was refused."""
    session, mask, shown = smtp_session()
    talk(session, mask, b"EHLO x.test\r\nAUTH CRAM-MD5\r\n" + CODED + b"\r\n" + b"x" * 13_000 + b"\r\n")
    assert CODED.decode() not in "\n".join(shown.lines)
    assert any("line: too long" in line for line in shown.lines)


def test_our_side_as_a_client() -> None:
    """Content is what lies between the begin that the driver tells and its end, however it is cut."""
    shown = Shown()
    mask = smtp.RelayMask(shown)
    mask.on_received(b"220 mx")
    mask.on_received(b".test\r\n250-mx.test\r\n250 OK\r\n334 " + CODED + b"\r\n")
    mask.on_sent(b"AUTH PLAIN " + CODED + b"\r\n" + CODED + b"\r\n")
    mask.on_sent(b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n")
    mask.begin_content()
    for piece in (SECRET + b"\r", b"\n..", SECRET, b"\r\n", b".", b"\r\nQUIT\r\n"):
        mask.on_sent(piece)
    mask.on_received(b"z" * 5000)
    text = "\n".join(shown.lines)
    assert SECRET.decode() not in text
    assert CODED.decode() not in text
    assert shown.lines[-3:] == ["C [47 octets]", "C QUIT", "S [5000 octets]"]


def test_pop3_messages_and_lists_are_counted() -> None:
    """What follows RETR is octets, what follows LIST lines; a refusal has neither."""
    shown = Shown()
    mask = pop3.Pop3Mask(shown)
    mask.on_sent(b"+OK ready\r\n")
    for line in (b"LIST", b"RETR 1", b"RETR 9", b"TOP 1 0", b"QUIT"):
        mask.on_line(line, is_secret=False)
    answers = (
        b"+OK\r\n1 10\r\n2 20\r\n.\r\n+OK 10 octets\r\n" + SECRET + b"\r\n..\r\n.\r\n-ERR No such message\r\n"
        b"+OK\r\n.\r\n+OK Bye\r\n"
    )
    for octet in answers:
        mask.on_sent(bytes([octet]))
    assert [line for line in shown.lines if line.startswith("S")] == [
        "S +OK ready",
        "S +OK",
        "S [2 lines]",
        "S +OK 10 octets",
        "S [28 octets]",
        "S -ERR No such message",
        "S +OK",
        "S [3 octets]",
        "S +OK Bye",
    ]
    assert shown.octets["S"] == len(answers) + len(b"+OK ready\r\n")


def test_pop3_challenges_are_hidden() -> None:
    """A continuation shows nothing, and a line of a SASL exchange neither."""
    shown = Shown()
    mask = pop3.Pop3Mask(shown)
    mask.on_line(b"AUTH LOGIN", is_secret=False)
    mask.on_sent(b"+ " + CODED + b"\r\n")
    mask.on_line(CODED, is_secret=True)
    mask.on_fault("line: too long", 0)
    assert shown.lines == ["C AUTH LOGIN", "S + [hidden]", "C [hidden]", "C [line: too long]"]


def test_imap_answers_hide_what_messages_say() -> None:
    """Literals are counted, and strings in FETCH responses hidden, however the octets are cut."""
    shown = Shown()
    mask = imap.ImapMask(shown)
    sent = (
        b"* OK ready\r\n+ OK\r\n+ " + CODED + b"\r\n"
        b'* 1 FETCH (ENVELOPE ("date" "' + SECRET + b'" NIL) BODY[] {21}\r\n' + SECRET + b"\r\n FLAGS (\\Seen))\r\n"
        b'* LIST () "/" "Sent"\r\na1 OK done\r\n'
    )
    for octet in sent:
        mask.on_sent(bytes([octet]))
    assert shown.lines == [
        "S * OK ready",
        "S + OK",
        "S + [hidden]",
        "S * 1 FETCH (ENVELOPE ([text] [text] NIL) BODY[] [21 octets] FLAGS (\\Seen))",
        'S * LIST () "/" "Sent"',
        "S a1 OK done",
    ]
    assert shown.octets["S"] == len(sent)


def test_an_imap_conversation() -> None:
    """LOGIN with literals, AUTHENTICATE, APPEND: neither password nor message is shown."""
    shown = Shown()
    session = ImapSession(ImapConfig(tls_active=True))
    session.observe(imap.ImapMask(shown))
    session.greet()
    session.receive_data(b"a0 AUTHENTICATE PLAIN\r\n")
    assert session.next_event() is None
    session.receive_data(CODED + b"\r\n")
    event = session.next_event()
    session.authenticated()
    session.complete(event.tag, OK, b"Logged in")
    session.receive_data(b"a1 APPEND INBOX (\\Seen) {21}\r\n")
    event = session.next_event()
    session.accept_append()
    session.receive_data(SECRET + b"\r\n\r\na2 IDLE\r\n")
    while (event := session.next_event()) is not None:
        if type(event).__name__ == "AppendEnded":
            session.complete(event.tag, OK, b"Done")
    session.receive_data(SECRET + b"\r\na3 LOGIN {4+}\r\nanna {19+}\r\n" + SECRET + b"\r\n")
    while (event := session.next_event()) is not None:
        if type(event).__name__ == "IdleDone":
            session.complete(b"a2", OK, b"Done")
    text = "\n".join(shown.lines)
    assert SECRET.decode() not in text
    assert CODED.decode() not in text
    assert shown.lines == [
        "C a0 AUTHENTICATE PLAIN",
        "C [hidden]",
        "C a1 APPEND INBOX (\\Seen) {21}",
        "C [21 octets]",
        "C a2 IDLE",
        "C [no command, 19 octets]",
        "C a3 LOGIN [hidden]",
    ]
