"""Limits that protect memory and time, in one place, each with its precedent.

These are the hard floors of the house: values that an administrator may want different are settings (``config``),
whose defaults start here.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * 1024

# SMTP, LMTP
SMTP_COMMAND_LINE: Final = (
    4 * KIB
)  # octets with CRLF; RFC 5321 §4.5.3.1.4 asks for 512, extensions raise it, AUTH 12288
SMTP_ENDLESS_LINE: Final = 1 * MIB  # octets without CRLF where a command is due; the session ends
SMTP_AUTH_LINE: Final = 12_288  # RFC 4954 §4
SMTP_TEXT_LINE: Final = 998 + 2  # RFC 5321 §4.5.3.1.6; what is longer is accepted up to SMTP_TEXT_LINE_HARD
SMTP_TEXT_LINE_HARD: Final = 1 * MIB  # a message with a longer line is refused
SMTP_RECIPIENTS: Final = 1_000  # a transaction; RFC 5321 §4.5.3.1.8 asks for at least 100
SMTP_RECIPIENT_OVERSHOOT: Final = 1_000  # refused with 452 before 421 (Postfix smtpd_recipient_overshoot_limit)
SMTP_ERRORS: Final = 20  # bad commands before 421 (Postfix smtpd_hard_error_limit)
SMTP_JUNK_COMMANDS: Final = 100  # NOOP, VRFY, RSET ... before 421 (Postfix smtpd_junk_command_limit)
SMTP_RECEIVE_BUFFER: Final = 256 * KIB
SMTP_MESSAGE_SIZE: Final = 50 * MIB
LOCAL_PART: Final = 64  # RFC 5321 §4.5.3.1.1; what is longer is refused only for addresses we make
PATH: Final = 1_024  # octets; RFC 5321 §4.5.3.1.3 asks for 256, RFC 6531 addresses need more
RECEIVED_HOPS: Final = 50  # Received lines before a loop is assumed (Postfix hopcount_limit; RFC 5321 §6.3)

# IMAP
IMAP_COMMAND_LINE: Final = 64 * KIB  # octets without literals (Dovecot imap_max_line_length)
IMAP_LITERAL: Final = 64 * KIB  # a literal that is not a message, authenticated
IMAP_LITERAL_UNAUTHENTICATED: Final = 4 * KIB
IMAP_COMMAND_TOTAL: Final = 512 * KIB  # line and literals of one command that is not APPEND
IMAP_NESTING: Final = 100  # parentheses in a command
IMAP_SEQUENCE_RANGES: Final = 20_000
IMAP_BAD_COMMANDS: Final = 20  # before BYE
MAILBOX_NAME: Final = 1_000  # octets in UTF-8
MAILBOX_DEPTH: Final = 32

# Messages
HEADER_COUNT: Final = 10_000  # indexed; what follows is left in the bytes
HEADER_TOTAL: Final = 1 * MIB  # octets of a header section that are indexed
MIME_DEPTH: Final = 100  # parts nested deeper are leaves
MIME_PARTS: Final = 10_000
PREVIEW: Final = 256  # characters (RFC 8970 §3.2)
INLINE_BODY: Final = 512 * KIB  # a message over this is received through the spool, in chunks
BODY_CHUNK: Final = 256 * KIB
TRANSFER_MEMORY: Final = 1 * MIB + 256 * KIB  # per message transfer, whatever its size

# POP3
POP3_COMMAND_LINE: Final = (
    4 * KIB
)  # octets with CRLF; RFC 2449 §4 asks for 255, AUTH with an initial response needs more
POP3_BAD_COMMANDS: Final = 20  # before the connection is closed
POP3_RECEIVE_BUFFER: Final = 64 * KIB  # pipelined commands that wait
POP3_UNSENT: Final = 64 * KIB  # of messages and listings, before the next command is looked at
