"""IMAP4rev1, the server's side, as a machine over bytes (RFC 3501 and the extensions named in ``capabilities``).

    types/     values: sequence sets, mailbox names, flags, FETCH and SEARCH items, commands, events
    wire       bytes to whole commands: lines and literals, every limit checked before memory is given
    grammar/   one production per function, over the bytes of one command
    commands/  arguments to command values, one file per group; the dispatch table
    session    the machine: state, what it answers alone, pausing, AUTHENTICATE, IDLE, APPEND
    selected   what one client believes about its selected mailbox
    format/    untagged responses as bytes, in bulk

It knows no socket, clock, store or log. ``servers.imap`` joins it to ``services.mailstore``.
Tests: ``tests/unit/protocols/imap``, ``tests/property/test_imap_properties.py``, ``tests/dialogues/imap``, fuzz target
``imap_session``.
"""
