"""Size caps of the house style: files, functions, parameters. Prints the p90s, which may only get better."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "posthouse").rglob("*.py"))
FILE_CAP, FILE_P90 = 600, 400
FUNCTION_CAP, FUNCTION_P90 = 60, 35
POSITIONAL_CAP = 5
TABLE_MARKER = "# a pure table: exempt from the file cap"


def functions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node):
    return node.end_lineno - node.lineno + 1


def p90(values):
    ordered = sorted(values)
    return ordered[int(len(ordered) * 0.9)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_and_its_functions_stay_under_the_caps(path):
    """No file passes 600 lines, no function 60 lines or five positional parameters."""
    text = path.read_text()
    if TABLE_MARKER not in text:
        assert text.count("\n") <= FILE_CAP
    for node in functions(path):
        assert length(node) <= FUNCTION_CAP, f"{node.name} at line {node.lineno}"
        arguments = [argument.arg for argument in node.args.posonlyargs + node.args.args]
        own = [name for name in arguments if name not in {"self", "cls"}]
        assert len(own) <= POSITIONAL_CAP, f"{node.name} at line {node.lineno}"


def test_most_files_and_functions_are_small(capsys):
    """Nine of ten files have at most 400 lines, nine of ten functions at most 35."""
    files = p90(path.read_text().count("\n") for path in SOURCES)
    lengths = p90(length(node) for path in SOURCES for node in functions(path))
    with capsys.disabled():
        print(f"\nsize p90: files {files} lines, functions {lengths} lines")
    assert files <= FILE_P90
    assert lengths <= FUNCTION_P90
