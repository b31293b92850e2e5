"""The POP3 door: ``door`` joins the session to signing in and to the store; ``maildrop`` reads the inbox.

Tests: ``tests/unit/servers/pop3``, ``tests/dialogues/pop3``.
"""
