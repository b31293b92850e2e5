"""Settings of the outgoing queue."""

from __future__ import annotations

from posthouse.config.setting import bool_setting

SOFT_BOUNCE = bool_setting(
    "queue.soft_bounce",
    False,
    "Treat every permanent failure as a temporary one: refuse with 4xx instead of 5xx and keep mail in the queue "
    "instead of bouncing it. A safety net while a configuration is being changed; mail piles up while it is on.",
)

SETTINGS = (SOFT_BOUNCE,)
