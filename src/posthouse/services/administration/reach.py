"""What a call is about: the server, a post office, a domain, an address. Apart from ``operation``, which loads slowly.

Tests: ``tests/unit/services/administration/test_access.py``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Reach(enum.Enum):
    """What a rule's target is."""

    SERVER = "server"
    OFFICE = "office"
    DOMAIN = "domain"
    ACCOUNT = "account"  # an address: its domain, and for account callers the account itself
    OWN = "own"  # the operation narrows what it shows to the caller's reach


@dataclass(frozen=True, slots=True)
class Target:
    """What a call is about: a post office, a domain, an address (folded), or the server."""

    reach: Reach
    name: str = ""
