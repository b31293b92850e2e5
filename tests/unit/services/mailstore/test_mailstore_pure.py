"""Names, slices, sections and matching: what needs no store."""

from __future__ import annotations

import pytest

from posthouse.core import limits
from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.message.scan import scan
from posthouse.services.mailstore.mailboxes import check_name, fold_name
from posthouse.services.mailstore.matching import Matter
from posthouse.services.mailstore.search import written_day
from posthouse.services.mailstore.sections import Octets, Section, SectionKind, filter_fields, locate
from posthouse.services.mailstore.slices import clip, ranges_from_uids, split_by_rows, split_by_size
from posthouse.services.mailstore.watch import Watch

# ---- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "folded"),
    [("inbox", "INBOX"), ("iNbOx/a", "INBOX/a"), ("inboxes", "inboxes"), ("e\u0301te", "\u00e9te"), ("a/B", "a/B")],
)
def test_names_have_one_form(name, folded):
    """INBOX is in capitals and text is in normal form C; all else stays."""
    assert fold_name(name) == check_name(name) == folded


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", SyntaxFault),
        ("/a", SyntaxFault),
        ("a/", SyntaxFault),
        ("a//b", SyntaxFault),
        ("a\x00b", SyntaxFault),
        ("a\u2028b", SyntaxFault),
        ("a\udc80", SyntaxFault),
        ("a" * (limits.MAILBOX_NAME + 1), LimitFault),
        ("/".join("a" * (limits.MAILBOX_DEPTH + 1)), LimitFault),
    ],
)
def test_impossible_names_are_refused(name, fault):
    """Control characters, empty components, too long, too deep."""
    with pytest.raises(fault):
        check_name(name)


# ---- slices ---------------------------------------------------------------------------------------------------


