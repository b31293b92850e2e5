"""Known answers of the grammar: lines of the RFCs and what they mean."""

from __future__ import annotations

import pytest

from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.core.flags import Flag
from posthouse.protocols.imap.commands.table import COMMANDS, enables_condstore
from posthouse.protocols.imap.types import commands as c
from posthouse.protocols.imap.types import search as s
from posthouse.protocols.imap.types.fetch import BodySection, FetchAttribute, SectionText
from posthouse.protocols.imap.types.flags import StoreMode
from posthouse.protocols.imap.types.listing import ListReturn, ListSelection, StatusItem
from posthouse.protocols.imap.types.mailbox_name import NameFault
from posthouse.protocols.imap.types.search import CharsetFault
from posthouse.protocols.imap.types.sequence import SequenceSet

A = FetchAttribute
ALL_SEQ = SequenceSet(((1, 0),))
FAST = (A.FLAGS, A.INTERNALDATE, A.RFC822_SIZE)
DAY_1994_02_01 = 8797


def read(line: bytes) -> c.Command:
    name, _, arguments = line.partition(b" ")
    return COMMANDS[name.upper()].parse(arguments)


SOME_SEQ = SequenceSet(((2, 4),))


def fetch(*items, numbers=SOME_SEQ, **rest):
    return c.Fetch(numbers=numbers, items=items, **rest)


def search(*keys, **rest):
    return c.Search(key=keys[0] if len(keys) == 1 else s.And(keys), **rest)


