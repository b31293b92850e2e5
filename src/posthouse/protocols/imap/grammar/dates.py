"""``date`` and ``date-time`` (RFC 3501 §9)."""

from __future__ import annotations

import datetime as dt
import re

from posthouse.core.errors import SyntaxFault

MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_EPOCH_ORDINAL = 719_163

_DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1')
_DATE_TIME = re.compile(
    rb'" ?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)


def _day(day_month_year: tuple[bytes, ...], at: int) -> int:
    day, month, year = day_month_year
    try:
        return dt.date(int(year), _MONTH_NUMBERS[month.lower()], int(day)).toordinal() - _EPOCH_ORDINAL
    except (ValueError, KeyError):
        raise SyntaxFault("no such day", where="imap.date", offset=at) from None


def date(text: bytes, at: int) -> tuple[int, int]:
    """``date = date-text / DQUOTE date-text DQUOTE``, as days since 1970-01-01."""
    match = _DATE.match(text, at)
    if match is None:
        raise SyntaxFault("date expected", where="imap.date", offset=at)
    return _day(match.group(2, 3, 4), at), match.end()


def date_time(text: bytes, at: int) -> tuple[int, int]:
    """``date-time``, as seconds since the epoch. Moments before it count as its first second."""
    match = _DATE_TIME.match(text, at)
    if match is None:
        raise SyntaxFault("date and time expected", where="imap.date_time", offset=at)
    day = _day(match.group(1, 2, 3), at)
    hour, minute, second, zone_hour, zone_minute = map(int, match.group(4, 5, 6, 8, 9))
    if hour > 23 or minute > 59 or second > 60 or zone_minute > 59:
        raise SyntaxFault("no such time", where="imap.date_time", offset=at)
    zone = (zone_hour * 60 + zone_minute) * 60
    local = day * 86_400 + (hour * 60 + minute) * 60 + second
    return max(0, local - zone if match.group(7) == b"+" else local + zone), match.end()
