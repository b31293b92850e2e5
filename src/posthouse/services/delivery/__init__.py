"""From decided recipients to the one commit: filings, queue rows, journey. Tests: ``tests/unit/services/delivery``."""
