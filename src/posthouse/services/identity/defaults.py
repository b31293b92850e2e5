"""What accounts get from the settings of their domain where nobody said anything else.

Tests: ``tests/unit/services/identity/test_defaults.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.config.definitions.account import HOLD_DAYS, LANGUAGE, QUOTA
from posthouse.config.settings import Settings

DAY: Final = 86_400.0


def quota_of(settings: Settings, domain: str) -> int:
    """Return the quota, in octets, of a new account in a domain; 0 for none."""
    return settings.get(QUOTA, domain=domain)


def language_of(settings: Settings, address: str, chosen: str = "") -> str:
    """Return the language in which an account is written to: the one it chose, else that of its domain."""
    return chosen or settings.get(LANGUAGE, domain=address.rpartition("@")[2])


def hold_seconds(settings: Settings, address: str) -> float:
    """Return how long a removed account is held; 0.0 where it is destroyed at once."""
    return settings.get(HOLD_DAYS, domain=address.rpartition("@")[2]) * DAY
