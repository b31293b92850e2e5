"""Bringing a store of an older Posthouse to the schema of this one, and going back.

An upgrade never touches the only copy: the database is copied to ``HOME/upgrades/FROM-TO-TIME.db``, the change is
rehearsed on a second copy with every invariant checked, and only then made, in one transaction. Killed at any point it
leaves a store of the old schema or of the new one, whole. The copy is kept, and ``rollback`` goes back to it.

This is the face; each engine has its own way (``sqlite.upgrading``). Nothing here knows whether a server runs: the
caller holds the home's lock. Tests: ``tests/unit/store/test_upgrade.py``, ``tests/crash/test_upgrade_crash.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from posthouse.core.errors import Unavailable
from posthouse.store.open import database_path
from posthouse.store.rows import Finding

Tell = Callable[[str], None]


class OlderSchema(Unavailable):
    """The store was written by an older Posthouse and has to be upgraded first."""


class UpgradeRefused(Unavailable):
    """The upgrade, or the way back, is not safe now; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCopy:
    """A copy that an upgrade kept. ``made`` is in seconds since the epoch."""

    path: Path
    revision: str
    upgraded_to: str
    made: float
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a store stands. ``revision`` "" where there is no database yet."""

    path: Path
    revision: str
    newest: str
    size: int
    free: int
    copies: tuple[KeptCopy, ...]

    @property
    def is_older(self) -> bool:
        """Whether an upgrade is due."""
        return "" != self.revision < self.newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade came to; ``copy`` None for a rehearsal. ``found`` was wrong before, and is not in its way."""

    revision: str
    newest: str
    copy: Path | None
    found: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What happened since a copy was made, and is not in it."""

    messages: int
    mailbox_changes: int
    directory_changes: int

    @property
    def are_none(self) -> bool:
        """Whether nothing is lost by going back."""
        return not (self.messages or self.mailbox_changes or self.directory_changes)

    def __str__(self) -> str:
        return (
            f"{self.messages} messages, {self.mailbox_changes} changes in mailboxes and"
            f" {self.directory_changes} changes of directory and settings"
        )


class LossesAhead(UpgradeRefused):
    """Something would be lost by going back."""

    def __init__(self, losses: Losses) -> None:
        super().__init__(
            f"since the upgrade there were {losses}, all lost by going back; say --yes to go back all the same",
            where="store.upgrade",
        )
        self.losses = losses


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What going back came to: from which copy, what is lost, and where the newer database lies now."""

    copy: KeptCopy
    losses: Losses
    left: Path


def standing(url: str, home: Path) -> Standing:
    """Say where the store stands; may be asked beside a server. Raises Unavailable."""
    from posthouse.store.sqlite import upgrading

    return upgrading.standing(database_path(url, home), home)


def upgrade(
    url: str, home: Path, *, rehearse_only: bool = False, patience: float = 5.0, tell: Tell = lambda _: None
) -> Upgraded:
    """Bring the store to the newest schema, or only rehearse it on a copy that is thrown away.

    Args:
        url: the store's URL.
        home: the home, whose lock the caller holds.
        rehearse_only: change nothing.
        patience: seconds to wait for others to close the store.
        tell: told what is done, step by step.

    Raises UpgradeRefused, Unavailable: the store is as it was.
    """
    from posthouse.store.sqlite import upgrading

    return upgrading.upgrade(database_path(url, home), home, rehearse_only=rehearse_only, patience=patience, tell=tell)


def rollback(url: str, home: Path, *, accept_losses: bool = False, tell: Tell = lambda _: None) -> RolledBack:
    """Go back to the copy that the upgrade to the present schema kept; the newer database is kept beside it.

    The home's lock must be held. Raises UpgradeRefused: where there is no copy. LossesAhead: where something
    would be lost and ``accept_losses`` is False.
    """
    from posthouse.store.sqlite import upgrading

    return upgrading.rollback(database_path(url, home), home, accept_losses=accept_losses, tell=tell)
