"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path

from posthouse.core.clock import Clock
from posthouse.core.errors import Unavailable
from posthouse.store.contract import Store

_SCHEME = "sqlite:///"


def open_store(url: str, *, worker: int, home: Path, clock: Clock) -> Store:
    """Make the store that a URL names; its ``open`` is still to be awaited.

    Args:
        url: ``sqlite:///store.db`` (in the home) or ``sqlite:////var/lib/posthouse/store.db``.
        worker: number of this worker among those of the machine.
        home: the home directory; lock, spool and notices live there.
        clock: what time it is.

    Raises Unavailable: where no engine knows the URL.
    """
    path = database_path(url, home)
    from posthouse.store.sqlite.engine import SqliteStore

    return SqliteStore(path, worker=worker, home=home, clock=clock)


def database_path(url: str, home: Path) -> Path:
    """Return the database file that a URL names. Raises Unavailable: where no engine knows the URL."""
    if not url.startswith(_SCHEME) or len(url) == len(_SCHEME):
        scheme = url.partition(":")[0]
        raise Unavailable(
            f"no storage engine knows {scheme!r}; use sqlite:///NAME (in the home) or sqlite:////ABSOLUTE/PATH",
            where="store.open",
        )
    return home / url.removeprefix(_SCHEME)
