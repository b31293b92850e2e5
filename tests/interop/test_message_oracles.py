"""The message scan against two oracles, Dovecot and the standard library, on every message of the corpora.

What is not equal is in a table here with the reason why ours is right; an entry that is no longer needed fails too.
``docs/message-oracles.md`` is the summary for readers.
"""

import email
import email.header
import imaplib
import os
import re

import pytest

from posthouse.message.scan import Part, scan
from tests.interop.message_corpora import MISSING as NO_CORPORA
from tests.interop.message_corpora import messages
from tests.interop.peers.dovecot import MISSING as NO_DOVECOT
from tests.interop.peers.dovecot import DovecotPeer

pytestmark = [pytest.mark.interop, pytest.mark.slow]
needs_corpora = pytest.mark.skipif(NO_CORPORA is not None, reason=str(NO_CORPORA))

FIRST_COUNTS = "of a field that is there twice we take the first, as the standard library does; Dovecot takes the last"
EMPTY_ELEMENT = "an empty element of an address list is allowed (RFC 5322 §4.4); Dovecot makes an address of it"
CUT_BOUNDARY = "an unquoted boundary with '=' in it is taken whole; Dovecot cuts it and finds an empty part too many"
NO_DISPOSITION = "a Content-Disposition without a disposition is none; Dovecot sends an empty string"
OUTER_SPACE = "white space around a field's body is no part of it"

# message -> why it differs from Dovecot 2.3
DOVECOT = {
    "cpython/msg_29.txt": "a space in an extended parameter value is percent-encoded (RFC 2231 §7); Dovecot sends it bare",
    "cpython/msg_32.txt": "charset* names the charset; Dovecot adds a second, contradicting us-ascii",
    "cpython/msg_33.txt": "the boundary may be an extended value (RFC 2231 §4); Dovecot finds no parts",
    "mimekit/UnitTests/TestData/mbox/content-length.mbox.txt#0": "';;' before a parameter hides the boundary from Dovecot",
    "mimekit/UnitTests/TestData/messages/rfc2060.txt": "the line end before a delimiter belongs to it (RFC 2046 §5.1.1),"
    " after a closing delimiter too; Dovecot counts it in the embedded message",
    "ruby-mail/spec/fixtures/emails/error_emails/bad_date_header.eml": OUTER_SPACE,
    "ruby-mail/spec/fixtures/emails/error_emails/bad_subject.eml": OUTER_SPACE,
    "ruby-mail/spec/fixtures/emails/error_emails/content_transfer_encoding_with_semi_colon.eml": "'quoted-printable;'"
    " is what the part is encoded with; Dovecot says 7bit",
    "ruby-mail/spec/fixtures/emails/error_emails/missing_content_disposition.eml": NO_DISPOSITION,
    "ruby-mail/spec/fixtures/emails/error_emails/multiple_invalid_content_dispositions.eml": NO_DISPOSITION,
    "ruby-mail/spec/fixtures/emails/error_emails/weird_to_header.eml": EMPTY_ELEMENT,
    "ruby-mail/spec/fixtures/emails/mime_emails/raw_email_with_binary_encoded.eml": f"{FIRST_COUNTS}; and {CUT_BOUNDARY}",
    "ruby-mail/spec/fixtures/emails/mime_emails/raw_email_with_illegal_boundary.eml": CUT_BOUNDARY,
    "ruby-mail/spec/fixtures/emails/mime_emails/raw_email_with_multipart_mixed_quoted_boundary.eml": FIRST_COUNTS,
    "ruby-mail/spec/fixtures/emails/plain_emails/raw_email_bad_time.eml": CUT_BOUNDARY,
    "ruby-mail/spec/fixtures/emails/plain_emails/raw_email_with_at_display_name.eml": "garbage behind one address does"
    " not hide the next; Dovecot stops there",
    "ruby-mail/spec/fixtures/emails/rfc2822/example11.eml": EMPTY_ELEMENT,
}

HEADERS_GO_ON = (
    "a line that is no field does not end the header section (RFC 5322 §2.1: an empty line does); as Dovecot"
)
NESTED_SAME = "a delimiter belongs to the innermost multipart that has this boundary; as Dovecot"
BEGINS_WITH = "a line that begins with the boundary is a delimiter, whatever follows (RFC 2046 §5.1.1); as Dovecot"
EMPTY_PART = "two delimiters in a row have an empty part between them; as Dovecot"

# message -> why it differs from the standard library's parser
STDLIB = {
    "cpython/msg_15.txt": NESTED_SAME,
    "cpython/msg_37.txt": EMPTY_PART,
    "cpython/msg_39.txt": NESTED_SAME,
    "mimekit/UnitTests/TestData/mbox/content-length.mbox.txt#15": HEADERS_GO_ON,
    "mimekit/UnitTests/TestData/mbox/content-length.mbox.txt#16": HEADERS_GO_ON,
    "mimekit/UnitTests/TestData/mbox/unmunged.mbox.txt": HEADERS_GO_ON,
    "mimekit/UnitTests/TestData/messages/feedback-report.txt": HEADERS_GO_ON,
    "mimekit/UnitTests/TestData/messages/issue358.txt": HEADERS_GO_ON,
    "ruby-mail/spec/fixtures/emails/mime_emails/raw_email4.eml": BEGINS_WITH,
    "ruby-mail/spec/fixtures/emails/plain_emails/raw_email_incorrect_header.eml": HEADERS_GO_ON,
    "ruby-mail/spec/fixtures/emails/rfc2822/example13.eml": HEADERS_GO_ON,
}
# MimeKit's expected results, "Content-Type: multipart/mixed" folded with more lines of its kind: headers without bodies.
SUMMARIES = re.compile(r"-summary\.txt(#\d+)?$")


