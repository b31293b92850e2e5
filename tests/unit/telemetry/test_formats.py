"""The forms of a log line."""

from __future__ import annotations

import json
import re

import pytest

from posthouse.telemetry.formats import FORMATS, make_formatter, make_json_formatter
from posthouse.telemetry.postfix import LINES, PostfixFormatter

NOW = 1_700_000_000.25


def test_json_lines() -> None:
    """One object a line: ts, level, event, then the fields in their order."""
    line = make_json_formatter()(NOW, "info", "door.opened", {"session": "s", "peer": "192.0.2.1"})
    assert line == (
        b'{"ts":"2023-11-14T22:13:20.250Z","level":"info","event":"door.opened","session":"s","peer":"192.0.2.1"}\n'
    )


def test_the_second_is_kept_and_renewed() -> None:
    """Lines of one second share its text; the next second gets its own."""
    form = make_json_formatter()
    stamps = [json.loads(form(NOW + add, "info", "x", {}))["ts"][-10:] for add in (0, 0.5, 0.749, 0.75)]
    assert stamps == ["13:20.250Z"[-10:], "13:20.750Z", "13:20.999Z", "13:21.000Z"]


@pytest.mark.parametrize(
    "value", [b"\xff\x00bytes", {"b", "a"}, 1 << 80, "\ud800", object(), None, 1.5, ["x"], {"k": b"v"}, ValueError("v")]
)
@pytest.mark.parametrize("form", FORMATS)
def test_any_value_gives_one_line(form, value) -> None:
    """Whatever a field holds, there is at most one line, and it is UTF-8."""
    line = make_formatter(form)(NOW, "info", "message.filed", {"to": "a@b.test", "reply": value})
    assert line.count(b"\n") == (1 if line else 0)
    line.decode("utf-8")
    if form == "json":
        json.loads(line)


def test_the_console_form_is_for_people() -> None:
    """The console line starts with the time and names the event and its fields."""
    line = make_formatter("console")(NOW, "warning", "door.idle", {"seconds": 5}).decode()
    assert re.match(r"\d\d:\d\d:\d\d \[warning", line)
    assert "door.idle" in line
    assert "seconds=5" in line


def test_lines_as_postfix_writes_them() -> None:
    """A received message gives the lines of smtpd, cleanup and qmgr, with the queue id."""
    form = PostfixFormatter("mail.example.test", 42)
    fields = {"queue_id": "ABC", "peer": "192.0.2.1", "message_id": "m@x", "from": "a@x.test", "size": 12}
    lines = form(NOW, "info", "message.received", {**fields, "recipients": 2}).decode().splitlines()
    bodies = [line.split(" mail ", 1)[1] for line in lines]
    assert bodies == [
        "posthouse/smtpd[42]: ABC: client=unknown[192.0.2.1]",
        "posthouse/cleanup[42]: ABC: message-id=<m@x>",
        "posthouse/qmgr[42]: ABC: from=<a@x.test>, size=12, nrcpt=2 (queue active)",
    ]


@pytest.mark.parametrize("name", LINES)
def test_postfix_lines_survive_missing_and_odd_fields(name) -> None:
    """No field is needed, and no line end gets through."""
    form = PostfixFormatter("h", 1)
    for fields in ({}, {"to": "a\nb", "reply": "x\r\ny", "peer": "p\nq", "from": "f\n", "message_id": "i\n"}):
        out = form(NOW, "info", name, fields)
        assert out.endswith(b"\n")
        assert out.count(b"\n") == len(LINES[name])


def test_what_postfix_does_not_know_is_left_out() -> None:
    """Other events, and the doors of other protocols, give no line."""
    form = PostfixFormatter("h", 1)
    assert form(NOW, "info", "pop3.signed_in", {}) == b""
    assert form(NOW, "info", "door.closed", {"protocol": "imap"}) == b""


CONVERSATION = {"session": "s-1", "peer": "192.0.2.1", "port": 4000}


def said(form, protocol: str, direction: str, text: str, octets: int = 9) -> str:
    """Format a line of a conversation."""
    fields = {**CONVERSATION, "direction": direction, "text": text, "octets": octets}
    return form(NOW, "info", f"conversation.{protocol}", fields).decode()


