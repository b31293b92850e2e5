"""Times and sizes as people read them at a terminal."""

from __future__ import annotations

import datetime as dt
import re

import click

_SPAN = re.compile(r"(\d+)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(seconds: float) -> str:
    """Return local date and time."""
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ago(seconds: float) -> str:
    """Return a span in its largest unit, such as ``3h``."""
    for unit in ("w", "d", "h", "m"):
        if seconds >= _SECONDS[unit]:
            return f"{int(seconds // _SECONDS[unit])}{unit}"
    return f"{int(max(0, seconds))}s"


def until(seconds: float) -> str:
    """Return how long it is until something, or ``now``."""
    return "now" if seconds <= 0 else f"in {ago(seconds)}"


def since_text(text: str, now: float) -> float:
    """Return the moment meant by ``2h`` (ago), ``2026-11-21`` or ``2026-11-21T10:00``. Raises click.UsageError."""
    if not text:
        return 0.0
    match = _SPAN.fullmatch(text.strip())
    if match is not None:
        return now - int(match[1]) * _SECONDS[match[2]]
    try:
        parsed = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError(f"{text!r} is not a time: write 2h, 3d, 2026-11-21 or 2026-11-21T10:00") from None
    return (parsed if parsed.tzinfo else parsed.astimezone()).timestamp()


def rounded_size(octets: int) -> str:
    """Return a size in its largest unit with three digits or so, such as ``1.5 GiB``."""
    size, unit = float(octets), "octets"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if size >= 100 or unit == "octets" else f"{size:.1f} {unit}"
