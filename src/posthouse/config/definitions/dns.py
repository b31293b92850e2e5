"""Settings of name look-ups."""

from __future__ import annotations

import ipaddress

from posthouse.config.setting import duration_setting, int_setting, list_setting


def check_name_server(text: str) -> None:
    """Raise ValueError where a text is neither an address nor an address with a port."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or "53"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    ipaddress.ip_address(host.partition("%")[0])
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ValueError(text)


SERVERS = list_setting(
    "dns.servers",
    (),
    "The name servers to ask, each an address or address:port (IPv6 in brackets when a port follows). Empty means the "
    "name servers of /etc/resolv.conf.",
    item=check_name_server,
    items="addresses, each with or without a port, such as 192.0.2.1 or [2001:db8::1]:5353",
    restart_needed=True,
)
TIMEOUT = duration_setting(
    "dns.timeout",
    3,
    "How long one name server may take for one answer before the next one is asked.",
    minimum=0.1,
    maximum=60,
    restart_needed=True,
)
ATTEMPTS = int_setting(
    "dns.attempts",
    2,
    "How often the whole list of name servers is gone through before a question is given up for now.",
    unit="rounds",
    minimum=1,
    maximum=10,
    restart_needed=True,
)
CACHE_ENTRIES = int_setting(
    "dns.cache_entries",
    20_000,
    "How many answers each worker keeps until their time to live ends.",
    unit="answers",
    minimum=100,
    maximum=10_000_000,
    restart_needed=True,
)

SETTINGS = (SERVERS, TIMEOUT, ATTEMPTS, CACHE_ENTRIES)
