r"""Arguments of SMTP commands, octets to values and back (RFC 5321 §4.1.1, §4.1.2; RFC 6531 §3.3).

Invariants: any octets give a value or a named fault whose ``outcome`` is the reply; time is linear in the line; octets
beyond ASCII are read only where SMTPUTF8 was asked for. Each ``parse_`` has its ``format_``.

Tolerated by name: ``Quirk.SPACE_AFTER_COLON``. Not tolerated: paths without angle brackets.
Tests: ``tests/unit/protocols/smtp/test_smtp_grammar.py``, ``tests/property/test_smtp_inverses.py``.
"""

from __future__ import annotations

import re
from typing import Any

from posthouse.core import status
from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import BodyType, MailParameters, RcptParameters
from posthouse.core.errors import PolicyRefusal, SyntaxFault
from posthouse.core.outcome import Outcome, reject
from posthouse.protocols.smtp.extensions import (
    MAIL_PARAMETERS,
    RCPT_PARAMETERS,
    ParameterTable,
    auth,
    body,
    dsn,
    size,
    smtputf8,
)
from posthouse.protocols.smtp.types import BARE_POSTMASTER, Extension, Quirk, SessionConfig

# Path between angle brackets: quoted strings hide ">" (RFC 5321 §4.1.2); what it means is read afterwards.
_ARGUMENTS = re.compile(
    rb'(FROM|TO):( *)<((?:[^"<>\x00-\x20\x7f]++|"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*+")*+)>(?: +(.*))?',
    re.IGNORECASE | re.DOTALL,
)
# A-d-l = At-domain *( "," At-domain ), then ":"   (RFC 5321 §4.1.2; accepted and discarded, RFC 5321 App. C)
_SOURCE_ROUTE = re.compile(r"@[A-Za-z0-9.\u0080-\U0010ffff-]+(?:,@[A-Za-z0-9.\u0080-\U0010ffff-]+)*:")
# esmtp-param = esmtp-keyword ["=" esmtp-value]   (RFC 5321 §4.1.2, value beyond ASCII by RFC 6531 §3.3)
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?")
_HELLO_NAME = re.compile(rb"[!-~\x80-\xff]{1,255}")
_PARAMETER_LIMIT = 20  # parameters of one command; all registered ones together are fewer

_NO_PARAMETERS = MailParameters()
_UTF8_ONLY = MailParameters(smtputf8=True)
_NO_RCPT_PARAMETERS = RcptParameters()


def _syntax(text: str, code: int = 501, detail: status.Detail = status.INVALID_ARGUMENTS) -> Outcome:
    return reject(text, code=code, detail_code=detail, rule="smtp.syntax")


MAIL_SYNTAX = _syntax("Syntax: MAIL FROM:<address>")
RCPT_SYNTAX = _syntax("Syntax: RCPT TO:<address>")
BAD_REVERSE_PATH = _syntax("Malformed reverse-path", detail=status.BAD_SENDER_SYNTAX)
BAD_FORWARD_PATH = _syntax("Malformed forward-path", detail=status.BAD_ADDRESS_SYNTAX)
BAD_PARAMETER = _syntax("Malformed parameter")
UNKNOWN_PARAMETER = _syntax("Parameter not recognized or not implemented", 555)
NOT_ASCII = _syntax("Address needs SMTPUTF8", 553, status.NON_ASCII_NOT_PERMITTED)


def hello_name(text: bytes) -> str:
    """Read the argument of EHLO, HELO or LHLO.

    Any one printable word is taken: many clients name themselves by what is no domain (RFC 5321 §4.1.4 forbids to
    refuse mail for that reason). Raises SyntaxFault: where it is none.
    """
    if not _HELLO_NAME.fullmatch(text):
        raise SyntaxFault("no name", where="hello")
    return text.decode("utf-8", "replace")


def mail_arguments(text: bytes, config: SessionConfig) -> tuple[Address | None, MailParameters]:
    """Read ``"FROM:" Reverse-path [SP Mail-parameters]`` (RFC 5321 §4.1.1.2).

    Raises PolicyRefusal: whose outcome is the reply: 501, 553 (SMTPUTF8 missing) or 555 (unknown parameter).
    """
    path, rest = _path(text, b"FROM", config, MAIL_SYNTAX)
    parameters = _NO_PARAMETERS
    if rest:
        fields = _parameters(rest, MAIL_PARAMETERS, config)
        parameters = MailParameters(**fields) if fields != {"smtputf8": True} else _UTF8_ONLY
    if not path:
        return None, parameters
    return _mailbox(path, BAD_REVERSE_PATH, is_utf8=parameters.smtputf8), parameters


