"""Settings of the administration over HTTP: REST, tokens, jobs, live events."""

from __future__ import annotations

import ipaddress
import re

from posthouse.config.setting import (
    PER_DOMAIN,
    bool_setting,
    duration_setting,
    int_setting,
    list_setting,
    size_setting,
)

_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")


def _origin(text: str) -> None:
    if not _ORIGIN.fullmatch(text):
        raise ValueError(text)


BODY_SIZE = size_setting(
    "rest.body_size",
    1_048_576,
    "How large the body of a request may be, other than a file that is uploaded.",
    minimum=1_024,
    maximum=67_108_864,
)
UPLOAD_SIZE = size_setting(
    "rest.upload_size",
    10 * 1_073_741_824,
    "How large a file may be that is uploaded for an import. It is written to disk, not held in memory.",
    minimum=1_024,
    maximum=1_099_511_627_776,
)
REQUEST_TIMEOUT = duration_setting(
    "rest.request_timeout",
    30,
    "How long the body of a request that is no upload may take to arrive.",
    minimum=1,
    maximum=600,
)
PASSWORD_SIGN_IN = bool_setting(
    "rest.password_sign_in",
    True,
    "Whether the API may be used with an address and a password (HTTP Basic, over TLS or from this machine) and not "
    "with tokens only.",
)
ALLOWED_ORIGINS = list_setting(
    "rest.allowed_origins",
    (),
    "Origins of web pages, such as https://panel.example.org, whose scripts may call the API from a browser (CORS). "
    "Empty: none but our own pages.",
    item=_origin,
    items="origins such as https://panel.example.org, without a path",
)
TRUSTED_PROXIES = list_setting(
    "rest.trusted_proxies",
    (),
    "Addresses or networks of reverse proxies whose X-Forwarded-For is believed. Behind one that is not named here, "
    "every caller seems to come from the proxy.",
    item=ipaddress.ip_network,
    items="addresses or networks such as 192.0.2.7 or 10.0.0.0/8",
)
TOKEN_LIFETIME = duration_setting(
    "rest.token_lifetime",
    365 * 86_400,
    "How long a token of the API may be valid at most. A token that is made without an end ends then.",
    minimum=60,
    maximum=10 * 365 * 86_400,
    scopes=PER_DOMAIN,
    is_ceiling=True,
)
JOBS = int_setting(
    "rest.jobs",
    2,
    "How many jobs (imports, exports, purges) a worker runs at once; further ones wait.",
    unit="jobs",
    minimum=1,
    maximum=100,
)
EVENT_STREAMS = int_setting(
    "rest.event_streams",
    50,
    "How many clients of a worker may follow live events at once.",
    unit="streams",
    minimum=1,
    maximum=10_000,
)
EVENT_BUFFER = int_setting(
    "rest.event_buffer",
    1_000,
    "How many live events are kept for a client that reads slowly. Beyond that the oldest are dropped, and the client "
    "is told how many.",
    unit="events",
    minimum=10,
    maximum=1_000_000,
)

SETTINGS = (
    BODY_SIZE,
    UPLOAD_SIZE,
    REQUEST_TIMEOUT,
    PASSWORD_SIGN_IN,
    ALLOWED_ORIGINS,
    TRUSTED_PROXIES,
    TOKEN_LIFETIME,
    JOBS,
    EVENT_STREAMS,
    EVENT_BUFFER,
)