def test_ranges_hold_exactly_the_uids():
    """Runs become pairs."""
    assert ranges_from_uids([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
    assert ranges_from_uids([]) == []


def test_clip_cuts_at_both_ends():
    """What lies outside is left out."""
    assert clip([(1, 5), (8, 9), (12, 20)], 4, 12) == [(4, 5), (8, 9), (12, 12)]


@pytest.mark.parametrize("ranges", [[(1, 100)], [(1, 10), (20, 100)]], ids=["one", "two"])
def test_pieces_have_at_most_so_many_rows_and_cover_all(ranges):
    """Every known UID is in exactly one piece."""
    known = [uid for uid in range(1, 101, 3) if any(low <= uid <= high for low, high in ranges)]
    pieces = list(split_by_rows(ranges, known, 4))
    found = [[uid for uid in known if any(low <= uid <= high for low, high in piece)] for piece in pieces]
    assert [uid for piece in found for uid in piece] == known
    assert max(map(len, found)) == 4


def test_pieces_by_size_hold_what_they_may():
    """A message larger than a piece stands alone."""
    sizes = [(1, 40), (3, 50), (4, 20), (9, 500), (10, 1)]
    assert list(split_by_size([(1, 4), (9, 12)], sizes, 100)) == [[(1, 3)], [(4, 4)], [(9, 9)], [(10, 10)]]
    assert list(split_by_size([(1, 4)], [], 100)) == []


# ---- sections -------------------------------------------------------------------------------------------------

HEADER = b"Received: x\r\n\ty\r\nSubject: one\r\nsubject : two\r\nX: z\r\n\r\n"
NESTED = (
    b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\ntext\r\n--b\r\n"
    b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("names", "keep", "expected"),
    [
        ((b"subject",), True, b"Subject: one\r\nsubject : two\r\n\r\n"),
        ((b"received", b"x"), True, b"Received: x\r\n\ty\r\nX: z\r\n\r\n"),
        ((b"received", b"subject"), False, b"X: z\r\n\r\n"),
        ((b"nothing",), True, b"\r\n"),
        ((), False, HEADER),
        ((b"rec",), True, b"\r\n"),
    ],
)
def test_header_fields_are_picked_by_name(names, keep, expected):
    """Order and octets stay, folded lines belong to their field, an empty line ends it."""
    assert filter_fields(HEADER, names, keep=keep) == expected


@pytest.mark.parametrize("header", [b"", b"Subject: x", b"Subject: x\r\n"])
def test_header_without_its_end_is_ended(header):
    """What is picked from a header section that stops short still ends with an empty line."""
    assert filter_fields(header, (b"subject",), keep=True).endswith(b"\r\n")
    assert filter_fields(header, (b"x",), keep=False).endswith(b"\r\n")


@pytest.mark.parametrize(
    ("part", "kind", "expected"),
    [
        ((1,), SectionKind.ALL, b"text"),
        ((2,), SectionKind.ALL, b"Subject: inner\r\n\r\ninner text"),
        ((2,), SectionKind.HEADER, b"Subject: inner\r\n\r\n"),
        ((2,), SectionKind.TEXT, b"inner text"),
        ((2,), SectionKind.MIME, b"Content-Type: message/rfc822\r\n\r\n"),
        ((2, 1), SectionKind.ALL, b"inner text"),
        ((1,), SectionKind.TEXT, None),
        ((3,), SectionKind.ALL, None),
        ((1, 1), SectionKind.ALL, None),
    ],
)
def test_sections_of_parts_are_located(part, kind, expected):
    """Part numbers lead to octets; what is not there is None."""
    found = locate(scan(NESTED).root, Section(part, kind))
    assert (found and NESTED[found.start : found.start + found.length]) == expected


@pytest.mark.parametrize("offset", range(12))
@pytest.mark.parametrize("count", [0, 1, 3, 6, 20])
def test_cutting_octets_is_slicing(offset, count):
    """A partial is a slice of head and body together."""
    body = b"0123456789"
    octets = Octets(b"head", 2, 5)
    cut = octets.cut(offset, count)
    whole = b"head" + body[2:7]
    assert cut.head + body[cut.start : cut.start + cut.length] == whole[offset : offset + count]
    assert cut.size == len(whole[offset : offset + count])


# ---- matching -------------------------------------------------------------------------------------------------

QP = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nd=C3=AEner =\r\nsoir\r\n"
BASE64 = b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\nZO5uZXI=\r\n"
PLAIN = b"Subject: =?utf-8?q?caf=C3=A9?=\r\nFrom: Bob\r\n <bob@example.test>\r\n\r\nSee you at Noon\r\n"
ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=needle\r\n\r\n--needle\r\nContent-Type: image/png\r\n\r\nsecret\r\n--needle\r\n"
    b"Content-Type: text/plain\r\n\r\nhay\r\n--needle--\r\n"
)


@pytest.mark.parametrize(
    ("message", "text", "expected"),
    [
        (PLAIN, "noon", True),
        (PLAIN, "bob", False),
        (QP, "dÎner soir", True),
        (QP, "=C3", False),
        (BASE64, "dîner", True),
        (BASE64, "ZO5u", False),
        (ATTACHED, "hay", True),
        (ATTACHED, "needle", False),
        (ATTACHED, "secret", False),
    ],
)
def test_body_is_searched_decoded(message, text, expected):
    """Text parts match decoded and in any case; delimiters, part headers and attachments do not."""
    assert Matter(b"", message, scan(message).header_size).body_contains(text) is expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("subject", "CAFÉ", True),
        ("from", "bob <bob", True),
        ("from", "", True),
        ("to", "", False),
        ("return-path", "a@b", True),
        ("subj", "caf", False),
    ],
)
def test_header_fields_are_searched_decoded(name, text, expected):
    """Encoded words and folds do not hide a text; the prefix belongs to the header."""
    matter = Matter(b"Return-Path: <a@b>\r\n", PLAIN, scan(PLAIN).header_size)
    assert matter.header_contains(name, text) is expected


def test_text_is_header_and_body():
    """TEXT finds both."""
    matter = Matter(b"", PLAIN, scan(PLAIN).header_size)
    assert [matter.text_contains(text) for text in ("café", "NOON", "absent")] == [True, True, False]


@pytest.mark.parametrize(
    ("envelope", "date", "day"),
    [
        (b'("Thu, 1 Feb 2024 23:00:00 -0500" NIL', 1706846400, 19754),
        (b'("1 Feb 24 23:00 EST" NIL', None, 19754),
        (b'("31 Feb 2024 01:00:00 +0000" NIL', 1706846400, 19755),
        (b"(NIL NIL", None, None),
    ],
)
def test_day_is_that_of_the_date_as_written(envelope, date, day):
    """The zone of the header decides, not ours; an impossible day falls back on the moment."""
    assert written_day(envelope, date) == day


# ---- watch ----------------------------------------------------------------------------------------------------


class Hints:
    """Notices that a test gives."""

    def on_accounts(self, callback):
        self.tell = callback
        return lambda: None


def test_watchers_hear_of_their_own_account_alone():
    """A notice reaches those who wait for that account, until they end it."""
    hints, heard = Hints(), []
    watch = Watch(hints)
    end = watch.subscribe(1, lambda: heard.append("one"))
    watch.subscribe(2, lambda: heard.append("two"))
    hints.tell([1, 3])
    end()
    end()
    hints.tell([1, 2])
    assert heard == ["one", "two"]
    watch.close()
    hints.tell([2])
    assert heard == ["one", "two"]
