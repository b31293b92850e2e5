"""POP3, the server's side, without I/O (RFC 1939, 2449, 2595, 3206, 5034).

``session`` is the machine; ``grammar`` reads commands, ``lines`` frames them, ``stuffing`` carries messages, ``types``
holds the values. There is no lock on the maildrop: a session sees the messages as they were when it signed in, and
two sessions may be open at once. Tests: ``tests/unit/protocols/pop3``, ``tests/dialogues/pop3``.
"""
