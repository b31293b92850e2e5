"""From decided recipients to the one commit: filings, queue rows, journey.

Tests: ``tests/unit/services/reception/test_transaction.py``, which sees what is committed.
"""
