"""Tables at terminals of several widths, in pipes, and with what peers put into them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posthouse.cli.tables import Table, aligned, cut, fit, has_colours, padded, safe, width_of

HEADS = ["queue id", "age", "from", "to", "state", "last reply"]
ROWS = [
    [
        "1K0RD807RWJ01",
        "3h",
        "anna@example.org",
        "a.very.long.name.indeed@partner.example",
        "waiting",
        "451 4.7.1 later",
    ],
    ["1K0RD807RWJ02", "2w", "", "b@far.example", "held", ""],
    ["1K0RD807RWJ03", "5m", "岡田@例え.jp", "c@far.example", "active", "no session came about"],
]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def printed(out: io.StringIO) -> str:
    """Return what a table of ``ROWS`` looks like."""
    assert Table(HEADS, out).print(ROWS) == len(ROWS)
    return out.getvalue()


GOLDEN = {
    60: """\
queue id       age  from      to         state    last reply
1K0RD807RWJ01  3h   anna@ex…  a.very.l…  waiting  451 4.7.1…
1K0RD807RWJ02  2w             b@far.ex…  held
1K0RD807RWJ03  5m   岡田@例…  c@far.ex…  active   no sessio…
""",
    80: """\
queue id       age  from             to                state    last reply
1K0RD807RWJ01  3h   anna@example.o…  a.very.long.nam…  waiting  451 4.7.1 later
1K0RD807RWJ02  2w                    b@far.example     held
1K0RD807RWJ03  5m   岡田@例え.jp     c@far.example     active   no session came…
""",
    200: """\
queue id       age  from              to                                       state    last reply
1K0RD807RWJ01  3h   anna@example.org  a.very.long.name.indeed@partner.example  waiting  451 4.7.1 later
1K0RD807RWJ02  2w                     b@far.example                            held
1K0RD807RWJ03  5m   岡田@例え.jp      c@far.example                            active   no session came about
""",
}


@pytest.mark.parametrize("columns", GOLDEN)
def test_a_table_fits_the_terminal(monkeypatch, columns) -> None:
    """The widest columns give way with an ellipsis; no line is longer than the terminal is wide."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    shown = printed(Terminal())
    assert shown == GOLDEN[columns]
    assert all(width_of(line) <= columns for line in shown.splitlines())


def test_a_pipe_gets_everything(monkeypatch) -> None:
    """Nothing is cut where a program reads, whatever COLUMNS says."""
    monkeypatch.setenv("COLUMNS", "40")
    assert printed(io.StringIO()) == GOLDEN[200]


def test_columns_without_room_are_left_out_and_named(monkeypatch, capsys) -> None:
    """On a very narrow terminal the last ones go, and that is said."""
    monkeypatch.setenv("COLUMNS", "36")
    monkeypatch.setenv("NO_COLOR", "1")
    first = printed(Terminal()).splitlines()[0]
    assert first.split() == ["queue", "id", "age", "from"]
    assert "no room for: to, state, last reply" in capsys.readouterr().err


def test_heads_are_bold_at_terminals_that_want_it(monkeypatch) -> None:
    """Not with NO_COLOR, not at a dumb terminal, not in a pipe."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert printed(Terminal()).startswith("\x1b[1mqueue id")
    assert not has_colours(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not has_colours(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colours(Terminal())


def test_a_list_without_end_takes_no_memory() -> None:
    """The first rows decide how wide columns are; later ones are printed as they come."""
    out = io.StringIO()
    rows = ([str(number), "x" * (600 if number == 900 else 3)] for number in range(1_000))
    assert Table(["number", "text"], out).print(rows) == 1_000
    lines = out.getvalue().splitlines()
    assert (lines[1], len(lines[901])) == ("0       xxx", 608)


def test_nothing_is_printed_for_no_rows() -> None:
    """Not even heads."""
    out = io.StringIO()
    assert (Table(HEADS, out).print([]), out.getvalue()) == (0, "")


def test_control_characters_never_reach_a_terminal() -> None:
    """Neither escapes nor line ends nor marks that turn text round."""
    out = io.StringIO()
    Table(["to"], out).print([["\x1b[2J\r\nx\u202ey"]])
    aligned([("na\x07me", "va\x1blue\nsecond")], out)
    assert out.getvalue() == "to\n\ufffd[2J\ufffd\ufffdx\ufffdy\nna\ufffdme:  va\ufffdlue\n        second\n"
    assert safe("plain") == "plain"


def test_long_values_are_wrapped_at_a_terminal(monkeypatch) -> None:
    """Below where they begin."""
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    aligned([("text", "one two three four five six seven eight nine"), ("name", "x")], out)
    assert out.getvalue() == "text:  one two three four five six seven\n       eight nine\nname:  x\n"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("岡田", 4), ("e\u0301", 1), ("", 0)], ids=["ascii", "wide", "combining", "empty"]
)
def test_width_is_counted_as_terminals_do(text, width) -> None:
    """Wide letters take two columns, combining ones none."""
    assert width_of(text) == width
    assert width_of(padded(text, 6)) == 6


@given(st.text(max_size=30), st.integers(1, 20))
def test_what_is_cut_fits(text, width) -> None:
    """Whatever the text is."""
    assert width_of(cut(text, width)) <= max(width, 1)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=12), st.integers(20, 300))
def test_columns_always_fit(widths, room) -> None:
    """Whatever they would need."""
    shown = fit(widths, [min(each, 10) for each in widths], room)
    assert 1 <= len(shown) <= len(widths)
    assert sum(shown) + 2 * (len(shown) - 1) <= room
