"""The embedded engine: SQLite in the process, several worker processes on one database.

``engine`` is the store; ``committer`` turns what callers hand in into groups, ``group`` is one transaction's working
memory, ``writes`` and ``reads`` hold the statements. ADR 0007 says why commits are made as they are.
Tests: ``tests/contract/store``, ``tests/unit/store``, ``tests/crash``.
"""
