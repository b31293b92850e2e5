"""``posthouse completion``: the script for a shell. Tests: ``tests/unit/cli/test_completion.py``.

For zsh and fish it is click's own. Bash takes ``@`` and ``:`` for the end of a word, so that addresses and scopes
would come out twice; its script hands over the line as it is, and takes away from the answers what stands there.
"""

from __future__ import annotations

from typing import Final

import click

SHELLS: Final = ("bash", "zsh", "fish")
_WORDS: Final = {
    "complete_func": "_posthouse_completion",
    "complete_var": "_POSTHOUSE_COMPLETE",
    "prog_name": "posthouse",
}
_BASH: Final = r"""_posthouse_completion() {
    local line="${COMP_LINE:0:$COMP_POINT}" word breaks="" each type value response
    local -a words
    read -ra words <<< "$line"
    local count=${#words[@]} current=""
    if [[ $line != *[[:space:]] ]]; then
        count=$((count - 1))
        current="${words[count]}"
    fi
    for each in @ : =; do
        [[ $COMP_WORDBREAKS == *"$each"* ]] && breaks+="$each"
    done
    word="$current"
    [[ -n $breaks ]] && word="${current##*[$breaks]}"
    COMPREPLY=()
    response=$(env COMP_WORDS="$line" COMP_CWORD="$count" _POSTHOUSE_COMPLETE=bash_complete "$1" 2>/dev/null)
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"${current%"$word"}"}") ;;
        esac
    done <<< "$response"
    return 0
}
complete -o nosort -F _posthouse_completion posthouse"""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that completes nouns, verbs, options, settings, domains and addresses in a shell.

    To have it now: eval "$(posthouse completion bash)". To have it always, write it to a file that the shell reads.
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None, "click knows these shells"
    click.echo(_BASH if shell == "bash" else (made.source_template % _WORDS).strip())
