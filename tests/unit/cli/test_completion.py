"""What a shell completes, asked through the scripts that ``posthouse completion`` prints, in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from posthouse.cli import completion

BASH = """
eval "$(posthouse completion bash)"
COMP_LINE="$LINE"; COMP_POINT=${#LINE}; COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
_posthouse_completion posthouse
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
_describe() { local each; for each in ${(P)3}; do print -r -- ${each%%:*}; done }
compadd() { [[ $1 == -U ]] && shift 4; print -rl -- ${(P)1} }
compdef() { : }
source <(posthouse completion zsh)
words=(${(s: :)LINE}); [[ $LINE == *' ' ]] && words+=('')
CURRENT=${#words}
_posthouse_completion
"""
FISH = 'posthouse completion fish | source; complete -C "$LINE"'


def complete(shell: str, line: str, home: Path) -> list[str]:
    """Return what a shell offers at the end of a line."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POSTHOUSE_HOME": str(home),
        "LINE": line,
    }
    done = subprocess.run(
        [shell, *flags, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == "", done.stderr
    return [each.partition("\t")[0] for each in done.stdout.splitlines() if each]


LINES = [
    pytest.param("posthouse acc", ["account"], id="noun"),
    pytest.param("posthouse account sho", ["show"], id="verb"),
    pytest.param("posthouse account add x@example.test --quota-m", ["--quota-messages"], id="option"),
    pytest.param("posthouse account add x@example.test --level o", ["office"], id="choice"),
    pytest.param("posthouse setting get smtp.message_s", ["smtp.message_size"], id="setting"),
    pytest.param("posthouse domain show exa", ["example.test"], id="domain"),
    pytest.param("posthouse account show a", ["ann@example.test"], id="address"),
]


@pytest.mark.slow
@pytest.mark.parametrize("shell", completion.SHELLS)
@pytest.mark.parametrize(("line", "offered"), LINES)
def test_a_shell_completes(shell, line, offered, home) -> None:
    """Nouns, verbs, options, choices, settings, and what the directory of this machine holds."""
    assert complete(shell, line, home) == offered


BROKEN_WORDS = [
    pytest.param("posthouse account show ann@ex", ["example.test"], id="address"),
    pytest.param("posthouse setting get smtp.recipients --scope do", ["domain:"], id="kind of scope"),
    pytest.param("posthouse setting get smtp.recipients --scope domain:e", ["example.test"], id="scope"),
    pytest.param("posthouse setting get smtp.recipients --scope account:ann@e", ["example.test"], id="account"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("line", "offered"), BROKEN_WORDS)
def test_bash_completes_words_that_it_breaks(line, offered, home) -> None:
    """Bash replaces only what is after the last ``@`` or ``:``, so that is what it gets."""
    assert complete("bash", line, home) == offered


@pytest.mark.slow
def test_a_completion_that_cannot_be_made_is_none(tmp_path) -> None:
    """No home, no directory: nothing is offered and nothing is said."""
    assert complete("bash", "posthouse account show a", tmp_path / "none") == []
    assert complete("bash", "posthouse --server https://mail.example.org account show a", tmp_path / "none") == []


@pytest.mark.slow
def test_saved_servers_are_completed(home, tmp_path, monkeypatch) -> None:
    """By the names they have."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "posthouse" / "remotes.toml"
    file.parent.mkdir()
    file.write_text('[work]\nurl = "https://mail.example.org"\ntoken = "t"\n')
    file.chmod(0o600)
    assert complete("bash", "posthouse --remote w", home) == ["work"]