@pytest.mark.parametrize(
    ("protocol", "direction", "text", "expected"),
    [
        ("smtp", "C", "MAIL FROM:<a@b.test> SIZE=1", "C MAIL FROM:<a@b.test>+SIZE=1 - 9"),
        ("smtp", "S", "250-STARTTLS", "S - STARTTLS 250 9"),
        ("pop3", "S", "+OK 2 messages", "S - 2+messages %2BOK 9"),
        ("imap", "C", "a1 SELECT INBOX", "C SELECT INBOX - 9"),
        ("imap", "S", "a1 OK done", "S - done OK 9"),
        ("imap", "S", "* 3 EXISTS", "S - *+3+EXISTS - 9"),
        ("relay", "C", "QUIT", "C QUIT - - 9"),
    ],
)
def test_the_w3c_form(protocol, direction, text, expected) -> None:
    """Columns as the header names them: no value holds a space."""
    line = said(make_formatter("w3c"), protocol, direction, text)
    head = f"2023-11-14 22:13:20 {protocol} s-1 192.0.2.1 4000 - "
    assert line == head + expected + "\n"
    assert len(line.split()) == 12


def test_the_activity_form_pairs_commands_with_answers() -> None:
    """One line for each command that was answered; lines within an answer give none."""
    form = make_formatter("activity")
    assert said(form, "smtp", "C", "EHLO x.test", 13) == ""
    assert said(form, "smtp", "C", "MAIL FROM:<a@b.test>", 22) == ""
    assert said(form, "smtp", "S", "250-mx.test") == ""
    lines = [said(form, "smtp", "S", "250 DSN", 9), said(form, "smtp", "S", "550 5.1.8 no\tway", 18)]
    assert [line.rstrip("\n").split("\t")[1:] for line in lines] == [
        ["SMTP-IN", "s-1", "4000", "192.0.2.1", "EHLO", "x.test", "250 DSN", "13", "9"],
        ["SMTP-IN", "s-1", "4000", "192.0.2.1", "MAIL", "FROM:<a@b.test>", "550 5.1.8 no way", "22", "18"],
    ]
    assert re.match(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d\t", lines[0])
    assert said(form, "relay", "S", "220 mx").split("\t")[1] == "SMTP-OU"


def test_the_activity_form_forgets_what_is_never_answered() -> None:
    """Sessions that vanish do not fill the memory."""
    form = make_formatter("activity")
    for number in range(10_050):
        fields = {"session": str(number), "direction": "C", "text": "NOOP", "octets": 6}
        form(NOW, "info", "conversation.smtp", fields)
    assert len(form._open) == 10_000


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        (
            "message.received",
            {"from": "a@b.test", "to": ["c@d.test", "e@d.test"], "peer": "192.0.2.1", "size": 120},
            [
                "a@b.test c@d.test 192.0.2.1 localhost SMTP - 1 120",
                "a@b.test e@d.test 192.0.2.1 localhost SMTP - 1 120",
            ],
        ),
        ("message.received", {"from": "", "to": [], "size": 1}, []),
        (
            "message.refused",
            {"from": "", "to": "x y@d.test", "peer": "192.0.2.1", "code": 554},
            ["<> x_y@d.test 192.0.2.1 - SMTP - 554 0"],
        ),
        (
            "relay.sent",
            {"from": "a@b.test", "to": "c@d.test", "relay": "mx.d.test[192.0.2.2]:25", "size": 9},
            ["a@b.test c@d.test localhost mx.d.test[192.0.2.2]:25 SMTP - 1 9"],
        ),
        (
            "relay.failed",
            {"from": "a@b.test", "to": "c@d.test", "relay": "", "reply": "550 5.1.1 no", "size": 9},
            ["a@b.test c@d.test localhost - SMTP - 550 0"],
        ),
        ("relay.deferred", {"from": "a@b.test", "to": "c@d.test"}, []),
        ("door.closed", {}, []),
    ],
    ids=["filed", "all remote", "refused", "sent", "bounced", "deferred", "no mail"],
)
def test_the_awstats_form(name, fields, expected) -> None:
    """One line for each delivery, in the order of columns that AWStats is told."""
    lines = make_formatter("awstats")(NOW, "info", name, fields).decode().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == expected
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in lines)
