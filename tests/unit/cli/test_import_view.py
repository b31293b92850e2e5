"""What a person sees of an import: how many became what, what is wrong with its place, what has no place here."""

from __future__ import annotations

import pytest

from posthouse.cli.habits import _imported
from posthouse.cli.performing import Order
from posthouse.services.administration.operations import import_
from posthouse.services.administration.operations.import_models import ImportCsv

ANSWER = {
    "source": "people.csv", "kind": "csv", "complete": True, "resumed_after": 0, "records": 3, "seconds": 0.25,
    "counts": {"accounts": {"made": 2, "refused": 1}}, "problem_count": 0, "problems": [], "left_out_count": 0,
    "left_out": [],
}  # fmt: skip


def shown(capsys, *, dry_run=False, **changed):
    """Return what is printed of an answer."""

    class Told:
        answer = ANSWER | changed
        order = Order(operation=import_.csv, given=ImportCsv(), dry_run=dry_run)

    _imported(Told())
    return capsys.readouterr().out


def test_counts_stand_in_a_table(capsys):
    """One line for each kind of thing."""
    assert shown(capsys).splitlines() == [
        "What became of 3 records of people.csv, in 0.25 seconds",
        "kind      made  refused",
        "accounts  2     1",
    ]


def test_a_dry_run_says_would(capsys):
    """So that nobody takes it for done."""
    assert shown(capsys, dry_run=True).startswith("What would become of 3 records")


PROBLEM = {"where": "people.csv:7", "detail": "'1x' is not a size", "remedy": "Write it like 500M."}
LEFT = {"why": "write them anew", "count": 5, "examples": [{"what": f"rule {n}", "where": f"r:{n}"} for n in range(5)]}


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        pytest.param(
            {"problem_count": 1, "problems": [PROBLEM]},
            "  people.csv:7: '1x' is not a size. Write it like 500M.",
            id="wrong: place, what, remedy",
        ),
        pytest.param(
            {"problem_count": 900, "problems": [PROBLEM] * 200},
            "  and 880 more; `--json` has the first 200",
            id="a great many are counted",
        ),
        pytest.param(
            {"left_out_count": 5, "left_out": [LEFT]},
            "  rule 0 (r:0), rule 1 (r:1), rule 2 (r:2), and 2 more: write them anew",
            id="no place here: examples of each reason",
        ),
        pytest.param(
            {"problem_count": 1, "problems": [PROBLEM | {"detail": "\x1b[2J", "remedy": ""}]},
            "  people.csv:7: \ufffd[2J",
            id="nothing of the file steers the terminal",
        ),
        pytest.param(
            {"complete": False}, "It was stopped; import the same file again, and it goes on.", id="stopped midway"
        ),
    ],
)
def test_trouble_is_told_line_by_line(capsys, changed, line):
    """Whole lines, however narrow the terminal."""
    assert line in shown(capsys, **changed).splitlines()
