"""Whatever a client says, the masks give text without control characters, and hide what stands where secrets stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posthouse.protocols.imap import masking as imap
from posthouse.protocols.pop3 import masking as pop3
from posthouse.protocols.smtp import masking as smtp

SHOW = {"smtp": smtp.show_command, "pop3": pop3.show_command, "imap": imap.show_command, "answer": imap.show_answer}
SECRETS = st.binary(min_size=8, max_size=40).filter(lambda data: b"hidden" not in data)


@pytest.mark.parametrize("show", SHOW.values(), ids=SHOW)
@given(line=st.one_of(st.binary(max_size=200), st.from_regex(rb"(?:a )?[A-Z]{3,12} .{0,50}", fullmatch=True)))
def test_any_octets_give_one_printable_line(show, line) -> None:
    """No octets raise, and none can steer a terminal or begin a line of their own."""
    text = show(line)
    assert text.isprintable()


@given(secret=SECRETS, gap=st.sampled_from([b" ", b"  ", b"\t "]))
@pytest.mark.parametrize(
    ("show", "before"),
    [
        (smtp.show_command, b"AUTH PLAIN"),
        (smtp.show_command, b"auth"),
        (pop3.show_command, b"PASS"),
        (pop3.show_command, b"apop anna"),
        (imap.show_command, b"a1 LOGIN anna"),
        (imap.show_command, b"a1 authenticate XOAUTH2"),
    ],
)
def test_what_follows_a_sign_in_is_hidden(show, before, gap, secret) -> None:
    """Nothing is shown but the words before it."""
    text = show(before + gap + secret).replace("[hidden]", "")
    assert "octets]" in text or set(text.upper().split()) <= {
        "AUTH",
        "PLAIN",
        "PASS",
        "APOP",
        "ANNA",
        "A1",
        "LOGIN",
    } | {
        "AUTHENTICATE",
        "XOAUTH2",
    }
