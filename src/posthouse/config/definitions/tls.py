"""Settings of TLS on our listeners."""

from __future__ import annotations

from posthouse.config.setting import choice_setting, duration_setting

MINIMUM_VERSION = choice_setting(
    "tls.minimum_version",
    "1.2",
    ("1.2", "1.3"),
    "The oldest version of TLS that our listeners accept.",
    rfc="RFC 8997 §2",
)
HANDSHAKE_TIMEOUT = duration_setting(
    "tls.handshake_timeout",
    30,
    "How long a peer may take for the TLS handshake before the connection is closed.",
    minimum=1,
    maximum=600,
)

SETTINGS = (MINIMUM_VERSION, HANDSHAKE_TIMEOUT)