KNOWN = [
    (b"LOGIN SMITH SESAME", c.Login(login=b"SMITH", password=b"SESAME")),
    (b'LOGIN "a\\"b\\\\c" {3+}\r\n\xc3\xa9!', c.Login(login=b'a"b\\c', password=b"\xc3\xa9!")),
    (b"AUTHENTICATE PLAIN =", c.Authenticate(mechanism="PLAIN", initial=b"=")),
    (b"SELECT INBOX", c.Select(mailbox="INBOX")),
    (b'select "blurdybloop"', c.Select(mailbox="blurdybloop")),
    (b"SELECT INBOX (CONDSTORE)", c.Select(mailbox="INBOX", condstore=True)),
    (b"EXAMINE blurdybloop", c.Select(mailbox="blurdybloop", read_only=True)),
    (b"SELECT a]b", c.Select(mailbox="a]b")),
    (b"CREATE owatagusiam/", c.Create(mailbox="owatagusiam")),
    (b"CREATE MyDrafts (USE (\\Drafts))", c.Create(mailbox="MyDrafts", special_use=("drafts",))),
    (b"DELETE foo/bar", c.Delete(mailbox="foo/bar")),
    (b"RENAME blurdybloop sarasoop", c.Rename(source="blurdybloop", target="sarasoop")),
    (b"SUBSCRIBE #news.comp.mail.mime", c.Subscribe(mailbox="#news.comp.mail.mime")),
    (b'LIST "" ""', c.List(reference="", patterns=("",))),
    (b'LIST "/usr/staff/jones" ""', c.List(reference="/usr/staff/jones", patterns=("",))),
    (b"LIST ~/Mail/ %", c.List(reference="~/Mail/", patterns=("~/Mail/%",))),
    (b'LSUB "#news." "comp.mail.*"', c.Lsub(reference="#news.", pattern="#news.comp.mail.*")),
    (
        b'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("INBOX" "Drafts" "Sent/%") RETURN (CHILDREN)',
        c.List(
            reference="",
            patterns=("INBOX", "Drafts", "Sent/%"),
            selection=ListSelection.SUBSCRIBED | ListSelection.RECURSIVEMATCH,
            returns=ListReturn.CHILDREN,
            extended=True,
        ),
    ),
    (
        b'LIST "" % RETURN (STATUS (MESSAGES UNSEEN) SPECIAL-USE)',
        c.List(
            reference="",
            patterns=("%",),
            returns=ListReturn.SPECIAL_USE,
            status=(StatusItem.MESSAGES, StatusItem.UNSEEN),
            extended=True,
        ),
    ),
    (
        b'LIST (SPECIAL-USE) "" "*"',
        c.List(reference="", patterns=("*",), selection=ListSelection.SPECIAL_USE, extended=True),
    ),
    (b'LIST "" "*" RETURN ()', c.List(reference="", patterns=("*",), extended=True)),
    (
        b"STATUS blurdybloop (UIDNEXT MESSAGES SIZE UIDNEXT)",
        c.Status(mailbox="blurdybloop", items=(StatusItem.UIDNEXT, StatusItem.MESSAGES, StatusItem.SIZE)),
    ),
    (b'GETQUOTA ""', c.GetQuota(root="")),
    (b"GETQUOTAROOT inbox", c.GetQuotaRoot(mailbox="INBOX")),
    (b"ID NIL", c.Id(parameters=())),
    (b'ID ("name" "sodr" "Vendor" NIL)', c.Id(parameters=(("name", "sodr"), ("vendor", None)))),
    (b"ENABLE condstore x", c.Enable(capabilities=(b"CONDSTORE", b"X"))),
    (
        b'APPEND saved-messages (\\Seen $MDNSent) " 7-Feb-1994 21:52:25 -0800" ',
        c.Append(mailbox="saved-messages", flags=Flag.SEEN, keywords=("$MDNSent",), internal_date=760686745),
    ),
    (b"APPEND x (\\Recent) ", c.Append(mailbox="x", flags=Flag.NONE, keywords=(), internal_date=None)),
    (b"EXPUNGE", c.Expunge()),
    (b"UID EXPUNGE 3000:3002", c.Expunge(uids=SequenceSet(((3000, 3002),)))),
    (b"FETCH 2:4 FAST", fetch(*FAST)),
    (b"FETCH 2:4 ALL", fetch(*FAST, A.ENVELOPE)),
    (b"FETCH 2:4 full", fetch(*FAST, A.ENVELOPE, A.BODY)),
    (b"FETCH 2:4 (FLAGS UID flags)", fetch(A.FLAGS, A.UID)),
    (b"UID FETCH 1:* flags", fetch(A.UID, A.FLAGS, numbers=ALL_SEQ, uid=True)),
    (b"FETCH 2:4 BODY", fetch(A.BODY)),
    (b"FETCH 2:4 BODY[]", fetch(BodySection())),
    (b"FETCH 2:4 RFC822", fetch(BodySection(label=b"RFC822"))),
    (b"FETCH 2:4 RFC822.HEADER", fetch(BodySection(text=SectionText.HEADER, peek=True, label=b"RFC822.HEADER"))),
    (b"FETCH 2:4 body.peek[text]", fetch(BodySection(text=SectionText.TEXT, peek=True, label=b"BODY[TEXT]"))),
    (b"FETCH 2:4 BODY[4.2.2.1]", fetch(BodySection(part=(4, 2, 2, 1), label=b"BODY[4.2.2.1]"))),
    (b"FETCH 2:4 BODY[4.1.MIME]", fetch(BodySection(part=(4, 1), text=SectionText.MIME, label=b"BODY[4.1.MIME]"))),
    (b"FETCH 2:4 BODY[3.HEADER]", fetch(BodySection(part=(3,), text=SectionText.HEADER, label=b"BODY[3.HEADER]"))),
    (b"FETCH 2:4 BODY[]<0.2048>", fetch(BodySection(partial=(0, 2048), label=b"BODY[]<0>"))),
    (
        b"FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM date)])",
        fetch(
            A.FLAGS,
            BodySection(
                text=SectionText.HEADER_FIELDS, fields=(b"date", b"from"), label=b"BODY[HEADER.FIELDS (DATE FROM date)]"
            ),
        ),
    ),
    (
        b'FETCH 2:4 BODY.PEEK[1.HEADER.FIELDS.NOT ("X Y" {1+}\r\nZ)]<5.6>',
        fetch(
            BodySection(
                part=(1,),
                text=SectionText.HEADER_FIELDS_NOT,
                fields=(b"x y", b"z"),
                partial=(5, 6),
                peek=True,
                label=b'BODY[1.HEADER.FIELDS.NOT ("X Y" Z)]<5>',
            )
        ),
    ),
    (b"FETCH 2:4 (FLAGS) (CHANGEDSINCE 12345)", fetch(A.FLAGS, A.MODSEQ, changed_since=12345)),
    (
        b"STORE 2:4 +FLAGS (\\Deleted)",
        c.Store(numbers=SequenceSet(((2, 4),)), mode=StoreMode.ADD, flags=Flag.DELETED, keywords=()),
    ),
    (
        b"UID STORE * -flags.silent $Junk $junk \\seen",
        c.Store(
            numbers=SequenceSet(((0, 0),)),
            mode=StoreMode.REMOVE,
            flags=Flag.SEEN,
            keywords=("$Junk",),
            silent=True,
            uid=True,
        ),
    ),
    (
        b"STORE 7,5,9 (UNCHANGEDSINCE 320162338) FLAGS ()",
        c.Store(
            numbers=SequenceSet(((7, 7), (5, 5), (9, 9))),
            mode=StoreMode.REPLACE,
            flags=Flag.NONE,
            keywords=(),
            unchanged_since=320162338,
        ),
    ),
    (b"COPY 2:4 MEETING", c.Copy(numbers=SequenceSet(((2, 4),)), mailbox="MEETING")),
    (b"UID MOVE 42:69 foo", c.Move(numbers=SequenceSet(((42, 69),)), mailbox="foo", uid=True)),
    (
        b'SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"',
        search(
            s.HasFlag(Flag.FLAGGED), s.Day(s.Comparison.SINCE, DAY_1994_02_01), s.Not(s.HeaderContains("from", "Smith"))
        ),
    ),
    (b'SEARCH TEXT "string not in mailbox"', search(s.TextContains("string not in mailbox"))),
    (b"SEARCH CHARSET UTF-8 TEXT {6}\r\n\xd0\xb8\xd0\xb2\xd0\xb0", search(s.TextContains("ива"))),
    (b"SEARCH charset koi8-r subject {3+}\r\n\xc9\xd7\xc1", search(s.HeaderContains("subject", "ива"))),
    (
        b"SEARCH OR 1,5 (UNSEEN KEYWORD $x) UID 4:*",
        search(
            s.Or(
                s.SequenceNumbers(SequenceSet(((1, 1), (5, 5)))),
                s.And((s.HasFlag(Flag.SEEN, False), s.HasKeyword("$x"))),
            ),
            s.Uids(SequenceSet(((4, 0),))),
        ),
    ),
    (b"SEARCH NEW", search(s.And((s.Recent(), s.HasFlag(Flag.SEEN, False))))),
    (b"SEARCH OLD UNKEYWORD a", search(s.Not(s.Recent()), s.HasKeyword("a", False))),
    (b'SEARCH SENTON "1-Feb-1994"', search(s.Day(s.Comparison.ON, DAY_1994_02_01, True))),
    (b"SEARCH LARGER 10 SMALLER 20", search(s.Larger(10), s.Smaller(20))),
    (b'SEARCH HEADER X-Spam "" BODY x', search(s.HeaderContains("x-spam", ""), s.BodyContains("x"))),
    (
        b'SEARCH MODSEQ "/flags/\\\\draft" all 620162338',
        search(s.ModSeqAtLeast(620162338)),
    ),
    (
        b"UID SEARCH RETURN (MIN COUNT) ALL",
        search(s.All(), uid=True, returns=s.SearchReturn.MIN | s.SearchReturn.COUNT),
    ),
    (b"SEARCH RETURN () DRAFT", search(s.HasFlag(Flag.DRAFT), returns=s.SearchReturn.ALL)),
    (b"SEARCH *", search(s.SequenceNumbers(SequenceSet(((0, 0),))))),
]


