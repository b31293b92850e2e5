"""The vocabulary of the house: values every room speaks of, and nothing that acts.

Everything here is a plain value or a pure function: no clock, socket, database or log. Every other room may import
this one; this one imports nothing of ours. Tests are in ``tests/unit/core``.
"""