def tokens(text: bytes) -> list:
    """Return an IMAP response as nested lists; strings become octets whether quoted or literal, NIL becomes None."""
    top: list = []
    stack, position = [top], 0
    token = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|([^\s()"{]+))', re.DOTALL)
    while match := token.match(text, position):
        position = match.end()
        if match[1]:
            stack[-1].append([])
            stack.append(stack[-1][-1])
        elif match[2]:
            stack.pop()
        elif match[4]:
            stack[-1].append(text[position : position + int(match[4])])
            position += int(match[4])
        elif match[3] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", match[3]))
        else:
            stack[-1].append(None if match[5].upper() == b"NIL" else match[5])
    return top


@pytest.fixture(scope="module")
def corpus():
    """All messages, in memory once."""
    return list(messages())


@pytest.fixture(scope="module")
def told_by_dovecot(tmp_path_factory, corpus):
    """``[(ENVELOPE, BODYSTRUCTURE)]`` as Dovecot tells them, in the order of the corpus."""
    if NO_DOVECOT is not None:
        pytest.skip(NO_DOVECOT)
    peer = DovecotPeer(tmp_path_factory.mktemp("dovecot"))
    maildir = peer.maildir("corpus")
    owner = maildir.stat()
    for number, (_, content) in enumerate(corpus):
        path = maildir / "cur" / f"{1_700_000_000 + number}.M{number}P1.test,S={len(content)}:2,S"
        path.write_bytes(content)
        os.chown(path, owner.st_uid, owner.st_gid)
    answers = []
    with peer:
        client = peer.login("corpus")
        client.select("INBOX", readonly=True)
        _, data = client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)")
        raw = b""
        for item in data:
            raw += item[0] + b"\r\n" + item[1] if isinstance(item, tuple) else item + b"\n"
            if not isinstance(item, tuple):
                parsed = tokens(raw)[1]
                answers.append((parsed[1], parsed[3]))
                raw = b""
        client.logout()
    return answers


@pytest.fixture(autouse=True)
def long_lines(monkeypatch):
    """Let imaplib read lines as long as the corpora need."""
    monkeypatch.setattr(imaplib, "_MAXLINE", 100_000_000)


def agrees(theirs, ours):
    # Dovecot tells a type it cannot read as two empty strings, which says nothing about the part.
    return theirs == ours or theirs[:2] == [b"", b""]


@needs_corpora
def test_envelope_and_bodystructure_are_dovecots(corpus, told_by_dovecot):
    """Every ENVELOPE and BODYSTRUCTURE is what Dovecot tells, or the table says why not."""
    assert len(told_by_dovecot) == len(corpus)
    different = set()
    for (name, content), (envelope, structure) in zip(corpus, told_by_dovecot, strict=True):
        facts = scan(content).facts()
        if envelope != tokens(facts.envelope)[0] or not agrees(structure, tokens(facts.bodystructure)[0]):
            different.add(name)
    assert different == set(DOVECOT)


def our_types(part: Part) -> list[str]:
    """Our tree as the standard library walks one."""
    below = [kind for child in part.children for kind in our_types(child)]
    return [part.media, *below, *(our_types(part.embedded) if part.embedded else [])]


def their_types(message: email.message.Message) -> list[str]:
    """Their tree; inside message/* other than message/rfc822 we see no parts, and IMAP has none."""
    kind = message.get_content_type()
    if not message.is_multipart() or (kind.startswith("message/") and kind != "message/rfc822"):
        return [kind]
    return [kind, *(inner for child in message.get_payload() for inner in their_types(child))]


def their_subject(message: email.message.Message) -> str | None:
    """Their decoded subject with white space collapsed, None where they find 8-bit octets or no codec."""
    try:
        text = str(email.header.make_header(email.header.decode_header(message["subject"] or "")))
    except LookupError:
        return None
    return None if "\ufffd" in text else " ".join(text.split())


@needs_corpora
def test_types_and_subjects_are_the_standard_librarys(corpus):
    """Every tree has the parts and types that the standard library finds and the same subject, or the table says why."""
    different = set()
    for name, content in corpus:
        scanned = scan(content)
        theirs = email.message_from_bytes(content)
        subject = their_subject(theirs)
        if our_types(scanned.root) != their_types(theirs) or (
            subject is not None and subject != " ".join(scanned.facts().subject.split())
        ):
            different.add(name)
    # In the summaries type and subtype can be read though garbage follows; the standard library takes text/plain.
    assert {name for name in different if not SUMMARIES.search(name)} == set(STDLIB)
