"""Settings of the messages that the server writes by itself."""

from __future__ import annotations

import re

from posthouse.config.setting import PER_DOMAIN, Authority, int_setting, list_setting

_ADDRESS = re.compile(r"[^\s@<>,]{1,128}@[^\s@<>,]{1,255}")

OCCASIONS = (
    "welcome",
    "quota-warning",
    "quota-full",
    "account-held",
    "password-changed",
    "second-factor-changed",
    "app-password-added",
    "sign-in-ban",
)


def mail_address(text: str) -> None:
    """Raise ValueError unless a text has the form of an address."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(text)


SEND = list_setting(
    "message.send",
    ("quota-warning", "quota-full", "password-changed", "second-factor-changed", "app-password-added"),
    "Which messages the server writes by itself, each on its occasion: `posthouse wording list` says which. Empty for "
    "none. `welcome` greets new accounts, but not those that are imported.",
    choices=OCCASIONS,
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
)
FROM = list_setting(
    "message.from",
    (),
    "The address that messages of the server are from, as people see it, and where their answers go; empty: the "
    "postmaster of the reader's domain. The envelope always has the null reverse-path.",
    item=mail_address,
    items="an address, of several the first counts",
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
    rfc="RFC 3834 §3.1",
)
NOTICE_RATE = int_setting(
    "message.notice_rate",
    500,
    "How many mailboxes `posthouse notice send` fills in a second at most, so that other mail is not kept waiting.",
    unit="mailboxes a second",
    minimum=1,
    maximum=100_000,
)

SETTINGS = (SEND, FROM, NOTICE_RATE)