@pytest.mark.parametrize(
    ("line", "expected"), KNOWN, ids=lambda value: value.decode("latin-1") if isinstance(value, bytes) else ""
)
def test_known_answers(line, expected):
    """The line means this command."""
    assert read(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"NOOP x",
        b"LOGIN",
        b"LOGIN a",
        b"LOGIN a b c",
        b'LOGIN "a b',
        b"LOGIN {3}\r\na\0b x",
        b"LOGIN {5}\r\nab",
        b"SELECT",
        b"SELECT (CONDSTORE)",
        b"SELECT a (QRESYNC)",
        b"CREATE x (USE)",
        b"RENAME a",
        b'LIST ""',
        b'LIST (BOGUS) "" *',
        b'LIST (RECURSIVEMATCH) "" *',
        b'LIST "" * RETURN (BOGUS)',
        b'LIST "" * RETURN (CHILDREN',
        b"STATUS x ()",
        b"STATUS x (BOGUS)",
        b"APPEND x (\\Bogus) ",
        b'APPEND x "30-Feb-2020 00:00:00 +0000" ',
        b'APPEND x "01-Jan-2020 24:00:00 +0000" ',
        b"ID (a b)",
        b"ENABLE",
        b"FETCH 1",
        b"FETCH 1 ()",
        b"FETCH 1 (FLAGS FAST)",
        b"FETCH 1 BOGUS",
        b"FETCH 1 FLAGS[]",
        b"FETCH 1 BODY[MIME]",
        b"FETCH 1 BODY[0]",
        b"FETCH 1 BODY[1.]",
        b"FETCH 1 BODY[.1]",
        b"FETCH 1 BODY[HEADER.FIELDS]",
        b"FETCH 1 BODY[HEADER.FIELDS ()]",
        b"FETCH 1 BODY[]<5>",
        b"FETCH 1 BODY[]<5.0>",
        b"FETCH 1 BODY[",
        b"FETCH 1 (FLAGS) (VANISHED)",
        b"FETCH a FLAGS",
        b"STORE 1 FLAGS",
        b"STORE 1 =FLAGS (x)",
        b"STORE 1 FLAGS (a",
        b"STORE 1 FLAGS \\*",
        b"COPY 1",
        b"SEARCH",
        b"SEARCH BOGUS",
        b"SEARCH (ALL",
        b"SEARCH ALL)",
        b"SEARCH OR ALL",
        b"SEARCH ON 32-Jan-2020",
        b"SEARCH ON 1-Foo-2020",
        b"SEARCH ON 1-Jan-0000",
        b"SEARCH RETURN (BOGUS) ALL",
        b'SEARCH FROM "\xff"',
        b"UID",
        b"UID NOOP",
        b"UID FETCH",
        b"UID EXPUNGE",
    ],
)
def test_malformed(line):
    """What does not follow the grammar is a syntax fault."""
    with pytest.raises(SyntaxFault):
        read(line)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"SEARCH " + b"NOT " * 101 + b"ALL", LimitFault),
        (b"SEARCH " + b"(" * 101 + b"ALL" + b")" * 101, LimitFault),
        (b"SEARCH " + b"OR ALL " * 101 + b"ALL", LimitFault),
        (b"SEARCH CHARSET X ALL", CharsetFault),
        (b"SELECT &AGE-", NameFault),
        (b"STORE 1 FLAGS (" + b"a " * 1001 + b"a)", LimitFault),
        (b"STORE 1 FLAGS (" + b"a" * 300 + b")", LimitFault),
        (b'LIST "" (' + b"a " * 101 + b"a)", LimitFault),
        (b'LIST "" ' + b"a" * 5000, LimitFault),
        (b"ID (" + b'"a" "b" ' * 61 + b'"a" "b")', LimitFault),
    ],
)
def test_limits_and_names(line, fault):
    """Limits and impossible names have faults of their own."""
    with pytest.raises(fault):
        read(line)


@pytest.mark.parametrize(
    ("line", "enables"),
    [
        (b"SELECT x (CONDSTORE)", True),
        (b"SELECT x", False),
        (b"FETCH 1 MODSEQ", True),
        (b"FETCH 1 FLAGS", False),
        (b"STORE 1 (UNCHANGEDSINCE 1) FLAGS (a)", True),
        (b"STATUS x (HIGHESTMODSEQ)", True),
        (b"SEARCH OR NOT MODSEQ 5 ALL SEEN", True),
        (b"SEARCH ALL SEEN", False),
        (b"NOOP", False),
    ],
)
def test_condstore_is_enabled_by_use(line, enables):
    """A client that uses mod-sequences has told that it knows them (RFC 7162 §3.1)."""
    assert enables_condstore(read(line)) is enables
