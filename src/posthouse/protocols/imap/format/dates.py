"""INTERNALDATE by table and arithmetic (RFC 3501 §9 date-time). Parser: ``grammar.dates``. Always in UTC."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_EPOCH_ORDINAL: Final = 719_163
_LAST_DAY: Final = dt.date.max.toordinal() - _EPOCH_ORDINAL
_MINUTES: Final = tuple(b"%02d:%02d:" % divmod(minute, 60) for minute in range(1_440))
_SECONDS: Final = tuple(b"%02d +0000" % second for second in range(60))


@lru_cache(maxsize=16_384)
def _day(days: int) -> bytes:
    day = dt.date.fromordinal(min(max(days, 0), _LAST_DAY) + _EPOCH_ORDINAL)
    return b"%2d-%b-%04d " % (day.day, _MONTHS[day.month - 1], day.year)


def internal_date(epoch_seconds: int) -> bytes:
    """Return `` 1-Jul-1996 09:44:25 +0000``, without quotes."""
    days, second = divmod(epoch_seconds, 86_400)
    minute, second = divmod(second, 60)
    return _day(days) + _MINUTES[minute] + _SECONDS[second]
