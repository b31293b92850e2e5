"""Letters as messages: headers that hold whatever was written, text that flows."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from posthouse.core.address import Address
from posthouse.services.administration.messages.compose import LONGEST, Letter, compose, flowed

LETTER = Letter(
    sender=Address("postmaster", "acme.test"), sender_name="Acme", to=Address("anna", "acme.test"),
    subject="Hello", text="Hello.\n", language="en", date=1_700_000_000.0, message_id="1.welcome@mx.test",
)  # fmt: skip


def parsed(**changes):
    """Return a letter as octets, and as others read it."""
    content = compose(replace(LETTER, **changes))
    return content, message_from_bytes(content, policy=policy.default)


def test_headers() -> None:
    """They say that a machine wrote it, and in which language."""
    content, message = parsed()
    assert message["From"] == "Acme <postmaster@acme.test>"
    assert message["To"] == "anna@acme.test"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert message["Message-ID"] == "<1.welcome@mx.test>"
    assert message["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert message.get_content_type() == "text/plain"
    assert message.get_param("format") == "flowed"
    assert b"\n" not in content.replace(b"\r\n", b"")


WRITTEN = {
    "umlauts": ({"subject": "Grüße", "text": "schöne Grüße\n"}, "Grüße", "schöne Grüße\n"),
    "another script": ({"subject": "Привет " * 30, "text": "Привет\n"}, ("Привет " * 30).strip(), "Привет\n"),
    "a long word": ({"text": "x" * (LONGEST * 2)}, "Hello", "x" * (LONGEST * 2) + "\n"),
    "a header in the subject": ({"subject": "a\r\nBcc: x@y.test"}, "a Bcc: x@y.test", "Hello.\n"),
    "control characters": ({"subject": "a\x00\x1b[1mb"}, "a [1mb", "Hello.\n"),
    "something like an encoded word": ({"subject": "=?utf-8?q?x?="}, None, "Hello.\n"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_whatever_was_written_can_be_read(name) -> None:
    """Subject and text come back, in lines that pass everywhere, and nothing becomes a header of its own."""
    changes, subject, text = WRITTEN[name]
    content, message = parsed(**changes)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert message["Bcc"] is None
    if subject is not None:
        assert message["Subject"] == subject
    assert message.get_content().replace("\r\n", "\n") == text


def test_names_of_offices_may_be_anything() -> None:
    """Quotation marks, commas and other scripts stay in the name."""
    for name in ('Acme "Best" <x@y.test>, Ltd', "Müller & Söhne", "株式会社", "a\nb"):
        _, message = parsed(sender_name=name)
        assert message["From"].addresses[0].addr_spec == "postmaster@acme.test"
        assert message["From"].addresses[0].display_name == " ".join(name.split())


def test_local_parts_are_quoted_where_they_must_be() -> None:
    """A space, an at sign or a quotation mark stays part of the address (RFC 5322 §3.4.1)."""
    for local in ("a b", "a@b", 'a"b', "a,b", "o'hara"):
        _, message = parsed(to=Address(local, "acme.test"))
        assert message["To"].addresses[0].username == local


def test_many_readers_are_named_as_a_group() -> None:
    """Nobody learns who else got it."""
    _, message = parsed(to=None, audience="acme.test, all")
    assert message["To"].groups[0].display_name == "acme.test, all"
    assert not message["To"].addresses


def test_an_international_address_is_written_as_it_is() -> None:
    """Such a message needs SMTPUTF8 (RFC 6532)."""
    content, message = parsed(to=Address("jürgen", "müller.test"))
    assert "jürgen@müller.test".encode() in content
    assert message["From"] == "Acme <postmaster@acme.test>"


FLOWING = {
    "short": ("Hello.", "Hello.\n"),
    "a long paragraph": ("word " * 20, "word " * 14 + "\n" + ("word " * 6).strip() + "\n"),
    "no space at the end": ("a  \nb", "a\nb\n"),
    "a quotation": ("> x\n x\nFrom me", " > x\n  x\n From me\n"),
    "a signature": ("x\n-- \nAcme", "x\n-- \nAcme\n"),
    "other line ends": ("a\r\nb\rc", "a\nb\nc\n"),
    "empty": ("", "\n"),
}


@pytest.mark.parametrize("name", FLOWING)
def test_text_flows(name) -> None:
    """A line that goes on ends with a space; no line begins as a quotation (RFC 3676 §4)."""
    text, expected = FLOWING[name]
    assert flowed(text) == expected
