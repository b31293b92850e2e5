"""The IMAP door: joins ``protocols.imap`` to ``services.mailstore``.

    door           bytes in, events out of the session, one command at a time
    conversation   what the commands of one connection share: session, account, selected mailbox
    opened         the selected mailbox: what the client was told, and what is news to it
    answers        faults as NO with a response code
    commands       which function serves which command; the ``do_...`` functions are in one file per group

Tests: ``tests/unit/servers/imap``, ``tests/dialogues/imap_server``.
"""
