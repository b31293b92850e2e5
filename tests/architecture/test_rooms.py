"""The rules about rooms hold, and a planted breach is seen."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")

BREACHES = [
    pytest.param("core/planted.py", "import socket", id="a pure room does I/O"),
    pytest.param(
        "protocols/smtp/planted.py", "import posthouse.store.contract", id="a protocol reaches into the store"
    ),
    pytest.param(
        "protocols/pop3/planted.py", "import posthouse.protocols.imap.session", id="a protocol leans on another"
    ),
    pytest.param("store/planted.py", "import posthouse.services", id="an import points up"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "line"), BREACHES)
def test_a_planted_import_breaks_a_contract(tmp_path, place, line):
    """A forbidden import in a copy of the tree makes the linter fail; without it the same copy passes."""
    package = tmp_path / "posthouse"
    subprocess.run(["cp", "-r", str(ROOT / "src" / "posthouse"), str(package)], check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (package / place).write_text(f'"""A planted breach."""\n\n{line}  # noqa: F401\n')
    run = subprocess.run(
        [LINTER, "--no-cache"], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert run.returncode == 1, run.stdout
    assert "BROKEN" in run.stdout
