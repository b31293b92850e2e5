"""Where each recipient goes: aliases followed to their ends, next hops chosen. Tests: ``tests/unit/services/routing``."""
