"""The automaton of an SMTP server session: all transitions by command live here (RFC 5321 §4.1.4).

``STATES`` is a pure table: for each state that reads commands, what each verb gets. A rule is the name of a method of
``session.SmtpSession`` or an outcome that refuses. A verb that is missing is an unknown command. Content (DATA, BDAT)
and SASL exchanges are read by the states that have no entry. Tests: ``test_smtp_session.py``, ``tests/dialogues/smtp``.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

from posthouse.core.outcome import Outcome
from posthouse.protocols.smtp import words


class State(enum.Enum):
    """Where a session is; the drawing is in ``session``."""

    FRESH = "before the greeting"
    CONNECTED = "greeted, no EHLO yet"
    READY = "no transaction"
    MAIL = "reverse-path granted"
    RCPT = "a recipient granted"
    DATA = "inside DATA"
    CHUNK = "inside the octets of a BDAT"
    CHUNKS = "between BDATs"
    AUTH = "inside a SASL exchange"
    CLOSED = "over"


Rule: TypeAlias = str | Outcome

_ALWAYS: dict[bytes, Rule] = {
    b"EHLO": "_do_hello",
    b"HELO": "_do_hello",
    b"LHLO": "_do_hello",
    b"RSET": "_do_rset",
    b"NOOP": "_do_noop",
    b"HELP": "_do_help",
    b"VRFY": "_do_vrfy",
    b"EXPN": words.NOT_IMPLEMENTED,
    b"ETRN": words.NOT_IMPLEMENTED,
    b"TURN": words.NOT_IMPLEMENTED,
    b"QUIT": "_do_quit",
    b"BDAT": "_do_bdat",  # in the wrong place too: its octets have to be read over
}
STATES: dict[State, dict[bytes, Rule]] = {
    State.CONNECTED: {
        **_ALWAYS,
        b"MAIL": words.HELLO_FIRST,
        b"RCPT": words.HELLO_FIRST,
        b"DATA": words.HELLO_FIRST,
        b"AUTH": words.HELLO_FIRST,
        b"STARTTLS": words.HELLO_FIRST,
    },
    State.READY: {
        **_ALWAYS,
        b"MAIL": "_do_mail",
        b"RCPT": words.MAIL_FIRST,
        b"DATA": words.MAIL_FIRST,
        b"AUTH": "_do_auth",
        b"STARTTLS": "_do_starttls",
    },
    State.MAIL: {
        **_ALWAYS,
        b"MAIL": words.OUT_OF_ORDER,
        b"RCPT": "_do_rcpt",
        b"DATA": words.NO_VALID_RECIPIENTS,
        b"AUTH": words.OUT_OF_ORDER,
        b"STARTTLS": words.OUT_OF_ORDER,
    },
    State.RCPT: {
        **_ALWAYS,
        b"MAIL": words.OUT_OF_ORDER,
        b"RCPT": "_do_rcpt",
        b"DATA": "_do_data",
        b"AUTH": words.OUT_OF_ORDER,
        b"STARTTLS": words.OUT_OF_ORDER,
    },
    State.CHUNKS: {
        **_ALWAYS,
        b"MAIL": words.OUT_OF_ORDER,
        b"RCPT": words.OUT_OF_ORDER,
        b"DATA": words.OUT_OF_ORDER,
        b"AUTH": words.OUT_OF_ORDER,
        b"STARTTLS": words.OUT_OF_ORDER,
    },
}
# What may be said before TLS where a listener requires it (RFC 3207 §4).
BEFORE_TLS = frozenset({b"EHLO", b"HELO", b"LHLO", b"STARTTLS", b"NOOP", b"QUIT", b"RSET"})
