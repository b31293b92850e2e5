"""What is written into a snapshot is what is read from it."""

from __future__ import annotations

import string
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.state import document
from posthouse.services.administration.state.kinds import KINDS, FieldOf, Fields, Key, Shape, without_defaults

WORD = st.text(string.ascii_lowercase, min_size=1, max_size=6)
LINE = st.text(st.characters(codec="utf-8"), max_size=20).filter(str.isprintable)
ADDRESS = st.builds("{}@{}.test".format, WORD, WORD)
SHAPES: dict[Shape, st.SearchStrategy[Any]] = {
    Shape.TEXT: LINE,
    Shape.BOOL: st.booleans(),
    Shape.NUMBER: st.integers(0, 10**12),
    Shape.SIZE: st.sampled_from(["0", "17", "1 KiB", "3 GiB"]),
    Shape.MAP: st.dictionaries(WORD, LINE, max_size=3),
    Shape.SECRET: st.sampled_from(["", "secret:0123"]),
}
KEYS = {
    "office": WORD,
    "domain": st.builds("{}.test".format, WORD),
    "account": ADDRESS,
    "alias": ADDRESS,
    "group": ADDRESS,
    "share": st.builds("{} {}".format, ADDRESS, ADDRESS),
    "route": st.builds(".{}.test".format, WORD) | st.just("*"),
    "source": WORD,
    "setting": st.builds("domain:{} {}.{}".format, WORD, WORD, WORD),
    "wording": st.builds("server {} {}".format, WORD, WORD),
}


def _value(of: FieldOf) -> st.SearchStrategy[Any]:
    if of.words is not None:
        return st.sampled_from([word.value for word in of.words])
    if of.shape is Shape.LIST:
        return st.lists(ADDRESS, unique=True, max_size=12).map(sorted)
    return st.just(of.default) if of.check is not None else SHAPES[of.shape]


@st.composite
def objects(draw: st.DrawFn) -> tuple[Key, Fields]:
    """Return an object of any kind."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    key = draw(KEYS[kind.name])
    if kind.name == "setting":
        return (kind.name, key), {"value": draw(LINE)}
    fields = {name: draw(_value(of)) for name, of in kind.fields.items() if draw(st.booleans())}
    return (kind.name, key), without_defaults(kind, fields)


async def _file(given: dict[Key, Fields], secrets: dict[str, str]) -> bytes:
    async def all_objects() -> AsyncIterator[tuple[Key, Fields]]:
        for key in sorted(given):
            yield key, given[key]

    async def all_secrets() -> AsyncIterator[tuple[str, str]]:
        for pair in secrets.items():
            yield pair

    return b"".join([piece async for piece in document.written(all_objects(), "mail.test", all_secrets())])


@given(st.lists(objects(), max_size=12).map(dict), st.dictionaries(WORD, LINE, max_size=3))
async def test_written_is_read(state: dict[Key, Fields], secrets: dict[str, str]):
    """Reading what was written gives the same objects and secrets."""
    found = document.read(await _file(state, secrets))
    empty_settings = {key for key in state if key[0] == "setting" and not state[key]["value"]}
    assert {key: found.objects[key] for key in found.objects if key not in empty_settings} == {
        key: fields for key, fields in state.items() if key not in empty_settings
    }
    assert found.secrets == secrets


@given(st.lists(objects(), min_size=1, max_size=4).map(dict), st.data())
async def test_a_file_that_is_cut_off_is_refused(state: dict[Key, Fields], data: st.DataObject):
    """A snapshot that lacks its end is refused wherever it was cut, since what is missing would be pruned."""
    content = await _file(state, {})
    with pytest.raises(Refused):
        document.read(content[: data.draw(st.integers(0, len(content) - 3))])


@given(st.lists(objects(), min_size=1, max_size=4).map(dict), st.data())
async def test_a_damaged_file_is_refused_or_read(state: dict[Key, Fields], data: st.DataObject):
    """Cutting a file or changing an octet gives objects or a refusal, never another exception."""
    content = await _file(state, {})
    cut = data.draw(st.integers(0, len(content)))
    octet = bytes([data.draw(st.integers(0, 255))])
    for damaged in (content[:cut], content[:cut] + octet + content[cut + 1 :]):
        try:
            document.read(damaged)
        except Refused as refused:
            assert refused.detail
