"""Routes out of Postfix's transport syntax, main.cf's parameters that are settings here, and those that are told.

Tests: ``tests/unit/services/administration/importing/test_import_postfix.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from posthouse.services.administration.importing.records import ImportedRoute, ImportedSetting, Record, Unmapped
from posthouse.services.administration.importing.text_maps import MainCf

_NEXT_HOP: Final = re.compile(
    r"(?:\[(?P<host>[^\]\[]{1,255})\]|(?P<domain>[^\[\]:]{1,255}))(?::(?P<port>[\w-]{1,32}))?"
)
_SERVICES: Final = {"smtp": 25, "submission": 587, "lmtp": 24, "smtps": 465, "submissions": 465}
_RELAYS: Final = frozenset({"smtp", "relay", "esmtp"})


def _octets(value: str) -> str:
    return f"{max(65_536, min(int(value), 4 * 1024**3))}" if value.isdecimal() and int(value[:18]) > 0 else ""


def _span(value: str) -> str:
    match = re.fullmatch(r"(\d{1,6})([smhdw]?)", value)
    return f"{match[1]}{match[2] or 'd'}" if match and int(match[1]) else ""


def _count(value: str) -> str:
    return value if value.isdecimal() and int(value[:9]) >= 100 else ""


def _networks(value: str) -> str:
    words = [word for word in re.split(r"[,\s]+", value) if re.fullmatch(r"\[?[0-9A-Fa-f:.]+\]?(?:/\d{1,3})?", word)]
    return ", ".join(word.replace("[", "").replace("]", "") for word in words)


# Postfix's parameter, our setting, and how its value is written here ("" where it has none).
EQUALS: Final[tuple[tuple[str, str, Callable[[str], str]], ...]] = (
    ("message_size_limit", "smtp.message_size", _octets),
    ("mynetworks", "relay.networks", _networks),
    ("smtpd_recipient_limit", "smtp.recipients", _count),
    ("recipient_delimiter", "address.extension_delimiter", lambda value: value[:1]),
    ("maximal_queue_lifetime", "queue.lifetime", _span),
    ("bounce_queue_lifetime", "queue.bounce_lifetime", _span),
    ("smtpd_banner", "smtp.banner", lambda value: re.sub(r"^\S+\s+(?:ESMTP\s*)?", "", value).strip()),
)
_TOLD: Final = {
    "canonical_maps": "addresses are not rewritten",
    "sender_canonical_maps": "addresses are not rewritten",
    "recipient_canonical_maps": "addresses are not rewritten",
    "smtp_generic_maps": "addresses are not rewritten",
    "masquerade_domains": "addresses are not rewritten",
    "sender_dependent_relayhost_maps": "a route is chosen by the recipient",
    "smtp_sasl_password_maps": "passwords of next hops are not imported: set them with the routes",
    "smtpd_milters": "milters are not called",
    "non_smtpd_milters": "milters are not called",
    "content_filter": "mail is not handed to a filter",
    "header_checks": "headers and bodies are not searched",
    "body_checks": "headers and bodies are not searched",
    "smtpd_recipient_restrictions": "who may send what to whom is decided by the rules of this server",
    "smtpd_sender_restrictions": "who may send what to whom is decided by the rules of this server",
    "smtpd_client_restrictions": "who may send what to whom is decided by the rules of this server",
    "luser_relay": "unknown addresses go to the catch-all of their domain, if it has one",
    "always_bcc": "a copy of all mail is not sent",
    "mailbox_command": "mail is delivered into mailboxes of this server",
    "myhostname": "the name of the server is hostname in posthouse.toml",
    "smtpd_tls_cert_file": "certificates are named in posthouse.toml",
}


def setting_records(main: MainCf) -> Iterator[Record]:
    """Yield the settings that main.cf sets itself; defaults of Postfix are left to ours."""
    for parameter, name, form in EQUALS:
        if parameter not in main:
            continue
        raw = main.value(parameter)
        if value := form(raw):
            yield ImportedSetting(where=main.where(parameter), name=name, value=value)
        elif raw:
            why = f"{name} cannot have this value"
            yield Unmapped(what=f"{parameter} = {raw[:100]}", where=main.where(parameter), why=why)


def left_out(main: MainCf) -> Iterator[Record]:
    """Name the parameters that are set and mean nothing here."""
    for parameter, why in _TOLD.items():
        if parameter in main and main.value(parameter):
            yield Unmapped(what=f"{parameter} = {main.value(parameter)[:100]}", where=main.where(parameter), why=why)


def route_of(where: str, key: str, value: str, *, recipients_local: bool) -> Iterator[Record]:
    """Yield the route that an entry of transport(5) is: ``smtp:[host]:port``, ``relay:domain``, ``:[host]``."""
    transport, _, hop = value.partition(":")
    if "@" in key:
        yield Unmapped(what=f"the transport of {key}", where=where, why="a route is for a domain, not for an address")
        return
    if transport and transport not in _RELAYS:
        why = f"mail is not handed to the transport {transport}"
        yield Unmapped(what=f"the transport of {key}: {value[:100]}", where=where, why=why)
        return
    match = _NEXT_HOP.fullmatch(hop.strip())
    port = _port(match["port"]) if match and match["port"] else 25
    if match is None or not port:
        if hop.strip():
            why = "the next hop is not understood"
            yield Unmapped(what=f"the transport of {key}: {value[:100]}", where=where, why=why)
        return
    yield ImportedRoute(
        where=where,
        domain=key,
        host=match["host"] or match["domain"],
        port=port,
        mx_lookup=match["host"] is None,
        recipients_local=recipients_local,
    )


def _port(text: str) -> int:
    number = _SERVICES.get(text, int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0)
    return number if number < 65536 else 0
