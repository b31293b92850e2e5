"""The MS of RFC 5598: mailbox and message operations shared by IMAP, POP3 and JMAP, on the store contract.

Nothing here knows a protocol's grammar or its session; nothing here knows SQL.
Tests: ``tests/unit/services/mailstore``.
"""
