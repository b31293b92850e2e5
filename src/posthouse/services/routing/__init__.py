"""Where each recipient goes: aliases followed to their ends, next hops. Tests: ``tests/unit/services/routing``."""
