"""Settings of ``posthouse check``."""

from __future__ import annotations

import ipaddress

from posthouse.config.setting import duration_setting, int_setting, list_setting, text_setting
from posthouse.core.address import fold_domain
from posthouse.core.errors import SyntaxFault


def check_zone(text: str) -> None:
    """Raise ValueError where a text is no domain name."""
    try:
        fold_domain(text)
    except SyntaxFault:
        raise ValueError(text) from None


TIME_BUDGET = duration_setting(
    "check.time_budget",
    30,
    "How long a whole run of `posthouse check` may take. What has not ended by then is reported as not looked at.",
    minimum=1,
    maximum=3_600,
)
CONCURRENCY = int_setting(
    "check.concurrency",
    20,
    "How many checks are under way at once.",
    unit="checks",
    minimum=1,
    maximum=1_000,
)
DOMAINS = int_setting(
    "check.domains",
    200,
    "How many domains one run looks at, spread evenly over all of them; the report says how many were left out. "
    "`posthouse check --domain NAME` looks at one for certain. 0 looks at all.",
    unit="domains",
    minimum=0,
    maximum=10_000_000,
)
ADDRESSES = list_setting(
    "check.addresses",
    (),
    "The IP addresses from which this server sends, as others see them: they must be allowed by SPF, have a name by "
    "PTR and be on no blocklist. Empty means the addresses that the DNS has for the host name.",
    item=ipaddress.ip_address,
    items="IP addresses",
)
DNSBL_ZONES = list_setting(
    "check.dnsbl_zones",
    ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"),
    "The blocklists that are asked whether they list one of our own sending addresses. Empty asks none.",
    item=check_zone,
    items="domain names of blocklists",
    rfc="RFC 5782 §2",
)
OUTBOUND_HOST = text_setting(
    "check.outbound_host",
    "",
    "A host, or a domain whose mail exchanger is meant, to which every check tries to connect on port 25. Many "
    "providers close that port. Empty tries it only where `posthouse check --outbound HOST` says so.",
)
TIME_SOURCE = text_setting(
    "check.time_source",
    "",
    "A time server (SNTP) with which every check compares the clock. Empty compares it only where "
    "`posthouse check --time-source HOST` says so.",
    rfc="RFC 5905 §14",
)
QUEUE_SIZE = int_setting(
    "check.queue_size",
    10_000,
    "How many recipients may wait in the queue before `posthouse check` warns.",
    unit="recipients",
    minimum=1,
    maximum=1_000_000_000,
)
QUEUE_AGE = duration_setting(
    "check.queue_age",
    86_400,
    "How long the oldest message may have been in the queue before `posthouse check` warns.",
    minimum=60,
    maximum=31_536_000,
)

SETTINGS = (
    TIME_BUDGET,
    CONCURRENCY,
    DOMAINS,
    ADDRESSES,
    DNSBL_ZONES,
    OUTBOUND_HOST,
    TIME_SOURCE,
    QUEUE_SIZE,
    QUEUE_AGE,
)
