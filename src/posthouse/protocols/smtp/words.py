"""What a server session says of its own accord: one outcome for each sentence (RFC 5321 §4.2.3, RFC 5248).

A pure table. Answers of services are theirs; these are the protocol's. Tests: ``tests/dialogues/smtp``.
"""

from __future__ import annotations

from posthouse.core import status
from posthouse.core.outcome import Outcome, defer, done, reject
from posthouse.core.status import Detail

__all__ = ["Detail"]

ORIGINATOR_VALID = Detail(1, 0)
RECIPIENT_VALID = status.VALID_RECIPIENT

OK = done("Ok")
BYE = done("Bye", code=221)
HELP = done("RFC 5321; commands: EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT AUTH STARTTLS", code=214)
START_TLS = done("Ready to start TLS", code=220)
AUTHENTICATED = done("Authentication successful", code=235, detail_code=status.SECURITY_OTHER)
CANNOT_VERIFY = done("Cannot verify, but will take a message and attempt delivery", code=252)


def _bad(text: str, code: int, detail: Detail = status.INVALID_COMMAND) -> Outcome:
    return reject(text, code=code, detail_code=detail, rule="smtp.protocol")


def _closing(text: str, detail: Detail) -> Outcome:
    return defer(text, code=421, detail_code=detail, rule="smtp.protocol")


ENDLESS_LINE = _closing("Command line without an end", status.SYNTAX_ERROR)
UNKNOWN_COMMAND = _bad("Command unrecognized", 500)
NOT_IMPLEMENTED = _bad("Command not implemented", 502)
LINE_TOO_LONG = _bad("Line too long", 500, status.SYNTAX_ERROR)
AUTH_LINE_TOO_LONG = _bad("Authentication exchange line too long", 500, status.LINE_TOO_LONG)
BARE_NEWLINE = _bad("Lines end with CRLF", 500, status.SYNTAX_ERROR)
NUL_IN_COMMAND = _bad("NUL in command", 500, status.SYNTAX_ERROR)
NO_ARGUMENTS = _bad("The command takes no arguments", 501, status.INVALID_ARGUMENTS)
HELLO_SYNTAX = _bad("Syntax: EHLO hostname", 501, status.INVALID_ARGUMENTS)
LHLO_SYNTAX = _bad("Syntax: LHLO hostname", 501, status.INVALID_ARGUMENTS)
VRFY_SYNTAX = _bad("Syntax: VRFY address", 501, status.INVALID_ARGUMENTS)
LHLO_ONLY = _bad("This is LMTP: say LHLO", 500)
HELLO_FIRST = _bad("Say hello first", 503)
MAIL_FIRST = _bad("MAIL first", 503)
OUT_OF_ORDER = _bad("Bad sequence of commands", 503)
NO_VALID_RECIPIENTS = _bad("No valid recipients", 554)
SIZE_TOO_LARGE = reject(
    "Message size exceeds the limit", code=552, detail_code=status.MESSAGE_TOO_BIG, rule="smtp.size_announced"
)
TOO_MANY_RECIPIENTS = defer(
    "Too many recipients", code=452, detail_code=status.TOO_MANY_RECIPIENTS, rule="smtp.max_recipients"
)
TLS_REQUIRED = _bad("Must issue a STARTTLS command first", 530, status.SECURITY_OTHER)
TLS_ALREADY = _bad("TLS already active", 503)
AUTH_SYNTAX = _bad("Syntax: AUTH mechanism [initial-response]", 501, status.INVALID_ARGUMENTS)
UNKNOWN_MECHANISM = _bad("Unrecognized authentication type", 504, status.INVALID_ARGUMENTS)
MECHANISM_NEEDS_TLS = _bad(
    "Encryption required for requested authentication mechanism", 538, status.ENCRYPTION_REQUIRED_FOR_MECHANISM
)
AUTHENTICATED_ALREADY = _bad("Already authenticated", 503)
AUTH_CANCELLED = _bad("Authentication cancelled", 501, status.SECURITY_OTHER)
AUTH_MALFORMED = _bad("Cannot decode response", 501, status.SYNTAX_ERROR)
EARLY_DATA = _bad("Data before 354: protocol synchronization error", 554, status.PROTOCOL_OTHER)
NOT_SMTP = _bad("This is SMTP", 554, status.PROTOCOL_OTHER)
BAD_CHUNK = _bad("Syntax: BDAT size [LAST]", 501, status.INVALID_ARGUMENTS)

SHUTTING_DOWN = _closing("Service shutting down, closing transmission channel", status.NOT_ACCEPTING)
TIMED_OUT = _closing("Timeout, closing transmission channel", status.BAD_CONNECTION)
TOO_MANY_ERRORS = _closing("Too many errors", status.SECURITY_OTHER)
TOO_MUCH_JUNK = _closing("Too many commands that move no mail", status.SECURITY_OTHER)
FLOOD = _closing("Too much input", status.SECURITY_OTHER)


def chunk_received(size: int) -> Outcome:
    """Make the answer to a BDAT that is not the last (RFC 3030 §2)."""
    return done(f"{size} octets received")
