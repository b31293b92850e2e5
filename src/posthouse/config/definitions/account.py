"""Settings of accounts: what new ones get, how full they may be, how long removed ones are kept."""

from __future__ import annotations

import re

from posthouse.config.setting import (
    PER_ACCOUNT,
    PER_DOMAIN,
    Authority,
    int_setting,
    list_setting,
    size_setting,
    text_setting,
)

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def _percent(text: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 100):
        raise ValueError(text)


QUOTA = size_setting(
    "account.quota",
    0,
    "How much mail a new account may keep where nothing else is said when it is made. 0 means any amount.",
    minimum=0,
    maximum=1 << 60,
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
)
LANGUAGE = text_setting(
    "account.language",
    "en",
    "The language of messages from the server to accounts that have chosen none, such as `en` or `de-AT`.",
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
    rfc="RFC 5646 §2.1",
)
HOLD_DAYS = int_setting(
    "account.hold_days",
    30,
    "How long a removed account is held before it is destroyed: its mail stays, no mail arrives, nobody signs in, and "
    "`posthouse account restore` brings it back. 0 destroys at once.",
    unit="days",
    minimum=0,
    maximum=3_650,
    scopes=PER_DOMAIN,
)
QUOTA_WARNINGS = list_setting(
    "account.quota_warnings",
    ("80", "95"),
    "How full, in per cent of its quota, a mailbox is when its owner is warned. Each level warns once on the way up.",
    item=_percent,
    items="numbers from 1 to 100",
    scopes=PER_ACCOUNT,
    authority=Authority.OWN,
)
QUOTA_GRACE = int_setting(
    "account.quota_grace",
    0,
    "By how much, in per cent of its quota, mail that arrives may pass the quota of a mailbox before it is refused.",
    unit="per cent",
    minimum=0,
    maximum=100,
    scopes=PER_ACCOUNT,
)

SETTINGS = (QUOTA, LANGUAGE, HOLD_DAYS, QUOTA_WARNINGS, QUOTA_GRACE)
