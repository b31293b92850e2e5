"""Known answers of the formatters (RFC 3501 §7, RFC 4731, RFC 4315, RFC 5258, RFC 9208)."""

from __future__ import annotations

import pytest

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.format import codes, mailbox
from posthouse.protocols.imap.format.dates import internal_date
from posthouse.protocols.imap.format.fetch import CLOSE, fetch_flags_bulk, fetch_layout, fetch_modseq_bulk
from posthouse.protocols.imap.format.strings import astring, quoted_or_literal
from posthouse.protocols.imap.format.strings import mailbox as mailbox_name
from posthouse.protocols.imap.format.structure import plain_body
from posthouse.protocols.imap.types.fetch import BodySection, FetchAttribute
from posthouse.protocols.imap.types.listing import StatusItem
from posthouse.protocols.imap.types.search import SearchReturn

A = FetchAttribute
TEXT = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 1152 23'
EXTRA = b' NIL ("INLINE" NIL) NIL NIL)'
ENVELOPE = b'(NIL "sub (ject" NIL NIL NIL NIL NIL NIL NIL {3}\r\n"a))'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b'""'),
        (b"plain", b'"plain"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"\xc3\xa9", b"{2}\r\n\xc3\xa9"),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"x" * 1001, b"{1001}\r\n" + b"x" * 1001),
    ],
)
def test_strings(data, expected):
    """A string is quoted where it may be, else a literal."""
    assert quoted_or_literal(data) == expected


def test_astrings():
    """Atoms stay bare; NIL and what has special octets do not."""
    assert astring(b"INBOX") == b"INBOX"
    assert astring(b"nil") == b'"nil"'
    assert astring(b"a b") == b'"a b"'
    assert mailbox_name("日本語") == b"&ZeVnLIqe-"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (0, b" 1-Jan-1970 00:00:00 +0000"),
        (837596665, b"17-Jul-1996 09:44:25 +0000"),
        (4102444799, b"31-Dec-2099 23:59:59 +0000"),
        (10**15, b"31-Dec-9999 01:46:40 +0000"),
    ],
)
def test_internal_date(moment, expected):
    """Moments are told in UTC; what no calendar knows is told as the last day."""
    assert internal_date(moment) == expected


def test_rows_of_all_attributes():
    """One response for each row, items in the order asked."""
    layout = fetch_layout(
        (A.FLAGS, A.UID, A.INTERNALDATE, A.RFC822_SIZE, A.ENVELOPE, A.BODY, A.BODYSTRUCTURE, A.MODSEQ)
    )
    assert layout.columns == (
        "uid", "flags", "keywords", "internal_date", "size", "envelope", "bodystructure", "modseq",
    )  # fmt: skip
    row = (7, 1, "$a", 837596665, 44827, ENVELOPE, TEXT + EXTRA, 99)
    assert layout.rows([3], [row]) == (
        b'* 3 FETCH (FLAGS (\\Seen $a) UID 7 INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 44827 ENVELOPE '
        + ENVELOPE + b" BODY " + TEXT + b") BODYSTRUCTURE " + TEXT + EXTRA + b" MODSEQ (99))\r\n"
    )  # fmt: skip


def test_rows_in_bulk():
    """Many rows become as many lines, with and without keywords."""
    layout = fetch_layout((A.UID, A.FLAGS))
    rows = [(10, 0, ""), (11, 8, ""), (12, 0, "k l")]
    assert layout.rows(range(1, 4), rows) == (
        b"* 1 FETCH (UID 10 FLAGS ())\r\n* 2 FETCH (UID 11 FLAGS (\\Deleted))\r\n* 3 FETCH (UID 12 FLAGS (k l))\r\n"
    )
    assert layout.rows((), []) == b""


def test_percent_in_a_row():
    """Octets of messages never act as a format."""
    layout = fetch_layout((A.ENVELOPE,))
    assert layout.rows([1], [(1, b"(%d %s)")]) == b"* 1 FETCH (ENVELOPE (%d %s))\r\n"


