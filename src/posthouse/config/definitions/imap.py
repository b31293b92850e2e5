"""Settings of the IMAP door (RFC 3501)."""

from __future__ import annotations

from posthouse.config.setting import duration_setting, size_setting
from posthouse.core import limits

IDLE_TIMEOUT = duration_setting(
    "imap.idle_timeout",
    1800,
    "How long a signed-in IMAP client may be silent before it is logged out. A client that waits with IDLE has to "
    "renew it within this time.",
    minimum=1800,
    maximum=86_400,
    rfc="RFC 3501 §5.4",
)
LOGIN_TIMEOUT = duration_setting(
    "imap.login_timeout",
    180,
    "How long an IMAP client may take to sign in before the connection is closed.",
    minimum=10,
    maximum=3600,
)
APPEND_SIZE = size_setting(
    "imap.append_size",
    limits.SMTP_MESSAGE_SIZE,
    "The largest message that a client may store with APPEND.",
    minimum=64 * limits.KIB,
    maximum=4 * 1024 * limits.MIB,
    rfc="RFC 7889 §4",
)

SETTINGS = (IDLE_TIMEOUT, LOGIN_TIMEOUT, APPEND_SIZE)
