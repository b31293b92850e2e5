"""The command line: one file for each noun, ``posthouse <noun> <verb>``.

Thin on purpose: read words, call ``services.administration`` and its neighbours through ``app``, print. Errors go to
standard error, one line first, then what to do; exit codes are those of sysexits.h. Tests: ``tests/unit/cli``,
``tests/interop/test_command_line.py``.
"""

from posthouse.cli.root import main

__all__ = ["main"]
