"""Who may send what to whom: the rules of the mail exchange, of submission and of LMTP, and the transaction itself.

``relay_control`` decides whether a stranger may relay, ``senders`` and ``recipients`` what MAIL and RCPT get,
``reception`` carries a transaction from MAIL to the one commit. Tests: ``tests/unit/services/reception``.
"""
