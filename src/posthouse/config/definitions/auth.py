"""Settings of signing in."""

from __future__ import annotations

from posthouse.config.setting import bool_setting, int_setting

FAILURE_LIMIT = int_setting(
    "auth.failure_limit",
    30,
    "How many failed sign-ins one client address (for IPv6 one /64) may make within ten minutes before every further "
    "one is refused unseen. Passwords that were right within the last minutes still work.",
    unit="failures",
    minimum=3,
    maximum=1_000_000,
)
PLAINTEXT_FROM_LOOPBACK = bool_setting(
    "auth.plaintext_from_loopback",
    True,
    "Whether a client on this machine may send its password without TLS. Clients elsewhere never may, except where a "
    "listener says so.",
    rfc="RFC 4954 §4",
)

SETTINGS = (FAILURE_LIMIT, PLAINTEXT_FROM_LOOPBACK)
