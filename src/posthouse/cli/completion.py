"""``posthouse completion``: the script for a shell. Tests: ``tests/unit/cli/test_completion.py``."""

from __future__ import annotations

import click

_LINES = {
    "bash": "posthouse completion bash > /etc/bash_completion.d/posthouse",
    "zsh": "posthouse completion zsh > /usr/local/share/zsh/site-functions/_posthouse",
    "fish": "posthouse completion fish > ~/.config/fish/completions/posthouse.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(_LINES)))
def command(shell: str) -> None:
    """Print the script that completes nouns, verbs, options, settings, domains and addresses in a shell.

    To have it now: eval "$(posthouse completion bash)". To have it always, write it to a file that the shell reads.
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None, "click knows these shells"
    click.echo(f"# {_LINES[shell]}")
    template = made.source_template
    click.echo(template % {"complete_func": "_posthouse_completion", "complete_var": "_POSTHOUSE_COMPLETE",
                           "prog_name": "posthouse"})  # fmt: skip
