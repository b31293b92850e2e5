"""``python -m posthouse.cli``, the way a server that replaces its own code starts again."""

from posthouse.cli import main

main()
