"""Facts of a message, text of parts, and how much memory and time the scan takes."""

import mmap
import tempfile
import tracemalloc

import pytest

from posthouse.core import limits
from posthouse.message.scan import decode_text, decoded_header, scan

MESSAGE = """From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>
To: b@example.net, c@example.net
Cc: team: d@example.net;
Subject: Re: =?utf-8?b?R3LDvMOfZQ==?=
Date: Fri, 21 Nov 2025 05:00:00 +0000
Message-ID: <m1@example.org>
In-Reply-To: <m0@example.net>
References: <a@example.net> <m0@example.net>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

> quoted
Hello =C3=BC,  you =
there.
""".replace("\n", "\r\n").encode()


def test_facts_of_a_message():
    """Each fact is what its description says."""
    facts = scan(MESSAGE).facts()
    assert facts.size == len(MESSAGE)
    assert MESSAGE[facts.header_size :].startswith(b"> quoted")
    assert facts.message_id == "m1@example.org"
    assert facts.references == ("a@example.net", "m0@example.net")
    assert (facts.subject, facts.base_subject) == ("Re: Grüße", "Grüße")
    assert facts.from_text == "Jörg <joerg@example.org>"
    assert (facts.to_text, facts.cc_text) == ("b@example.net", "team")
    assert facts.date == 1763701200
    assert facts.preview == "Hello ü, you there."
    assert facts.has_attachment is False


def test_facts_of_nothing():
    """A message without a single octet has facts too."""
    facts = scan(b"").facts()
    assert (facts.size, facts.header_size, facts.subject, facts.preview, facts.date) == (0, 0, "", "", None)


def test_references_fall_back_on_in_reply_to():
    """In-Reply-To stands in for References, and adds what they lack."""
    assert scan(b"In-Reply-To: <x@y>\r\n\r\n").facts().references == ("x@y",)
    assert scan(b"In-Reply-To: <x@y>\r\nReferences: <a@b>\r\n\r\n").facts().references == ("x@y", "a@b")


def part(kind, *more, text=b"x"):
    return (
        b"--x\r\nContent-Type: " + kind + b"\r\n" + b"".join(line + b"\r\n" for line in more) + b"\r\n" + text + b"\r\n"
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([part(b"text/plain"), part(b"text/html")], False, id="alternative texts"),
        pytest.param([part(b"text/plain", b"Content-Disposition: attachment")], True, id="text as attachment"),
        pytest.param([part(b"application/pdf")], True, id="application"),
        pytest.param([part(b"image/png", b"Content-Disposition: inline", b"Content-ID: <a>")], False, id="picture of the text"),
        pytest.param([part(b"image/png", b"Content-ID: <a>")], False, id="picture by id"),
        pytest.param([part(b"application/pgp-signature")], False, id="signature"),
        pytest.param([part(b"message/rfc822", text=b"A: b\r\n\r\nc")], True, id="forwarded message"),
    ],
)  # fmt: skip
def test_attachments_are_told_from_text(parts, expected):
    """What a reader would call an attachment."""
    content = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"".join(parts) + b"--x--\r\n"
    assert scan(content).facts().has_attachment is expected


@pytest.mark.parametrize(
    ("content", "preview"),
    [
        pytest.param(b"Content-Type: text/html\r\n\r\n<style>x{}</style><p>A&amp;B<br>c", "A&B c", id="HTML"),
        pytest.param(b"\r\n> only\r\n> quoted", "> only > quoted", id="all quoted"),
        pytest.param(b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=", "hello", id="base64"),
        pytest.param(b"\r\na\x00\xe2\x80\x8bb\r\n", "ab", id="invisible characters"),
        pytest.param(b"Content-Type: image/png\r\n\r\nabc", "", id="no text"),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>h\r\n--x\r\n\r\nplain\r\n--x--",
            "plain",
            id="plain before HTML",
        ),
    ],
)
def test_previews(content, preview):
    """First words of the text, as people see them."""
    assert scan(content).facts().preview == preview


def test_a_preview_is_bounded():
    """No preview is longer than its limit."""
    assert len(scan(b"\r\n" + b"word " * 1000).facts().preview) <= limits.PREVIEW


def test_text_is_decoded_up_to_a_limit():
    """decode_text undoes encoding and charset and keeps to its limit."""
    scanned = scan(MESSAGE)
    assert decode_text(MESSAGE, scanned.root) == "> quoted\r\nHello ü,  you there.\r\n"
    assert decode_text(MESSAGE, scanned.root, 4) == "> qu"
    assert decoded_header(scanned, b"subject") == "Re: Grüße"
    assert decoded_header(scanned, b"x-absent") == ""


ATTACKS = [
    pytest.param(b"X: y\r\n" * 100_000 + b"\r\n", id="100 000 headers"),
    pytest.param(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 1000, id="one boundary, nested"),
    pytest.param(
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        + b"".join(b"--x\r\nContent-Type: multipart/mixed; boundary=y%d\r\n\r\n" % number for number in range(2000))
        + b"z" * 500_000,
        id="boundaries that never come",
    ),
    pytest.param(
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(90))
        + b"--\r\n" * 100_000,
        id="lines like delimiters",
    ),
    pytest.param(b"From: " + b'"\\' * 100_000 + b"\r\n\r\n", id="quotes"),
    pytest.param(b"Content-Type: text/plain; " + b'"\\' * 100_000 + b"\r\n\r\n", id="quotes in parameters"),
    pytest.param(b"Subject: " + b"=?a?q?x" * 50_000 + b"\r\n\r\n", id="encoded words that never end"),
    pytest.param(b"Content-Type: text/html\r\n\r\n" + b"<style " * 50_000, id="markup that never ends"),
    pytest.param(b"A:" + b"\r\n b" * 100_000, id="folds"),
    pytest.param(b"\r\n" + b"\0\xff\r" * 100_000, id="binary"),
]


@pytest.mark.slow
@pytest.mark.parametrize("content", ATTACKS)
def test_attacks_end(content):
    """Input made to be slow is scanned all the same, to sound offsets."""
    scanned = scan(content)
    assert 0 <= scanned.header_size <= scanned.root.body_end == len(content)
    assert scanned.facts().size == len(content)


@pytest.mark.slow
def test_memory_does_not_grow_with_bodies():
    """A mapped message of 40 MB is scanned in under a mebibyte of heap."""
    with tempfile.TemporaryFile() as file:
        file.write(b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--x\r\n")
        file.write(b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
        for _ in range(40):
            file.write((b"A" * 76 + b"\r\n") * 13_000)
        file.write(b"--x--\r\n")
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            tracemalloc.start()
            facts = scan(mapped).facts()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert facts.preview == "hello"
            assert facts.bodystructure == scan(mapped[:]).facts().bodystructure
    assert peak < limits.MIB
