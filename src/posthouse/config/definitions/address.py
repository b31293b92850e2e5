"""Settings of how addresses are read."""

from __future__ import annotations

import ipaddress
import re

from posthouse.config.setting import PER_DOMAIN, Authority, choice_setting, list_setting, text_setting

_PLACE = re.compile(r"(?:office:)?[^\s,=:@]{1,253}")


def _listener(text: str) -> None:
    """Raise ValueError unless this is ``ADDRESS=DOMAIN`` or ``ADDRESS=office:NAME``."""
    address, _, place = text.rpartition("=")
    ipaddress.ip_address(address)
    if not _PLACE.fullmatch(place):
        raise ValueError(text)


EXTENSION_DELIMITER = text_setting(
    "address.extension_delimiter",
    "+",
    "What separates a user from a detail in a local part: with `+`, mail to `ann+lists@example.org` goes to "
    "`ann@example.org` unless somebody has that very address. Empty turns this off.",
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
    rfc="RFC 5233 §1",
)
DEFAULT_DOMAIN = text_setting(
    "address.default_domain",
    "",
    "The domain of names without one: of the bare `postmaster`, and of short names at sign-in. Empty means the domain "
    "that was made first.",
    rfc="RFC 5321 §4.1.1.3",
)

DEFAULT_OFFICE = text_setting(
    "address.default_office",
    "",
    "The post office of names without a domain, where `address.default_domain` is empty: the domain that was made "
    "first in it is taken. Empty means the server's own.",
)
DOMAIN_OF_LISTENER = list_setting(
    "address.domain_of_listener",
    (),
    "Which domain a name without one is of, by the address of this server that the client connected to: "
    "`192.0.2.7=example.org`, or `192.0.2.8=office:acme` for the one account of that name in a post office.",
    item=_listener,
    items="pairs such as 192.0.2.7=example.org or 2001:db8::7=office:acme",
)
ALIAS_SENDERS = choice_setting(
    "address.alias_senders",
    "any",
    ("any", "sole", "none"),
    "Who may send from the address of an alias: `any` account that it leads to, only the `sole` account that it leads "
    "to, or `none`.",
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
)

SETTINGS = (EXTENSION_DELIMITER, DEFAULT_DOMAIN, DEFAULT_OFFICE, DOMAIN_OF_LISTENER, ALIAS_SENDERS)
