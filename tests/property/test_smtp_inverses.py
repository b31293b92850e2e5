"""SMTP: what is formatted is parsed again, for paths, parameters, replies and xtext; any octets give a value or a fault."""

import string

from hypothesis import given
from hypothesis import strategies as st

from posthouse.core import status
from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import BodyType, MailParameters, Notify, RcptParameters, Ret
from posthouse.core.errors import Fault, SyntaxFault
from posthouse.core.outcome import Outcome
from posthouse.protocols.smtp.extensions.dsn import format_notify, parse_notify
from posthouse.protocols.smtp.grammar import (
    format_mail_parameters,
    format_path,
    format_rcpt_parameters,
    mail_arguments,
    rcpt_arguments,
)
from posthouse.protocols.smtp.reply import ReplyReader, enhanced_of, format_outcome, format_reply
from posthouse.protocols.smtp.types import Extension, SessionConfig
from posthouse.protocols.smtp.xtext import format_xtext, parse_xtext

CONFIG = SessionConfig(hostname="h")
EVERY = frozenset(Extension)
PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=20)
LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=10)
DOMAINS = st.lists(LABELS, min_size=1, max_size=3).map(".".join)
ADDRESSES = st.builds(
    Address, st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20), DOMAINS
)
MAIL_PARAMETERS = st.builds(
    MailParameters,
    size=st.none() | st.integers(0, 10**19),
    body=st.sampled_from([BodyType.SEVEN_BIT, BodyType.EIGHT_BIT]),
    smtputf8=st.booleans(),
    ret=st.none() | st.sampled_from(Ret),
    envid=st.none() | PRINTABLE.filter(lambda text: 0 < len(format_xtext(text)) <= 100),
    auth=st.none() | PRINTABLE.filter(bool),
)
NOTIFY = st.sampled_from(
    [Notify.NEVER, Notify.SUCCESS, Notify.FAILURE, Notify.DELAY, Notify.DEFAULT, Notify.SUCCESS | Notify.DEFAULT]
)
RCPT_PARAMETERS = st.builds(
    RcptParameters,
    notify=st.none() | NOTIFY,
    orcpt=st.none()
    | st.builds(lambda kind, text: f"{kind};{text}", st.sampled_from(["rfc822", "utf-8"]), PRINTABLE.filter(bool)),
)


@given(ADDRESSES)
def test_paths(address):
    """A path that was formatted is parsed to the same address."""
    assert parse_address(str(address)) == address
    found, _ = mail_arguments(b"FROM:" + format_path(address), CONFIG)
    assert found == address


@given(ADDRESSES | st.none(), MAIL_PARAMETERS)
def test_mail(path, parameters):
    """Arguments of MAIL that were formatted are parsed to the same values."""
    text = b"FROM:" + format_path(path) + format_mail_parameters(parameters, EVERY)
    assert mail_arguments(text, CONFIG) == (path, parameters)


@given(ADDRESSES, RCPT_PARAMETERS)
def test_rcpt(address, parameters):
    """Arguments of RCPT that were formatted are parsed to the same values, and are ASCII."""
    text = b"TO:" + format_path(address) + format_rcpt_parameters(parameters, EVERY)
    assert text.isascii()
    assert rcpt_arguments(text, CONFIG, is_utf8=False) == (address, parameters)


@given(st.binary(max_size=100), st.booleans())
def test_any_arguments(text, is_utf8):
    """Any octets give a value or a fault with a 5xx outcome."""
    for prefix in (b"", b"FROM:<", b"FROM:<a@b> "):
        try:
            mail_arguments(prefix + text, CONFIG)
        except Fault as fault:
            assert fault.outcome.is_permanent
    try:
        rcpt_arguments(b"TO:<" + text, CONFIG, is_utf8=is_utf8)
    except Fault as fault:
        assert fault.outcome.is_permanent


@given(PRINTABLE)
def test_xtext_inverse(text):
    """Text that was encoded as xtext is decoded to the same text."""
    assert parse_xtext(format_xtext(text)) == text


@given(st.binary(max_size=40))
def test_any_xtext(value):
    """Any octets are xtext of printable text, or a fault."""
    try:
        assert parse_xtext(value).isprintable()
    except SyntaxFault:
        pass


@given(NOTIFY)
def test_notify_inverse(notify):
    """NOTIFY that was formatted is parsed to the same flags."""
    assert parse_notify(format_notify(notify).removeprefix(b"NOTIFY=")) == notify


LINES = st.lists(st.binary(max_size=60).map(lambda line: line.translate(None, b"\r\n")), min_size=1, max_size=5)


@given(st.integers(200, 599), LINES, st.integers(1, 20))
def test_replies(code, lines, step):
    """A reply that was formatted is read again, whatever the split."""
    reader = ReplyReader()
    wire = format_reply(code, lines) + b"250 next\r\n"
    replies = []
    for start in range(0, len(wire), step):
        reader.receive(wire[start : start + step])
        while (reply := reader.next_reply()) is not None:
            replies.append((reply.code, list(reply.lines)))
    assert replies == [(code, lines), (250, [b"next"])]


@given(st.integers(200, 599), st.text().filter(lambda text: "\r" not in text and "\n" not in text))
def test_outcomes_are_one_reply(code, text):
    """Any outcome is one reply of one line with the class of its code, whatever its text holds."""
    outcome = Outcome(code, status.BAD_MAILBOX, text)
    reader = ReplyReader()
    wire = format_outcome(outcome)
    assert len(wire) <= 512
    reader.receive(wire)
    reply = reader.next_reply()
    assert reply is not None
    assert reply.code == code
    assert len(reader) == 0
    if code >= 400:
        assert enhanced_of(reply) == status.BAD_MAILBOX
