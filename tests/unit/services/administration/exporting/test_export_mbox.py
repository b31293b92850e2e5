"""mboxrd: quoting, separators, flags."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posthouse.core.flags import Flag
from posthouse.services.administration.exporting.mbox import Quoting, separator, status_fields


def quoted(message, size=1_000_000):
    quoting = Quoting()
    pieces = [quoting.feed(message[at : at + size]) for at in range(0, len(message), size)]
    return b"".join(pieces) + quoting.end()


MESSAGES = [
    pytest.param(b"A: b\r\n\r\ntext\r\n", b"A: b\n\ntext\n\n", id="plain"),
    pytest.param(b"A: b\r\n\r\ntext", b"A: b\n\ntext\n\n", id="no line end"),
    pytest.param(b"x\r\nFrom me\r\n>From you\r\n>>From us\r\n", b"x\n>From me\n>>From you\n>>>From us\n\n", id="From"),
    pytest.param(b"From the first\r\n", b">From the first\n\n", id="at the beginning"),
    pytest.param(b"x\r\nFromage\r\n> From\r\nfrom me\r\n", b"x\nFromage\n> From\nfrom me\n\n", id="not From"),
    pytest.param(b"x\r\nFro", b"x\nFro\n\n", id="ends in the middle"),
    pytest.param(b"x\r\n>>", b"x\n>>\n\n", id="ends with marks"),
    pytest.param(b"a\rb\nc\r", b"a\rb\nc\r\n\n", id="bare line ends stay"),
    pytest.param(b"", b"\n", id="empty"),
    pytest.param(b"\r\n\r\nFrom x", b"\n\n>From x\n\n", id="empty lines"),
]


@pytest.mark.parametrize(("message", "expected"), MESSAGES)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_quoting(message, expected, size):
    """In pieces of any size."""
    assert quoted(message, size) == expected


@given(
    st.lists(st.sampled_from([b"From ", b">", b"F", b"\r\n", b"\n", b"x", b"From", b"\r"]), max_size=40).map(b"".join)
)
def test_taking_the_marks_away_gives_the_message(message):
    """Mboxrd loses nothing but the kind of line ends."""
    text = quoted(message, 3)
    back = re.sub(rb"^>(>*From )", rb"\1", text, flags=re.MULTILINE)
    plain = message.replace(b"\r\n", b"\n")
    assert back == plain + (b"\n" if not plain or plain.endswith(b"\n") else b"\n\n")
    assert not re.search(rb"^From ", text, re.MULTILINE)


def test_the_separator():
    """Sender and time as asctime writes it, in UTC; nothing of a sender can break the line."""
    assert separator("a@b.example", 0) == b"From a@b.example Thu Jan  1 00:00:00 1970\n"
    assert separator("", 1_700_000_000) == b"From MAILER-DAEMON Tue Nov 14 22:13:20 2023\n"
    assert separator("a b\nc", 0).count(b" ") == separator("abc", 0).count(b" ")


FLAGS = [
    pytest.param(Flag.NONE, "", b"Status: O\nX-Mailbox: INBOX\n", id="none"),
    pytest.param(Flag.SEEN, "", b"Status: RO\nX-Mailbox: INBOX\n", id="seen"),
    pytest.param(
        Flag.SEEN | Flag.ANSWERED | Flag.FLAGGED | Flag.DRAFT | Flag.DELETED, "$Junk work",
        b"Status: RO\nX-Status: AFTD\nX-Keywords: $Junk work\nX-Mailbox: INBOX\n", id="all"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "keywords", "expected"), FLAGS)
def test_flags(flags, keywords, expected):
    """As mbox readers know them."""
    assert status_fields(flags, keywords, "INBOX") == expected


def test_names_of_mailboxes_are_ascii():
    """A header field is."""
    assert status_fields(Flag.NONE, "", "Entwürfe").isascii()
