"""Settings of the HTTP listeners."""

from __future__ import annotations

from posthouse.config.setting import duration_setting, size_setting

HEADER_SIZE = size_setting(
    "http.header_size",
    65_536,
    "How large the header section of a request may be.",
    minimum=4_096,
    maximum=1_048_576,
    restart_needed=True,
)
HEADER_TIMEOUT = duration_setting(
    "http.header_timeout",
    15,
    "How long a client may take to send the header section of a request, from its first octet on.",
    minimum=1,
    maximum=300,
)
BODY_TIMEOUT = duration_setting(
    "http.body_timeout",
    30,
    "How long a client may send nothing while the server waits for the rest of a request's body.",
    minimum=1,
    maximum=3600,
)
KEEP_ALIVE = duration_setting(
    "http.keep_alive",
    60,
    "How long a connection without a request is kept open for the next one.",
    minimum=1,
    maximum=3600,
)

SETTINGS = (HEADER_SIZE, HEADER_TIMEOUT, BODY_TIMEOUT, KEEP_ALIVE)
