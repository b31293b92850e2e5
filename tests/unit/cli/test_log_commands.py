"""``posthouse log``: search and summary over the files of a home."""

from __future__ import annotations

import gzip
import time

import orjson
import pytest

from posthouse.telemetry.formats import make_json_formatter

FORM = make_json_formatter()


@pytest.fixture
def log(home):
    """Return the path of a log with two files."""
    now = time.time()
    folder = home / "log"
    old = FORM(
        now - 90_000,
        "info",
        "message.received",
        {"queue_id": "OLD", "from": "a@b.test", "to": ["ann@example.test"], "size": 1},
    )
    new = FORM(now, "info", "message.received", {"queue_id": "NEW", "from": "c@d.test", "size": 2, "session": "s"})
    odd = FORM(now, "warning", "auth.refused", {"login": "x\x9b31m", "peer": "192.0.2.1"})
    (folder / "posthouse.log.2023-11-12T000000Z.gz").write_bytes(gzip.compress(b"broken")[:-6])
    stamp = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(now - 80_000))
    (folder / f"posthouse.log.{stamp}.gz").write_bytes(gzip.compress(old))
    (folder / "posthouse.log").write_bytes(new + odd + b"{half")
    return folder / "posthouse.log"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ["OLD", "NEW", None]),
        (("--event", "message"), ["OLD", "NEW"]),
        (("--event", "message", "--count", "1"), ["OLD"]),
        (("--level", "warning"), [None]),
        (("--account", "ANN@"), ["OLD"]),
        (("--queue-id", "new"), ["NEW"]),
        (("--session", "s"), ["NEW"]),
        (("--since", "1h"), ["NEW", None]),
        (("--until", "1h"), ["OLD"]),
        (("--contains", "nothing"), []),
    ],
)
def test_search(run, log, words, expected) -> None:
    """Rotated files are read too, whatever is broken among them is told, and nothing steers the terminal."""
    said = run("log", "search", *words)
    assert said.code == 0
    assert [orjson.loads(line).get("queue_id") for line in said.out.splitlines()] == expected
    assert "\x9b" not in said.out


def test_another_file(run, log, tmp_path) -> None:
    """A log that was carried here can be searched."""
    (tmp_path / "other.log").write_bytes(log.read_bytes())
    assert len(run("log", "search", "--file", str(tmp_path / "other.log")).out.splitlines()) == 2


def test_summary(run, log) -> None:
    """For people and as JSON; the day is today unless another is named."""
    assert "1  messages received" in run("log", "summary").out
    (row,) = run("log", "summary", "--json").rows
    assert (row["received"], row["sign_in_failures"]) == (1, 1)
    (row,) = run("log", "summary", "--json", "--day", "2001-01-01").rows
    assert (row["day"], row["lines"]) == ("2001-01-01", 0)


@pytest.mark.parametrize(
    "words", [("summary", "--day", "soon"), ("search", "--since", "soon"), ("tail", "--level", "loud")]
)
def test_words_that_cannot_be_used(run, words) -> None:
    """A usage error says what is expected."""
    assert run("log", *words).code == 64


def test_tail_without_a_server(run) -> None:
    """There is nobody to follow."""
    said = run("log", "tail")
    assert said.code == 69
    assert "no server runs" in said.err


def test_a_home_without_a_json_file(run, home) -> None:
    """Search says what is missing, and what to do."""
    file = home / "posthouse.toml"
    file.write_text(file.read_text().replace('target = "log/posthouse.log"', 'target = "stderr"'))
    said = run("log", "search")
    assert said.code == 78
    assert "--file" in said.err
