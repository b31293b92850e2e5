"""Settings of the messages that the server writes by itself, and of the report of a day."""

from __future__ import annotations

import re

from posthouse.config.setting import PER_DOMAIN, Authority, int_setting, list_setting

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
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


def time_of_day(text: str) -> tuple[int, int]:
    """Return hour and minute of ``07:30``. Raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return int(text[:2]), int(text[3:])


def _address(text: str) -> None:
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
    item=_address,
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
DAILY_AT = list_setting(
    "report.daily_at",
    (),
    "When the report of the day before is mailed: a time of day of this machine, such as 07:00; of several the first "
    "counts. Empty: never. It is made from the JSON log.",
    item=time_of_day,
    items="a time of day such as 07:00",
)
DAILY_TO = list_setting(
    "report.daily_to",
    (),
    "Who gets the report of a day; empty: the postmaster of this server. It is written in `account.language` of the "
    "reader, where he has an account here.",
    item=_address,
    items="addresses",
)

SETTINGS = (SEND, FROM, NOTICE_RATE, DAILY_AT, DAILY_TO)
