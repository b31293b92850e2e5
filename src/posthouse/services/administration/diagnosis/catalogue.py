"""All checks, in the order in which they are reported. Tests: with ``check``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from posthouse.services.administration.diagnosis.check import Check
from posthouse.services.administration.diagnosis.topics import (
    certificate,
    clock,
    configuration,
    directory,
    disk,
    dns_domains,
    dns_host,
    outbound,
    ports,
    queue,
    relay,
    services,
    store,
)

TOPICS: Final = (
    configuration,
    directory,
    store,
    disk,
    clock,
    ports,
    services,
    queue,
    relay,
    certificate,
    dns_host,
    dns_domains,
    outbound,
)
CHECKS: Final[tuple[Check, ...]] = tuple(check for topic in TOPICS for check in topic.CHECKS)


def matching(patterns: tuple[str, ...]) -> tuple[Check, ...]:
    """Return the checks whose id one of the patterns matches, such as ``dns.*``; all for no pattern."""
    if not patterns:
        return CHECKS
    return tuple(check for check in CHECKS if any(fnmatchcase(check.id, pattern) for pattern in patterns))
