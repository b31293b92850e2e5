"""Dates in header fields, both ways (RFC 5322 §3.3, §4.3). Room: message.

``parse_date`` reads what real mail has: two-digit years, names of zones, no zone, the order of ``ctime``, hyphens.
``format_date`` writes the strict form in UTC and is its inverse to the second. No calendar library is needed: days are
counted by arithmetic. Not here: IMAP's date-time (``protocols.imap``).

Tests: ``tests/unit/message/test_message_words.py``.
"""

from __future__ import annotations

import re
from functools import lru_cache

_MONTHS = {name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_MONTH_NAMES = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ZONES = {
    b"est": -300,
    b"edt": -240,
    b"cst": -360,
    b"cdt": -300,
    b"mst": -420,
    b"mdt": -360,
    b"pst": -480,
    b"pdt": -420,
}

# [day-name ","] day month year time [zone]   (RFC 5322 §3.3)
_DATE = re.compile(
    rb"\s*(?:[A-Za-z]{2,9}\.?\s*,?\s*)?(\d{1,2})(?:st|nd|rd|th)?[\s,-]+([A-Za-z]{3})[A-Za-z]{0,6}\.?[\s,-]+(\d{2,4})"
    rb"[\s,]+(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:\.\d{1,9})?)?\s*(?:(?:GMT|UTC)?\s*([+-])(\d\d):?(\d\d)|([A-Za-z]{1,5}))?"
)
# day-name month day time [zone] year: what ctime prints
_CTIME = re.compile(
    rb"\s*(?:[A-Za-z]{3,9},?\s+)?([A-Za-z]{3})[a-z]*\s+(\d{1,2}),?\s+(\d{1,2}):(\d\d)(?::(\d\d))?\s+(?:([A-Za-z]{1,5})\s+)?(\d{4})"
    rb"(?:\s+([+-])(\d\d)(\d\d))?"
)


def _days(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant's days_from_civil)."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _civil(days: int) -> tuple[int, int, int]:
    days += 719468
    era, of_era = divmod(days, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year_of_era + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def _year(text: bytes) -> int:
    # obs-year: two digits up to 49 are this century's, three digits count from 1900 (RFC 5322 §4.3)
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year


def _zone(sign: bytes | None, hours: bytes | None, minutes: bytes | None, name: bytes | None) -> int:
    if sign is not None and hours is not None and minutes is not None:
        offset = int(hours) * 60 + int(minutes)
        return -offset if sign == b"-" else offset
    return _ZONES.get((name or b"").lower(), 0)  # military and unknown names count as -0000 (RFC 5322 §4.3)


def _epoch(date: tuple[int, int, int], clock: tuple[int, int, int], zone: int) -> int | None:
    year, month, day = date
    hour, minute, second = clock
    if not (1 <= day <= 31 and hour <= 24 and minute <= 59 and second <= 61 and 1 <= year <= 9999):
        return None
    return _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone * 60


@lru_cache(maxsize=256)
def _parse(value: bytes) -> int | None:
    match = _DATE.match(value)
    if match is not None:
        day, month, year, hour, minute, second, sign, hours, minutes, name = match.groups()
    else:
        match = _CTIME.match(value)
        if match is None:
            return None
        month, day, hour, minute, second, name, year, sign, hours, minutes = match.groups()
    number = _MONTHS.get(month.lower())
    if number is None:
        return None
    clock = (int(hour), int(minute), int(second or 0))
    return _epoch((_year(year), number, int(day)), clock, _zone(sign, hours, minutes, name))


def parse_date(value: bytes) -> int | None:
    """Return a Date field's body as seconds since the epoch, or None where it cannot be read (RFC 5322 §3.3, §4.3)."""
    if b"(" in value:
        value = re.sub(rb"\([^()]*\)", b" ", value[:256])
    return _parse(value[:128])


@lru_cache(maxsize=64)
def _format(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    year, month, day = _civil(days)
    hour, rest = divmod(rest, 3600)
    return (
        f"{_DAY_NAMES[(days + 3) % 7]}, {day} {_MONTH_NAMES[month]} {year:04d}"
        f" {hour:02d}:{rest // 60:02d}:{rest % 60:02d} +0000"
    )


def format_date(at: float) -> str:
    """Return ``Fri, 21 Nov 1997 09:55:06 +0000`` (RFC 5322 §3.3), in UTC."""
    return _format(int(at))