def rcpt_arguments(text: bytes, config: SessionConfig, *, is_utf8: bool) -> tuple[Address, RcptParameters]:
    """Read ``"TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]``.

    RFC 5321 §4.1.1.3. Raises PolicyRefusal: as ``mail_arguments``.
    """
    path, rest = _path(text, b"TO", config, RCPT_SYNTAX)
    parameters = _NO_RCPT_PARAMETERS
    if rest:
        parameters = RcptParameters(**_parameters(rest, RCPT_PARAMETERS, config))
    if path.lower() == b"postmaster":
        return BARE_POSTMASTER, parameters
    return _mailbox(path, BAD_FORWARD_PATH, is_utf8=is_utf8), parameters


def _path(text: bytes, word: bytes, config: SessionConfig, syntax: Outcome) -> tuple[bytes, bytes]:
    """Return what stands between the angle brackets, and the parameters."""
    match = _ARGUMENTS.fullmatch(text)
    if match is None or match[1].upper() != word:
        raise PolicyRefusal(syntax, where="smtp.path")
    if match[2] and Quirk.SPACE_AFTER_COLON not in config.quirks:
        raise PolicyRefusal(syntax, where="smtp.path")
    return match[3], match[4] or b""


def _mailbox(path: bytes, malformed: Outcome, *, is_utf8: bool) -> Address:
    """Read ``[ A-d-l ":" ] Mailbox``; the source route is discarded (RFC 5321 App. C)."""
    if not is_utf8 and not path.isascii():
        raise PolicyRefusal(NOT_ASCII, where="smtp.mailbox")
    try:
        text = path.decode("utf-8")
        if text.startswith("@"):
            text = _SOURCE_ROUTE.sub("", text, count=1)
        return parse_address(text)
    except (UnicodeDecodeError, SyntaxFault) as fault:
        raise PolicyRefusal(malformed.because(str(fault)), where="smtp.mailbox") from None


def _parameters(text: bytes, table: ParameterTable, config: SessionConfig) -> dict[str, Any]:
    """Read ``esmtp-param *(SP esmtp-param)`` into the fields of a parameters value."""
    words = text.split()
    if len(words) > _PARAMETER_LIMIT:
        raise PolicyRefusal(BAD_PARAMETER, where="smtp.parameters")
    fields: dict[str, Any] = {}
    for word in words:
        match = _PARAMETER.fullmatch(word)
        if match is None:
            raise PolicyRefusal(BAD_PARAMETER, where="smtp.parameters")
        known = table.get(match[1].upper())
        if known is None or known[0] not in config.extensions:
            raise PolicyRefusal(UNKNOWN_PARAMETER, where="smtp.parameters")
        _, name, parse = known
        if name in fields:
            raise PolicyRefusal(BAD_PARAMETER, where="smtp.parameters")
        try:
            fields[name] = parse(match[2] or b"")
        except SyntaxFault as fault:
            raise PolicyRefusal(BAD_PARAMETER.because(fault.detail), where="smtp.parameters") from None
    return fields


def format_path(address: Address | None) -> bytes:
    """Format a path with its angle brackets; None is the null path.

    Raises SyntaxFault: where the address holds what no path can carry (only one not made by ``parse_address`` can).
    """
    if address is None:
        return b"<>"
    if address == BARE_POSTMASTER:
        return b"<postmaster>"
    text = str(address)
    if not text.isprintable():
        raise SyntaxFault("control character in a path", where="smtp.path")
    return b"<" + text.encode("utf-8") + b">"


def format_mail_parameters(parameters: MailParameters, offered: frozenset[Extension]) -> bytes:
    """Format the parameters of MAIL that a peer offers, each with a space in front (RFC 5321 §4.1.1.2).

    7BIT is the default and is not said; AUTH= is said where it is known.
    """
    words: list[bytes] = []
    if parameters.size is not None and Extension.SIZE in offered:
        words.append(size.format_size(parameters.size))
    if parameters.body is not BodyType.SEVEN_BIT and Extension.EIGHT_BIT_MIME in offered:
        words.append(body.format_body(parameters.body))
    if parameters.smtputf8 and Extension.SMTPUTF8 in offered:
        words.append(smtputf8.format_smtputf8())
    if Extension.DSN in offered:
        if parameters.ret is not None:
            words.append(dsn.format_ret(parameters.ret))
        if parameters.envid is not None:
            words.append(dsn.format_envid(parameters.envid))
    if parameters.auth is not None and Extension.AUTH in offered:
        words.append(auth.format_auth(parameters.auth))
    return b"".join(b" " + word for word in words)


def format_rcpt_parameters(parameters: RcptParameters, offered: frozenset[Extension]) -> bytes:
    """Format the parameters of RCPT that a peer offers, each with a space in front (RFC 3461 §4.1, §4.2)."""
    if Extension.DSN not in offered:
        return b""
    words: list[bytes] = []
    if parameters.notify is not None:
        words.append(dsn.format_notify(parameters.notify))
    if parameters.orcpt is not None:
        words.append(dsn.format_orcpt(parameters.orcpt))
    return b"".join(b" " + word for word in words)