def test_sections_after_attributes():
    """Body sections follow the attributes, separated by spaces."""
    section, nil = BodySection(), BodySection(part=(9,), label=b"BODY[9]")
    layout = fetch_layout((section, A.UID, nil))
    head = layout.head(3, (5,))
    assert head + layout.section(section, b"hi\r\n") + layout.section_nil(nil) + CLOSE == (
        b"* 3 FETCH (UID 5 BODY[] {4}\r\nhi\r\n BODY[9] NIL)\r\n"
    )


def test_sections_alone():
    """Without attributes the first section stands right after the parenthesis."""
    first, second = BodySection(), BodySection(label=b"BODY[TEXT]<0>")
    layout = fetch_layout((first, second))
    assert layout.head(3, (5,)) + layout.section_head(first, 1) + b"x" + layout.section(second, b"") + CLOSE == (
        b"* 3 FETCH (BODY[] {1}\r\nx BODY[TEXT]<0> {0}\r\n)\r\n"
    )


def test_flag_changes():
    """Changes of flags are told with UID and MODSEQ as the session wants them."""
    rows = [(5, 1, "", 77), (9, 3, "x", 78)]
    assert fetch_flags_bulk([1, 2], rows, uid=False, modseq=False) == (
        b"* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Answered \\Seen x))\r\n"
    )
    assert fetch_flags_bulk([1, 2], rows, uid=True, modseq=True).startswith(
        b"* 1 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (77))\r\n"
    )
    assert fetch_flags_bulk([], [], uid=True, modseq=True) == b""
    assert fetch_modseq_bulk([1], [5], [77], uid=False) == b"* 1 FETCH (MODSEQ (77))\r\n"
    assert fetch_modseq_bulk([1], [5], [77], uid=True) == b"* 1 FETCH (UID 5 MODSEQ (77))\r\n"
    assert fetch_modseq_bulk([], [], [], uid=True) == b""


def test_select():
    """SELECT tells all that RFC 3501 §6.3.1 wants."""
    facts = mailbox.SelectFacts(
        messages=172, recent=0, first_unseen=12, uidvalidity=3857529045, uidnext=4392, highestmodseq=715194045007
    )
    assert mailbox.select_responses(facts).split(b"\r\n") == [
        b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
        b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted",
        b"* 172 EXISTS",
        b"* 0 RECENT",
        b"* OK [UNSEEN 12] First unseen",
        b"* OK [UIDVALIDITY 3857529045] UIDs valid",
        b"* OK [UIDNEXT 4392] Predicted next UID",
        b"* OK [HIGHESTMODSEQ 715194045007] Highest",
        b"",
    ]


def test_examine():
    """A mailbox open for reading has no permanent flags; what is not known is left out."""
    facts = mailbox.SelectFacts(
        messages=0, recent=0, first_unseen=0, uidvalidity=1, uidnext=1, highestmodseq=0, keywords=("k",), read_only=True
    )
    said = mailbox.select_responses(facts)
    assert b"[PERMANENTFLAGS ()]" in said
    assert b"UNSEEN" not in said
    assert b"[HIGHESTMODSEQ 1]" in said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (mailbox.exists(23), b"* 23 EXISTS\r\n"),
        (mailbox.expunges([7, 3]), b"* 7 EXPUNGE\r\n* 3 EXPUNGE\r\n"),
        (mailbox.expunges([]), b""),
        (mailbox.list_response("a b", (b"\\HasNoChildren",)), b'* LIST (\\HasNoChildren) "/" "a b"\r\n'),
        (
            mailbox.list_response("Foo", (), child_info=(b"SUBSCRIBED",)),
            b'* LIST () "/" Foo ("CHILDINFO" ("SUBSCRIBED"))\r\n',
        ),
        (mailbox.list_response("x", (b"\\Noselect",), verb=b"LSUB"), b'* LSUB (\\Noselect) "/" x\r\n'),
        (mailbox.delimiter_response(), b'* LIST (\\Noselect) "/" ""\r\n'),
        (
            mailbox.status_response("blurdybloop", {StatusItem.MESSAGES: 231, StatusItem.UIDNEXT: 44292}),
            b"* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)\r\n",
        ),
        (mailbox.search_response([2, 84, 882]), b"* SEARCH 2 84 882\r\n"),
        (mailbox.search_response([]), b"* SEARCH\r\n"),
        (mailbox.search_response([2, 5], modseq=917162500), b"* SEARCH 2 5 (MODSEQ 917162500)\r\n"),
        (mailbox.quota_response("", [(b"STORAGE", 10, 512)]), b'* QUOTA "" (STORAGE 10 512)\r\n'),
        (mailbox.quotaroot_response("INBOX", ["user x"]), b'* QUOTAROOT INBOX "user x"\r\n'),
        (codes.appenduid(38505, 3955), b"APPENDUID 38505 3955"),
        (codes.copyuid(38505, [304, 319, 320], [3956, 3957, 3958]), b"COPYUID 38505 304,319:320 3956:3958"),
        (codes.modified([7, 9]), b"MODIFIED 7,9"),
        (
            mailbox.flags_response(["$a"]),
            (
                b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $a)\r\n"
                b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $a \\*)] Flags permitted\r\n"
            ),
        ),
    ],
)
def test_responses(said, expected):
    """A response is these octets."""
    assert said == expected


