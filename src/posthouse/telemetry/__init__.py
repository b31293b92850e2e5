"""Telemetry: named events as structured lines. What is not in ``events`` is not an event.

Tests: ``tests/unit/telemetry``.
"""
