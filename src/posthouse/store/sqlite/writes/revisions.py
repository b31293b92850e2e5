"""Whether a row is still the one that the caller read."""

from __future__ import annotations

from posthouse.store.contract import Conflict


def check_revision(found: int, wanted: int, what: str) -> None:
    """Raise Conflict unless the row has the revision that was asked for; 0 asks for none."""
    if wanted and found != wanted:
        raise Conflict(f"{what} was changed meanwhile: it has revision {found}, not {wanted}", where="store.directory")
