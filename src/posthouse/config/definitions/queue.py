"""Settings of the outgoing queue."""

from __future__ import annotations

from posthouse.config.setting import bool_setting, duration_setting, list_setting, parse_duration

SOFT_BOUNCE = bool_setting(
    "queue.soft_bounce",
    False,
    "Treat every permanent failure as a temporary one: refuse with 4xx instead of 5xx and keep mail in the queue "
    "instead of bouncing it. A safety net while a configuration is being changed; mail piles up while it is on.",
)
RETRY_SCHEDULE = list_setting(
    "queue.retry_schedule",
    ("5m", "10m", "20m", "40m", "1h", "2h", "4h"),
    "How long to wait after each attempt that failed for now, as durations: after the first attempt, the second, and "
    "so on. The last one repeats until the lifetime ends.",
    item=parse_duration,
    items="durations such as 5m or 1h30m",
    rfc="RFC 5321 §4.5.4.1",
)
LIFETIME = duration_setting(
    "queue.lifetime",
    5 * 86_400,
    "How long a message is tried before it is returned to its reverse-path as undeliverable.",
    minimum=0,
    maximum=90 * 86_400,
    rfc="RFC 5321 §4.5.4.1",
)
BOUNCE_LIFETIME = duration_setting(
    "queue.bounce_lifetime",
    5 * 86_400,
    "How long a message with the null reverse-path, such as a bounce, is tried before it is given up.",
    minimum=0,
    maximum=90 * 86_400,
)
DELAY_NOTICE_AFTER = duration_setting(
    "queue.delay_notice_after",
    4 * 3_600,
    "After how long the reverse-path is told, once, that a message is still being tried. 0 sends no such notice.",
    minimum=0,
    maximum=90 * 86_400,
    rfc="RFC 3464 §2.3.3",
)

SETTINGS = (SOFT_BOUNCE, RETRY_SCHEDULE, LIFETIME, BOUNCE_LIFETIME, DELAY_NOTICE_AFTER)
