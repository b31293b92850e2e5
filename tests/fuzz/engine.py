"""Targets, their corpora and dictionaries, and a plain mutator for where no coverage-guided engine is at hand."""

from __future__ import annotations

import importlib
import random
import re
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
CORPUS = FOLDER / "corpus"
DICTIONARIES = FOLDER / "dictionaries"
FINDINGS = FOLDER / "findings"
MEMORY = 1 << 30  # octets; a target that needs more has a fault
PATIENCE = 10.0  # seconds for one input
MAX_LENGTH = 20_000

Target = Callable[[bytes], None]
_WORD = re.compile(rb'^[^#"]*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_ESCAPE = re.compile(rb'\\(x[0-9A-Fa-f]{2}|["\\])')
_ODD = (b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"\x80", b" ", b"\t", b'"', b"\\", b"(", b")", b"<", b">", b"0", b"-1")


def target_names() -> list[str]:
    """Return the names of all targets."""
    return sorted(path.stem for path in (FOLDER / "targets").glob("[a-z]*.py"))


def load_target(name: str) -> Target:
    """Return the function of a target."""
    return importlib.import_module(f"tests.fuzz.targets.{name}").target


def corpus(name: str) -> list[bytes]:
    """Return the inputs that are kept for a target."""
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]


def words(name: str) -> list[bytes]:
    """Return the words of a target's dictionary."""
    path = DICTIONARIES / f"{name}.txt"
    found = _WORD.findall(path.read_bytes()) if path.exists() else []
    return [_ESCAPE.sub(lambda m: bytes.fromhex(m[1][1:].decode()) if m[1][:1] == b"x" else m[1], w) for w in found]


def limit_memory(octets: int = MEMORY) -> None:
    """Let this process have no more than so much memory beyond what it has."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + octets, resource.RLIM_INFINITY))


class Mutator:
    """Makes inputs from others without end, the same for the same seed."""

    def __init__(self, seeds: Sequence[bytes], vocabulary: Sequence[bytes], seed: object) -> None:
        self._seeds = list(seeds) or [b""]
        self._words = [*vocabulary, *_ODD]
        self._dice = random.Random(repr(seed))

    def __iter__(self) -> Iterator[bytes]:
        dice = self._dice
        while True:
            data = bytearray(dice.choice(self._seeds))
            for _ in range(dice.choice((1, 1, 2, 3, 5, 8, 20))):
                self._change(data)
            del data[MAX_LENGTH:]
            yield bytes(data)

    def _change(self, data: bytearray) -> None:
        dice = self._dice
        at = dice.randrange(len(data) + 1)
        end = min(len(data), at + dice.choice((1, 2, 4, 16, 100)))
        kind = dice.randrange(8)
        if kind == 0:
            del data[at:end]
        elif kind == 1 and at < len(data):
            data[at] = dice.randrange(256)
        elif kind == 2 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 3:
            data[at:at] = data[at:end] * dice.choice((1, 2, 50))
        elif kind == 4:
            other = dice.choice(self._seeds)
            start = dice.randrange(len(other) + 1)
            data[at:end] = other[start : start + dice.choice((5, 50, 500))]
        elif kind == 5:
            data[at:end] = dice.choice(self._words)
        else:
            data[at:at] = dice.choice(self._words) * dice.choice((1, 1, 1, 2, 200))


class TooSlow(AssertionError):
    """One input took longer than ``PATIENCE``."""


def run_one(target: Target, data: bytes) -> None:
    """Run a target once. Raises what the target raises, and TooSlow."""
    began = time.process_time()
    target(data)
    if time.process_time() - began > PATIENCE:
        raise TooSlow(f"{len(data)} octets took {time.process_time() - began:.1f} s")
