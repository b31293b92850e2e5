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
