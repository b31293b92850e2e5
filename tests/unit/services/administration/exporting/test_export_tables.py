"""Rows as CSV and JSON Lines."""

from __future__ import annotations

import json

import pytest

from posthouse.services.administration.exporting import tables
from posthouse.services.administration.exporting.tables import as_csv, as_json_lines


async def rows_from(rows):
    for row in rows:
        yield row


async def written(stream):
    return b"".join([piece async for piece in stream])


CELLS = [
    pytest.param(None, "", id="nothing"),
    pytest.param(True, "1", id="yes"),
    pytest.param(False, "0", id="no"),
    pytest.param(["a@b.example", "c@d.example"], "a@b.example c@d.example", id="list"),
    pytest.param('say "x", y', '"say ""x"", y"', id="quotes"),
    pytest.param("two\nlines", '"two\nlines"', id="lines"),
    pytest.param("=1+1", "=1+1", id="formula as it is"),
    pytest.param("Jürgen", "Jürgen", id="text"),
]


@pytest.mark.parametrize(("value", "expected"), CELLS)
async def test_cells(value, expected):
    """As RFC 4180 §2 writes them, in UTF-8."""
    text = await written(as_csv(rows_from([{"a": value, "b": "x"}]), ("a", "b")))
    assert text.decode() == f"a,b\r\n{expected},x\r\n"


@pytest.mark.parametrize("value", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx"])
async def test_formulas_are_defused_where_that_is_asked_for(value):
    """A spreadsheet then shows the text."""
    text = await written(as_csv(rows_from([{"a": value}]), ("a",), is_safe=True))
    assert text.decode().split("\r\n", 1)[1].lstrip('"').startswith("'" + value[0])


async def test_json_lines():
    """An object on each line, with the chosen fields alone."""
    text = await written(as_json_lines(rows_from([{"a": 1, "b": ["x"], "c": 3}, {"a": None}]), ("a", "b")))
    assert [json.loads(line) for line in text.splitlines()] == [{"a": 1, "b": ["x"]}, {"a": None, "b": None}]


@pytest.mark.parametrize("form", [as_csv, as_json_lines])
async def test_it_comes_in_pieces(form, monkeypatch):
    """Nothing holds the whole."""
    monkeypatch.setattr(tables, "PIECE", 100)
    pieces = [piece async for piece in form(rows_from([{"a": "x" * 30}] * 50), ("a",))]
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 200
    assert b"".join(pieces).count(b"x" * 30) == 50


async def test_no_rows():
    """CSV has its first line all the same."""
    assert await written(as_csv(rows_from([]), ("a", "b"))) == b"a,b\r\n"
    assert await written(as_json_lines(rows_from([]), ("a",))) == b""
