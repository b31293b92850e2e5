"""LDAP: what is printed is read as the same value, in octets and in text, and any split gives the same messages."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from posthouse.protocols.ldap.filters import fill_filter, format_filter, parse_filter
from posthouse.protocols.ldap.messages import format_message, parse_message
from posthouse.protocols.ldap.names import format_name, parse_name
from posthouse.protocols.ldap.types import (
    And,
    BindRequest,
    BindResponse,
    Compare,
    Comparison,
    Control,
    Extensible,
    Message,
    Not,
    Or,
    Present,
    Result,
    Sasl,
    SearchEntry,
    SearchRequest,
    Simple,
    Substrings,
)
from posthouse.protocols.ldap.wire import MessageSplitter

ATTRIBUTES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}(;[a-z0-9-]{1,4})?|[0-9]{1,3}(\.[0-9]{1,3}){1,4}", fullmatch=True)
VALUES = st.binary(max_size=12) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass"))
PIECES = VALUES.filter(bool)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ITEMS = (
    st.builds(Present, ATTRIBUTES)
    | st.builds(Compare, ATTRIBUTES, st.sampled_from(Comparison), VALUES)
    | st.builds(Substrings, ATTRIBUTES, PIECES, st.lists(PIECES, max_size=3).map(tuple), VALUES)
    | st.builds(Extensible, VALUES, ATTRIBUTES, st.sampled_from(["", "2.4.6", "caseExactMatch"]), st.booleans())
)
FILTERS = st.recursive(
    ITEMS,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=8,
)
RESULTS = st.builds(Result, st.integers(0, 200), TEXTS, TEXTS, st.lists(TEXTS, max_size=2).map(tuple))
OPERATIONS = (
    st.builds(BindRequest, TEXTS, st.builds(Simple, VALUES) | st.builds(Sasl, TEXTS, st.none() | VALUES))
    | st.builds(
        SearchRequest,
        base=TEXTS,
        filter=FILTERS,
        size_limit=st.integers(0, 2**31 - 1),
        attributes=st.lists(ATTRIBUTES, max_size=3).map(tuple),
    )
    | st.builds(BindResponse, RESULTS, st.none() | VALUES)
    | st.builds(
        SearchEntry,
        TEXTS,
        st.lists(st.tuples(TEXTS, st.lists(VALUES, max_size=3).map(tuple)), max_size=3).map(tuple),
    )
)
CONTROLS = st.lists(st.builds(Control, ATTRIBUTES, st.booleans(), st.none() | VALUES), max_size=2).map(tuple)
MESSAGES = st.builds(Message, st.integers(0, 2**31 - 1), OPERATIONS, CONTROLS)
NAMES = st.lists(
    st.lists(st.tuples(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,5}", fullmatch=True), TEXTS), min_size=1, max_size=2)
    .map(tuple),
    max_size=4,
).map(tuple)  # fmt: skip


@given(MESSAGES)
def test_messages_are_read_as_written(message) -> None:
    """Every message, in octets."""
    assert parse_message(format_message(message)) == message


@given(FILTERS)
def test_filters_are_read_as_printed(value) -> None:
    """Every filter, in text."""
    assert parse_filter(format_filter(value)) == value


@given(NAMES)
def test_names_are_read_as_printed(name) -> None:
    """Every name, in text."""
    assert parse_name(format_name(name)) == name


@given(TEXTS)
def test_what_is_put_into_a_filter_is_one_value(text) -> None:
    """Whatever a stranger writes."""
    found = parse_filter(fill_filter("(&(a=1)(mail={login}))", {"login": text}))
    assert found == And((Compare("a", Comparison.EQUAL, b"1"), Compare("mail", Comparison.EQUAL, text.encode())))


@given(st.lists(MESSAGES, max_size=4), st.lists(st.integers(0, 400), max_size=6))
def test_any_split_gives_the_same_messages(messages, cuts) -> None:
    """However the octets come."""
    octets = [format_message(message) for message in messages]
    data = b"".join(octets)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    splitter = MessageSplitter()
    found = [each for at, end in itertools.pairwise(places) for each in splitter.feed(data[at:end])]
    assert found == octets
