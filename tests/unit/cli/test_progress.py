"""How far long work is."""

from __future__ import annotations

import io
import sys

from posthouse.cli import progress


def test_lines_come_now_and_then(capsys) -> None:
    """Not with every step, and nothing that steers a terminal."""
    now = [0.0]
    told = progress.Lines("import csv", monotonic=lambda: now[0])
    for step in range(12):
        told(step, 12, "accounts\x1b")
        now[0] += 1.0
    told(12, 0, "")
    assert capsys.readouterr().err == ("import csv: 5 of 12 accounts\ufffd\nimport csv: 10 of 12 accounts\ufffd\n")


def test_a_pipe_gets_lines_and_a_terminal_a_bar(monkeypatch) -> None:
    """The bar is gone when the work is done."""
    with progress.shown_progress("x") as told:
        assert isinstance(told, progress.Lines)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress.shown_progress("verify [x]") as told:
        told(1, 4, "rows [/bold]")
    assert "verify" in screen.getvalue()
