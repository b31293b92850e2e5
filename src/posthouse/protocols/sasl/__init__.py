"""SASL, one file per mechanism, shared by SMTP, IMAP and POP3 (RFC 4422).

``exchange.ServerExchange`` carries a mechanism over base64 lines; ``mechanism`` is the contract. To add a mechanism:
its file, a line in ``exchange.SERVER_MECHANISMS``, a table of known answers in ``tests/unit/protocols/sasl``.
"""
