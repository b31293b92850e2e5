"""Replies: formatting ours, reading theirs."""

import pytest

from posthouse.core import status
from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.core.outcome import Outcome, defer, done, reject
from posthouse.core.status import Detail, Disposition
from posthouse.protocols.smtp.reply import (
    ReplyReader,
    disposition_of,
    enhanced_of,
    format_outcome,
    outcome_of,
    reply_of,
)
from posthouse.protocols.smtp.types import Reply

FORMATTED = [
    pytest.param(done(), {}, b"250 2.0.0 Ok\r\n", id="plain"),
    pytest.param(done(), {"detail": Detail(1, 5)}, b"250 2.1.5 Ok\r\n", id="detail of the command"),
    pytest.param(done(), {"enhanced": False}, b"250 Ok\r\n", id="no enhanced codes"),
    pytest.param(defer("Later"), {"detail": Detail(1, 5)}, b"451 4.3.0 Later\r\n", id="temporary"),
    pytest.param(reject("No\0\x7f!"), {}, b"550 5.7.1 No??!\r\n", id="control characters"),
    pytest.param(reject("Né"), {}, b"550 5.7.1 N\xc3\xa9\r\n", id="UTF-8"),
    pytest.param(Outcome(354, status.OTHER, "Go"), {}, b"354 2.0.0 Go\r\n", id="3xx has class 2"),
]


@pytest.mark.parametrize(("outcome", "how", "line"), FORMATTED)
def test_format_outcome(outcome, how, line):
    """An outcome becomes one clean line with the enhanced code of its class."""
    assert format_outcome(outcome, **how) == line


def test_a_long_text_is_cut():
    """A line we send has at most 512 octets and no half character."""
    line = format_outcome(reject("é" * 600))
    assert len(line) <= 512
    line.decode("utf-8")


def read(data):
    reader = ReplyReader()
    reader.receive(data)
    return reader.next_reply()


READ = [
    pytest.param(b"250 ok\r\n", Reply(code=250, lines=(b"ok",)), id="one line"),
    pytest.param(b"250\r\n", Reply(code=250, lines=(b"",)), id="a bare code"),
    pytest.param(b"250-a\r\n250-\r\n250 c\r\n", Reply(code=250, lines=(b"a", b"", b"c")), id="three lines"),
    pytest.param(b"250-a\r\n", None, id="not ended"),
    pytest.param(b"250 a", None, id="no line end"),
]
FAULTS = [
    pytest.param(b"250 ok\n", SyntaxFault, id="LF alone"),
    pytest.param(b"250 a\rb\r\n", SyntaxFault, id="CR alone"),
    pytest.param(b"HTTP/1.1 400\r\n", SyntaxFault, id="no reply"),
    pytest.param(b"650 x\r\n", SyntaxFault, id="code out of range"),
    pytest.param(b"2500 x\r\n", SyntaxFault, id="four digits"),
    pytest.param(b"250-a\r\n251 b\r\n", SyntaxFault, id="code changes"),
    pytest.param(b"250-a\r\n" * 300, LimitFault, id="too many lines"),
    pytest.param(b"250 " + b"x" * 5000, LimitFault, id="a line without end"),
    pytest.param(b"250 " + b"x" * 5000 + b"\r\n", LimitFault, id="a long line"),
]


@pytest.mark.parametrize(("data", "reply"), READ)
def test_read_reply(data, reply):
    """A whole reply is returned, a part of one is awaited."""
    assert read(data) == reply


@pytest.mark.parametrize(("data", "fault"), FAULTS)
def test_what_is_no_reply(data, fault):
    """What is no reply, or too much of one, is a named fault."""
    with pytest.raises(fault):
        read(data)


ENHANCED = [
    pytest.param(550, b"5.1.1 no", Detail(1, 1), id="given"),
    pytest.param(550, b"4.1.1 no", None, id="class disagrees"),
    pytest.param(550, b"no", None, id="none"),
    pytest.param(550, b"5.1.1", Detail(1, 1), id="nothing else"),
    pytest.param(550, b"\xff", None, id="binary"),
]


@pytest.mark.parametrize(("code", "line", "detail"), ENHANCED)
def test_enhanced_of(code, line, detail):
    """The enhanced code is believed where it agrees with the reply's class."""
    assert enhanced_of(Reply(code=code, lines=(line,))) == detail


def test_outcomes_and_replies():
    """A reply becomes an outcome with one clean line; an outcome of ours becomes a reply."""
    outcome = outcome_of(Reply(code=452, lines=(b"4.2.2 full\t", b"4.2.2 \0come back")))
    assert (outcome.code, outcome.detail_code, outcome.is_temporary) == (452, Detail(2, 2), True)
    assert "\n" not in outcome.public_text
    reply = reply_of(reject("No", detail_code=Detail(6, 7)))
    assert (reply.code, reply.text, reply.is_permanent) == (550, "5.6.7 No", True)
    assert enhanced_of(reply) == Detail(6, 7)
    codes = {250: Disposition.DONE, 450: Disposition.TEMPORARY, 550: Disposition.PERMANENT}
    assert {code: disposition_of(Reply(code=code)) for code in codes} == codes
