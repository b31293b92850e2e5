"""Untagged responses as ready-made bytes (RFC 3501 §7).

    strings    atom, quoted, literal: how text goes to the wire
    mailbox    LIST, LSUB, STATUS, FLAGS, EXISTS, EXPUNGE, SEARCH, ESEARCH, QUOTA
    fetch      FETCH in bulk: ``fetch_format(items)`` compiled once, ``rows(seqnums, rows)`` for many messages
    structure  BODY from BODYSTRUCTURE
    codes      APPENDUID, COPYUID and other response codes

Everything here is total over its types and knows no session.
"""
