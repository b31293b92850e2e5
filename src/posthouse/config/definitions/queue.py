"""Settings of the outgoing queue."""

from __future__ import annotations

from posthouse.config.setting import bool_setting, duration_setting

SOFT_BOUNCE = bool_setting(
    "queue.soft_bounce",
    False,
    "Treat every permanent failure as a temporary one: refuse with 4xx instead of 5xx and keep mail in the queue "
    "instead of bouncing it. A safety net while a configuration is being changed; mail piles up while it is on.",
)
LIFETIME = duration_setting(
    "queue.lifetime",
    5 * 86_400,
    "How long a message to a remote recipient is tried before it is returned to its sender.",
    minimum=600,
    maximum=30 * 86_400,
    rfc="RFC 5321 §4.5.4.1",
)

SETTINGS = (SOFT_BOUNCE, LIFETIME)
