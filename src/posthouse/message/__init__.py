"""The message room: RFC 5322 and MIME, from octets to structure and facts, and the messages we write ourselves.

Pure functions over bytes and memory maps. Start at ``message.scan``. Tests: ``tests/unit/message``.
"""
