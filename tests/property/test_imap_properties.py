"""Properties of IMAP: parsers and printers are inverse, splits mean nothing, numbers agree with a plain list."""

from __future__ import annotations

import importlib.util
from array import array
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.format.strings import astring, quoted_or_literal
from posthouse.protocols.imap.grammar import strings as grammar
from posthouse.protocols.imap.selected import Selected
from posthouse.protocols.imap.types.mailbox_name import compile_pattern, decode_name, encode_name
from posthouse.protocols.imap.types.sequence import SequenceSet, format_ranges, parse_sequence_set, ranges_of
from posthouse.protocols.imap.types.state import SessionConfig
from posthouse.testing.imap_peer import ImapPeer

FUZZ = Path(__file__).parents[1] / "fuzz"
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

numbers = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
uid_lists = st.lists(st.integers(1, 300), unique=True, max_size=80).map(sorted)


def _fuzz_target():
    spec = importlib.util.spec_from_file_location("imap_session_target", FUZZ / "targets" / "imap_session.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.target


target = _fuzz_target()


@quick
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_sequence_set_is_read_as_written(pairs):
    """A sequence set printed and read is itself."""
    value = SequenceSet(tuple(pairs))
    assert parse_sequence_set(bytes(value)).pairs == value.pairs


@quick
@given(uid_lists)
def test_numbers_survive_ranges(values):
    """Numbers made ranges, printed, read and resolved are the same numbers."""
    ranges = ranges_of(values)
    assert [number for low, high in ranges for number in range(low, high + 1)] == values
    if values:
        assert parse_sequence_set(format_ranges(ranges)).resolve(1) == ranges


@quick
@given(texts)
def test_mailbox_name_is_read_as_written(name):
    """Text encoded as modified UTF-7 and decoded is itself."""
    assert decode_name(encode_name(name)) == name


@quick
@given(st.binary(max_size=30))
def test_mailbox_name_has_one_spelling(data):
    """What is decoded encodes to the same octets, or is refused."""
    try:
        name = decode_name(data)
    except SyntaxFault:
        return
    assert encode_name(name) == data


@quick
@given(st.binary(max_size=60).filter(lambda data: b"\0" not in data))
def test_strings_are_read_as_written(data):
    """A string printed as string or astring is read as itself."""
    for text, read in ((quoted_or_literal(data), grammar.string), (astring(data), grammar.astring)):
        assert read(text, 0) == (data, len(text))


def _matches_naively(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] in "*%":
        rest = pattern[1:]
        reach = name if pattern[0] == "*" else name.split("/", maxsplit=1)[0]
        return any(_matches_naively(rest, name[place:]) for place in range(len(reach) + 1))
    return bool(name) and name[0] == pattern[0] and _matches_naively(pattern[1:], name[1:])


@quick
@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_pattern_matches_as_defined(pattern, name):
    """A compiled pattern agrees with the definition, letter by letter."""
    assert compile_pattern(pattern)(name) == _matches_naively(pattern, name)


CHUNKS = [
    b"a NOOP\r\n", b"b LOGIN user secret\r\n", b"c LOGIN {4}\r\nuser {6+}\r\nsecret\r\n", b"d SELECT INBOX\r\n",
    b"e APPEND INBOX {5+}\r\nhello\r\n", b"f APPEND missing {5+}\r\nhello\r\n", b"g APPEND x {2+}\r\nab {3+}\r\nabc\r\n",
    b"h IDLE\r\nDONE\r\n", b"i IDLE\r\nNOOP\r\n", b"j FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (A B)])\r\n",
    b"k SEARCH TEXT {3+}\r\nabc OR SEEN NOT {1+}\r\nx\r\n", b"l LOGIN {9999+}\r\n" + b"y" * 9999 + b" z\r\n", b"m BAD\n",
    b"\r\n", b"n APPEND x {99999}\r\n", b"o AUTHENTICATE PLAIN AHVzZXIAc2VjcmV0\r\n", b"p AUTHENTICATE LOGIN\r\n*\r\n",
    b"q SELECT {70000+}\r\n" + b"z" * 70000 + b"{3+}\r\nabc\r\n", b'r LIST "" {1+}\r\n*\r\n', b"{5}\r\n", b"s {3+}\r\n",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(CHUNKS), max_size=8), st.lists(st.integers(1, 5000), max_size=30))
def test_any_split_means_the_same(script, cuts):
    """The same octets give the same events, messages and answers, whatever pieces they come in."""
    data = b"".join(script)
    config = SessionConfig(plaintext_allowed=True, append_limit=80_000)
    whole, pieces = ImapPeer(config), ImapPeer(config)
    said = whole.feed(data)
    other = b""
    start = 0
    for cut in cuts:
        other += pieces.feed(data[start : start + cut])
        start += cut
    other += pieces.feed(data[start:])
    assert (other, pieces.seen, pieces.messages) == (said, whole.seen, whole.messages)


@quick
@given(st.integers(0, 255), st.lists(st.one_of(st.sampled_from(CHUNKS), st.binary(max_size=40)), max_size=6))
def test_machine_survives_anything(start, pieces):
    """The fuzz target holds for commands mixed with noise."""
    target(bytes([start]) + b"".join(pieces))


def test_fuzz_corpus():
    """The fuzz target holds for its corpus."""
    for path in sorted((FUZZ / "corpus" / "imap_session").iterdir()):
        target(path.read_bytes())


operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 30)),
        st.tuples(st.just("expunge"), st.lists(st.integers(1, 400), unique=True, max_size=40).map(sorted)),
    ),
    max_size=12,
)


@quick
@given(uid_lists, operations)
def test_client_view_agrees_with_a_list(start, steps):
    """Announced numbers, applied one by one to a plain list, give the same messages; so do all look-ups."""
    view, model = Selected(array("I", start)), list(start)
    for name, value in steps:
        if name == "append":
            new = list(range(view.last_uid + 1, view.last_uid + 1 + value))
            model += new
            assert view.append_uids(new) == len(model)
        else:
            gone = set(value) & set(model)
            for number in view.apply_expunged(value):
                assert model.pop(number - 1) in gone
            assert not gone & set(model)
        assert list(view.uids) == model
        some = model[::3]
        assert list(view.seqnums(some)) == [model.index(uid) + 1 for uid in some]
        assert list(view.known(range(1, 400, 2))) == [uid for uid in model if uid % 2 and uid < 400]
        assert list(view.members([(5, 50), (60, 200)])) == [uid for uid in model if 5 <= uid <= 50 or 60 <= uid <= 200]
