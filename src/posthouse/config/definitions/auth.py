"""Settings of signing in."""

from __future__ import annotations

from posthouse.config.setting import int_setting

FAILURE_LIMIT = int_setting(
    "auth.failure_limit",
    30,
    "How many failed sign-ins one client address (for IPv6 one /64) may make within ten minutes before every further "
    "one is refused unseen. Passwords that were right within the last minutes still work.",
    unit="failures",
    minimum=3,
    maximum=1_000_000,
)

SETTINGS = (FAILURE_LIMIT,)
