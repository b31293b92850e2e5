"""The frame of the command line: nouns, faults, exit codes, speed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import click
import pytest

from posthouse.cli import common, root, times
from posthouse.config.faults import ConfigFault
from posthouse.config.home import DEFAULT_HOME, HOME_VARIABLE
from posthouse.core.errors import Bug, Unavailable
from posthouse.services.administration.faults import Refused


@pytest.mark.parametrize("noun", sorted(root.NOUNS))
def test_every_noun_has_help(run, noun) -> None:
    """The line in the list of nouns is backed by a command with a help text."""
    said = run(noun, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: posthouse {noun}")


def test_help_lists_every_noun(run) -> None:
    """Without importing any of them."""
    told = run("--help")
    assert told.code == 0
    assert all(f"\n  {noun} " in told.out for noun in root.NOUNS)


def test_help_imports_nothing_that_is_slow() -> None:
    """Neither the event loop nor TLS nor the store: help is there at once."""
    program = (
        "import sys\nfrom posthouse.cli.root import root\n"
        "root.main(['--help'], standalone_mode=False)\n"
        "sys.stderr.write(' '.join({'asyncio', 'ssl', 'sqlite3', 'dns', 'cryptography', 'pydantic', 'rich', 'orjson'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""


FAULTS = [
    pytest.param(Refused("no", "Do this."), 65, "posthouse: no\n  Do this.\n", id="refused"),
    pytest.param(ConfigFault("bad", place="f:3", remedy="Mend."), 78, "posthouse: f:3: bad\n  Mend.\n", id="file"),
    pytest.param(Unavailable("disk full", where="x"), 75, None, id="may pass"),
    pytest.param(Bug("odd", where="x"), 70, None, id="ours"),
    pytest.param(PermissionError(errno.EACCES, "Permission denied", "/x"), 77, None, id="right"),
    pytest.param(OSError(errno.ENOSPC, "No space left on device", "/x"), 69, None, id="system"),
    pytest.param(click.UsageError("eh?"), 64, "posthouse: eh?\n  `posthouse --help` shows how.\n", id="usage"),
    pytest.param(click.Abort(), 130, "posthouse: interrupted\n", id="interrupted"),
]


@pytest.mark.parametrize(("fault", "code", "text"), FAULTS)
def test_faults_become_lines_and_exit_codes(run, monkeypatch, fault, code, text) -> None:
    """One line that says what, then the remedy; never a traceback."""

    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(root.root, "main", fail)
    said = run("status")
    assert said.code == code
    assert said.out == ""
    assert said.err.startswith("posthouse: ")
    assert "Traceback" not in said.err
    if text is not None:
        assert said.err == text


def test_a_misspelt_noun_is_a_usage_error(run) -> None:
    """With a hint how to see those there are."""
    said = run("acount", "list")
    assert said.code == os.EX_USAGE
    assert "posthouse --help" in said.err


def test_a_reader_that_goes_away_is_no_fault(home) -> None:
    """``posthouse setting list | head`` ends quietly."""
    command = f"'{sys.executable}' -m posthouse.cli --home '{home}' setting list --json | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_home_is_found_in_order(run, home, tmp_path, monkeypatch) -> None:
    """The option after the noun, the option before it, the variable, the default."""
    assert run("--home", str(tmp_path / "a"), "status", "--home", str(home)).code == os.EX_UNAVAILABLE
    assert str(tmp_path / "a") in run("--home", str(tmp_path / "a"), "status").err
    assert common.find_home("/x").path.as_posix() == "/x"
    assert common.find_home(None).path == home
    monkeypatch.delenv(HOME_VARIABLE)
    assert common.find_home(None).path == DEFAULT_HOME


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7_200), ("3d", 259_200), ("1w", 604_800), ("90 s", 90), ("5m", 300)]
)
def test_spans_mean_ago(text, seconds) -> None:
    """A span counts back from now."""
    assert times.since_text(text, 1_000_000.0) == 1_000_000.0 - seconds


def test_moments_are_read_with_and_without_a_zone() -> None:
    """A zone that is given is used."""
    assert times.since_text("2026-11-21T10:00+00:00", 0.0) == 1_795_255_200.0
    assert times.since_text("", 5.0) == 0.0
    assert times.since_text("2026-11-21", 0.0) > 1_795_100_000


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 octets"), (1023, "1023 octets"), (1536, "1.5 KiB"), (200 << 20, "200 MiB"), (3 << 50, "3072 TiB")],
)
def test_sizes_are_rounded_for_people(octets, text) -> None:
    """The largest unit, with three digits or so."""
    assert times.rounded_size(octets) == text


@pytest.mark.parametrize(("seconds", "text"), [(-1, "now"), (5, "in 5s"), (3_700, "in 1h"), (700_000, "in 1w")])
def test_the_next_attempt_is_told_in_words(seconds, text) -> None:
    """Now, or the largest unit."""
    assert times.until(seconds) == text
