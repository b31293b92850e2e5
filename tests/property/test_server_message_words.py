"""Words of server messages: what is encoded comes back, text that flows is the same text, templates never break out."""

from __future__ import annotations

from email import message_from_string, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posthouse.message.encoded_words import decode_words, encode_words
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.messages.compose import flowed
from posthouse.services.administration.messages.definitions import MESSAGES
from posthouse.services.administration.messages.template import check, fill

LINES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300)
PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "name", " ", "for", "in", "recipients", "if", "endif", "endfor", "each", ".", "address",
     "(", ")", "|", "upper", "'", "1", "\n", "{#", "#}", "loop", "not", "set", "=", "[", "]", "~", "*", "macro"]
)  # fmt: skip


@given(LINES)
def test_encoded_words_come_back(text: str) -> None:
    """``decode_words`` reads what ``encode_words`` wrote, in lines of at most 76 characters where it is encoded."""
    written = encode_words(text)
    assert written.isascii()
    assert decode_words(written.replace("\r\n", "").encode()) == decode_words(text.encode())
    if written != text:
        assert all(len(line) <= 76 for line in written.split("\r\n"))


@given(st.lists(LINES.filter(lambda line: line != "-- "), max_size=5))
def test_flowing_text_is_the_same_text(paragraphs: list[str]) -> None:
    """Joined again, as a mail program does, it is what was written but for spaces at the ends of paragraphs."""
    text = "\n".join(paragraphs)
    joined, rest = [], ""
    for line in flowed(text).removesuffix("\n").split("\n"):
        bare = line.removeprefix(" ") if line.startswith(" ") else line
        if line != "-- " and bare.endswith(" "):
            rest += bare
        else:
            joined.append(rest + bare)
            rest = ""
    expected = [each.rstrip(" ") for each in text.rstrip("\n").split("\n")]
    assert [" ".join(each.split()) for each in joined] == [" ".join(each.split()) for each in expected]


@given(st.lists(PIECES, max_size=30).map("".join))
def test_a_text_that_is_taken_can_be_filled_in(text: str) -> None:
    """Whatever is written: refused by name, or filled in with every value that its variables may have."""
    message = MESSAGES["delivery-failed"]
    try:
        check(message, "subject", text)
    except Refused as fault:
        assert fault.field in {"text", ""}
        return
    subject, _ = fill("subject", text, message.samples)
    assert subject == "subject"


@pytest.mark.parametrize("name", ["From: x", "\r\nBcc: y@z.test", "=?utf-8?q?x?="])
def test_an_encoded_subject_is_one_header(name: str) -> None:
    """Others read one subject, whatever it holds."""
    line = " ".join(f"Grüße {name}".split())
    message = message_from_string(f"Subject: {encode_words(line)}\r\n\r\n", policy=policy.default)
    assert message.keys() == ["Subject"]