R = SearchReturn


@pytest.mark.parametrize(
    ("returns", "numbers", "rest", "expected"),
    [
        (R.MIN | R.COUNT, [2, 47], {}, b'* ESEARCH (TAG "A282") MIN 2 COUNT 2\r\n'),
        (R.ALL, [2, 10, 11], {}, b'* ESEARCH (TAG "A282") ALL 2,10:11\r\n'),
        (R.MIN | R.MAX, [], {"uid": True}, b'* ESEARCH (TAG "A282") UID\r\n'),
        (R.COUNT, [], {}, b'* ESEARCH (TAG "A282") COUNT 0\r\n'),
        (R.ALL | R.MAX, [1], {"uid": True, "modseq": 9}, b'* ESEARCH (TAG "A282") UID MAX 1 ALL 1 MODSEQ 9\r\n'),
    ],
)
def test_esearch(returns, numbers, rest, expected):
    """ESEARCH tells what was asked for, and nothing of an empty result but its count."""
    assert mailbox.esearch_response(b"A282", returns, numbers, **rest) == expected


@pytest.mark.parametrize(
    ("bodystructure", "body"),
    [
        pytest.param(TEXT + EXTRA, TEXT + b")", id="text"),
        pytest.param(TEXT + b")", TEXT + b")", id="no extension data"),
        pytest.param(
            b'("IMAGE" "PNG" NIL NIL {3}\r\na)b "BASE64" 554 NIL NIL NIL NIL)',
            b'("IMAGE" "PNG" NIL NIL {3}\r\na)b "BASE64" 554)',
            id="image with a literal",
        ),
        pytest.param(
            b"(" + TEXT + EXTRA + TEXT + EXTRA + b' "MIXED" ("BOUNDARY" "a(b") NIL ("en" "de") NIL)',
            b"(" + TEXT + b")" + TEXT + b') "MIXED")',
            id="multipart",
        ),
        pytest.param(
            b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 342 ' + ENVELOPE + b" " + TEXT + EXTRA + b" 9 NIL NIL NIL NIL)",
            b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 342 ' + ENVELOPE + b" " + TEXT + b") 9)",
            id="message",
        ),
    ],
)
def test_plain_body(bodystructure, body):
    """BODY is BODYSTRUCTURE without its extension data."""
    assert plain_body(bodystructure) == body


@pytest.mark.parametrize("text", [b"", b"x", b"(", b"()", b"(((", b'("TEXT" "PLAIN")', TEXT, TEXT + b") ", b"(" * 1000])
def test_no_body_structure(text):
    """What is no body structure is a syntax fault."""
    with pytest.raises(SyntaxFault):
        plain_body(text)
