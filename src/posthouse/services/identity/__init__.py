"""Who and what is ours: domains, accounts, aliases, and proof of who someone is.

``directory`` answers what an address means, ``authentication`` whether a name and a password go together, ``client``
is who is at the other end of a connection. Nothing here decides policy. Tests: ``tests/unit/services/identity``.
"""
