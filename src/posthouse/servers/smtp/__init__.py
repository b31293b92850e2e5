"""The SMTP and LMTP doors: ``door`` joins a session to reception, ``configs`` makes what a session is told.

Tests: ``tests/unit/servers/smtp``, ``tests/dialogues/smtp-server``.
"""
