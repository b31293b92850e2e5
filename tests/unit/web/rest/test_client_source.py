"""The generated client: current, and able to be imported without the server's code."""

import subprocess
import sys

import pytest

from posthouse.services.administration.catalogue import all_operations
from posthouse.web.rest.client_source import FOLDER, files

MADE = files(list(all_operations()))


def test_no_file_is_missing_or_left_over() -> None:
    """Renew them with ``python -m posthouse.web.rest.client_source``."""
    assert set(MADE) == {path.name for path in FOLDER.glob("*.py")}


@pytest.mark.parametrize("name", MADE)
def test_each_file_is_current(name) -> None:
    """Its text is what the description makes of it."""
    assert (FOLDER / name).read_text() == MADE[name]


def test_the_client_needs_no_other_package() -> None:
    """Importing it loads nothing but itself and the standard library."""
    code = (
        "import sys; before = set(sys.modules); import posthouse_client;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'posthouse_client'}))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
