"""Every fuzz target replays the inputs that are kept for it, and a second of new ones made from them."""

import re
import time

import pytest

from tests.fuzz import engine

SECONDS = 1.0


@pytest.mark.slow
@pytest.mark.parametrize("name", engine.target_names())
def test_a_target_holds_its_invariant(name):
    """What its first line states holds for every kept input and for a second of mutated ones."""
    target = engine.load_target(name)
    kept = engine.corpus(name)
    assert kept, f"put a few inputs into tests/fuzz/corpus/{name}"
    for data in [b"", *kept]:
        engine.run_one(target, data)
    deadline = time.process_time() + SECONDS
    for data in engine.Mutator(kept, engine.words(name), name):
        engine.run_one(target, data)
        if time.process_time() > deadline:
            break


@pytest.mark.parametrize("path", sorted(engine.DICTIONARIES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_dictionary_has_words_and_a_target(path):
    """A dictionary is for a target that exists, and each line with a word is understood."""
    assert path.stem in engine.target_names()
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert len(engine.words(path.stem)) == len(lines) > 5


def test_the_table_names_every_target():
    """README.md has a row for each target and no other."""
    rows = re.findall(r"^\| `(\w+)`", (engine.FOLDER / "README.md").read_text(), re.MULTILINE)
    assert rows == engine.target_names()
