"""SMTP and LMTP without I/O: ``session`` is the server, ``client`` the client, ``types`` their vocabulary.

``types -> lines, data, xtext, reply -> extensions -> grammar -> transaction -> session``. RFC 5321, RFC 2033.
"""
