"""A home for commands, and a way to run them in this process."""

from __future__ import annotations

import asyncio
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from posthouse.cli import main
from posthouse.config.home import HOME_VARIABLE, Home
from posthouse.founding import Founding, found_home


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, object]]:
        """Return the JSON lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="session")
def model_home(tmp_path_factory) -> Path:
    """Return a home that is copied for each test."""
    path = tmp_path_factory.mktemp("model") / "home"
    plan = Founding(
        hostname="mail.example.test",
        domain="example.test",
        admin="ann",
        password=b"correct horse",
        listen=("127.0.0.1",),
        port_offset=31_000,
    )
    asyncio.run(found_home(Home(path), plan))
    return path


@pytest.fixture
def home(tmp_path, model_home) -> Path:
    """Return a home of this test."""
    import shutil

    return Path(shutil.copytree(model_home, tmp_path / "home"))


@pytest.fixture
def run(home, monkeypatch, capfd):
    """Return what runs a command on the home."""
    monkeypatch.setenv(HOME_VARIABLE, str(home))

    def run_command(*words: str, text: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(words))
        captured = capfd.readouterr()
        return Said(int(left.value.code or 0), captured.out, captured.err)

    return run_command
