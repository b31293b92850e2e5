"""The outgoing client: next hops, connections, and the courier that carries the queue.

Tests: ``tests/unit/services/relay``.
"""
