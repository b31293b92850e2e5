"""Settings of the POP3 door (RFC 1939)."""

from __future__ import annotations

from posthouse.config.setting import duration_setting, int_setting

IDLE_TIMEOUT = duration_setting(
    "pop3.idle_timeout",
    600,
    "How long a POP3 session may stay without a complete command before it is closed. Nothing is deleted then.",
    minimum=600,
    maximum=86_400,
    rfc="RFC 1939 §3",
)
LOGIN_TIMEOUT = duration_setting(
    "pop3.login_timeout",
    180,
    "How long a POP3 client may take to sign in before the connection is closed.",
    minimum=10,
    maximum=3600,
)
MESSAGES = int_setting(
    "pop3.messages",
    200_000,
    "How many messages a POP3 session shows at most, the oldest first. It bounds the memory of one session; those "
    "left out are shown when the shown ones have been removed.",
    unit="messages",
    minimum=100,
    maximum=10_000_000,
)

SETTINGS = (IDLE_TIMEOUT, LOGIN_TIMEOUT, MESSAGES)
