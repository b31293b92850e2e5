"""Settings of the reports that the server sends by itself."""

from __future__ import annotations

import re

from posthouse.config.definitions.message import mail_address
from posthouse.config.setting import list_setting

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def time_of_day(text: str) -> tuple[int, int]:
    """Return hour and minute of ``07:30``. Raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return int(text[:2]), int(text[3:])


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
    item=mail_address,
    items="addresses",
)

SETTINGS = (DAILY_AT, DAILY_TO)
