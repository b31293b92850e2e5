"""Extension keywords: one file each for what they add to MAIL and RCPT; the tables that gather them are here.

To add one: its file with ``parse_`` and ``format_``, a line in a table below, a member of ``types.Extension``, a line
in ``ehlo_lines`` where it is announced with words, a dialogue in ``tests/dialogues/smtp``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from posthouse.protocols.smtp.extensions import auth, body, dsn, size, smtputf8
from posthouse.protocols.smtp.types import Extension, SessionConfig

# keyword on the wire: (the extension that allows it, the field it fills, how it is read)
ParameterTable = dict[bytes, tuple[Extension, str, Callable[[bytes], Any]]]

MAIL_PARAMETERS: ParameterTable = {
    b"SIZE": (Extension.SIZE, "size", size.parse_size),
    b"BODY": (Extension.EIGHT_BIT_MIME, "body", body.parse_body),
    b"SMTPUTF8": (Extension.SMTPUTF8, "smtputf8", smtputf8.parse_smtputf8),
    b"RET": (Extension.DSN, "ret", dsn.parse_ret),
    b"ENVID": (Extension.DSN, "envid", dsn.parse_envid),
    b"AUTH": (Extension.AUTH, "auth", auth.parse_auth),
}
RCPT_PARAMETERS: ParameterTable = {
    b"NOTIFY": (Extension.DSN, "notify", dsn.parse_notify),
    b"ORCPT": (Extension.DSN, "orcpt", dsn.parse_orcpt),
}

_PLAIN_KEYWORDS = (
    Extension.PIPELINING,
    Extension.EIGHT_BIT_MIME,
    Extension.ENHANCED_STATUS_CODES,
    Extension.SMTPUTF8,
    Extension.CHUNKING,
    Extension.DSN,
)


@lru_cache(maxsize=256)
def ehlo_lines(config: SessionConfig, *, is_tls: bool) -> tuple[bytes, ...]:
    """Return the lines of the answer to EHLO, without codes (RFC 5321 §4.1.1.1).

    STARTTLS is not offered inside TLS (RFC 3207 §4.2), mechanisms only where they may be used (RFC 4954 §4).
    """
    on = config.extensions
    lines = [config.hostname.encode()]
    if Extension.SIZE in on:
        lines.append(b"SIZE %d" % config.max_size)
    if Extension.STARTTLS in on and config.offers_tls and not is_tls:
        lines.append(b"STARTTLS")
    mechanisms = config.mechanisms_offered(tls_active=is_tls)
    if mechanisms:
        lines.append(b"AUTH " + " ".join(mechanisms).encode())
    lines.extend(keyword.value.encode() for keyword in _PLAIN_KEYWORDS if keyword in on)
    return tuple(lines)
