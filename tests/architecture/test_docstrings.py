"""Module docstrings: every file has one, and the tests that it names are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
NAMED = re.compile(r"``(tests/[^`\s]+)``")


def docstring(path: Path) -> str:
    """Return a module's docstring, "" where it has none."""
    return ast.get_docstring(ast.parse(path.read_text())) or ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_where_its_tests_are(path) -> None:
    """Tests that are named exist; ``<...>`` stands for any name."""
    text = docstring(path)
    assert text
    for named in NAMED.findall(text):
        assert list(ROOT.glob(re.sub(r"<[^>]*>", "*", named))), named


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_says_what_it_shows(path) -> None:
    """Every test function has a docstring of one sentence or more."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{node.name} at line {node.lineno}"
