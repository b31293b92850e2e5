"""The report of a day, by a process of its own."""

import datetime as dt
import json
import sys

import pytest

from posthouse.core.errors import Unavailable
from posthouse.services.administration.messages.daily import LONGEST, LogSummary

DAY = dt.date(2023, 11, 13)


async def test_the_command_is_asked_for_the_day(tmp_path) -> None:
    """With the home, and without anything that it could wait for."""
    shown = "import json, sys; print(json.dumps(sys.argv[1:])); sys.stdin.read()"
    told = await LogSummary(tmp_path, (sys.executable, "-c", shown))(DAY)
    assert json.loads(told) == ["--home", str(tmp_path), "log", "summary", "--day", "2023-11-13"]


async def test_what_it_complains_of_is_told(tmp_path) -> None:
    """In one line."""
    failing = "import sys; sys.stderr.write('there is no log\\nmore\\n'); sys.exit(78)"
    with pytest.raises(Unavailable) as caught:
        await LogSummary(tmp_path, (sys.executable, "-c", failing))(DAY)
    assert caught.value.detail == "there is no log"


async def test_a_report_is_bounded(tmp_path) -> None:
    """However long the lists are."""
    endless = f"print('x' * {LONGEST * 3})"
    assert len(await LogSummary(tmp_path, (sys.executable, "-c", endless))(DAY)) == LONGEST
