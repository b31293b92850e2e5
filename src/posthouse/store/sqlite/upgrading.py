"""Upgrade and rollback of the database file. ``store.upgrade`` says what is promised.

    old ── copy to upgrades/*.part, flushed, renamed ── rehearsal on a second copy ── one transaction ──> new
     ^                                                                                                     │
     └──────────── copy of the kept copy beside the database, flushed, renamed over it <── rollback ───────┘

Every arrow that changes something others see is one rename or one transaction. What a kill leaves beside (``.part``,
the rehearsal) is taken away by the next run. While it works, the workers' lock is held, and the database is locked for
programs that do not know that lock.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from calendar import timegm
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posthouse.core.errors import Fault, Unavailable
from posthouse.store.rows import Finding
from posthouse.store.sqlite import birth
from posthouse.store.sqlite.database import Database
from posthouse.store.sqlite.invariants_directory import DIRECTORY_INVARIANTS
from posthouse.store.sqlite.verify import FIND_INDEX, verify
from posthouse.store.upgrade import (
    KeptCopy,
    Losses,
    LossesAhead,
    RolledBack,
    Standing,
    Tell,
    Upgraded,
    UpgradeRefused,
)

FOLDER = "upgrades"
_STAMP = "%Y%m%dT%H%M%SZ"
_WHERE = "store.upgrade"
_MARGIN = 64 * 1024 * 1024  # octets of disk beyond what the copies need
_PAGES = 4096  # of one step of a copy
# What a migration makes: a breach here is the migration's, and no reason to go on.
_MADE = {invariant.name for invariant in DIRECTORY_INVARIANTS} | {
    FIND_INDEX, "the file is sound", "an account is whole", "a number is given once",
}  # fmt: skip


def standing(path: Path, home: Path) -> Standing:
    """Say where the database stands."""
    try:
        revision = birth.revision_of(path) if path.exists() else ""
    except sqlite3.Error as error:
        raise Unavailable(
            f"the store at {path} cannot be opened: {error}; check that it is the right file and that this user may"
            " read and write it",
            where=_WHERE,
        ) from error
    return Standing(
        path=path,
        revision=revision,
        newest=birth.HEAD,
        size=_size(path),
        free=shutil.disk_usage(_nearest(home / FOLDER)).free,
        copies=tuple(_copies(home)),
    )


def upgrade(path: Path, home: Path, *, rehearse_only: bool, patience: float, tell: Tell) -> Upgraded:
    """Copy, rehearse, upgrade."""
    with _alone(path, home), _plain_faults("upgraded"):
        revision = birth.revision_of(path)
        if revision >= birth.HEAD:
            birth.refuse_newer(path, revision)
            raise UpgradeRefused(f"{path} has the newest schema already ({revision})", where=_WHERE)
        _check_room(path, home)
        folder = home / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        _sweep(folder)
        tell(f"copying {path}")
        kept = _keep_copy(path, folder, revision, patience)
        try:
            tell("rehearsing on a copy, and checking every invariant of it")
            found = _rehearse(kept, folder)
        except BaseException:
            kept.unlink()
            raise
        if rehearse_only:
            kept.unlink()
            return Upgraded(revision=revision, newest=birth.HEAD, copy=None, found=found)
        tell(f"upgrading from {revision} to {birth.HEAD}")
        birth.upgrade(path, patience=patience)
        tell(f"the store has schema {birth.HEAD}; the one before is kept as {kept}")
        return Upgraded(revision=revision, newest=birth.HEAD, copy=kept, found=found)


def rollback(path: Path, home: Path, *, accept_losses: bool, tell: Tell) -> RolledBack:
    """Put the kept copy in the database's place."""
    with _alone(path, home), _plain_faults("put back"):
        revision = birth.revision_of(path)
        copies = [copy for copy in _copies(home) if copy.upgraded_to == revision]
        if not copies:
            raise UpgradeRefused(
                f"no copy is kept from before schema {revision} in {home / FOLDER}; restore a backup instead",
                where=_WHERE,
            )
        copy = copies[-1]
        losses = _losses(path, copy.path)
        if not losses.are_none and not accept_losses:
            raise LossesAhead(losses)
        _check_free(path.parent, copy.size)
        tell(f"putting back {copy.path}")
        left = _put_back(path, home / FOLDER, copy)
        tell(f"the store has schema {copy.revision} again; the newer one is kept as {left}")
        return RolledBack(copy=copy, losses=losses, left=left)


# ---- locks and room -----------------------------------------------------------------------------------------------


@contextmanager
def _alone(path: Path, home: Path) -> Iterator[None]:
    """Hold the workers' lock. Raises Unavailable, also where there is no database."""
    if not path.exists():
        raise UpgradeRefused(f"there is no store at {path}", where=_WHERE)
    lock = Database(path, home / "store.lock")
    lock.open_lock()
    try:
        lock.lock_within(5.0)
        yield
    finally:
        lock.close()


@contextmanager
def _plain_faults(what: str) -> Iterator[None]:
    """Say in plain words that the database was not changed, and why."""
    try:
        yield
    except Fault:
        raise
    except Exception as error:
        if not isinstance(error, OSError | sqlite3.Error) and not type(error).__module__.startswith("sqlalchemy"):
            raise
        raise Unavailable(
            f"the store could not be {what}, and is as it was: {error}; stop every program that has it open, and see"
            " that the disk has room and can be written",
            where=_WHERE,
        ) from error


def _check_room(path: Path, home: Path) -> None:
    """Refuse where the disks have no room for a kept copy, a rehearsal and the log of the change."""
    size = _size(path)
    folder = _nearest(home / FOLDER)
    if folder.stat().st_dev == path.parent.stat().st_dev:
        _check_free(folder, 3 * size)
    else:
        _check_free(folder, 2 * size)
        _check_free(path.parent, size)


def _check_free(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _MARGIN:
        raise UpgradeRefused(
            f"{folder} has {free >> 20} MiB free and {needed + _MARGIN >> 20} MiB are needed; make room there first",
            where=_WHERE,
        )


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, Path(f"{path}-wal")) if file.exists())


# ---- copies -------------------------------------------------------------------------------------------------------


def _copies(home: Path) -> list[KeptCopy]:
    """Return the kept copies, oldest first."""
    copies = []
    for file in (home / FOLDER).glob("*.db"):
        words = file.stem.split("-")
        try:
            revision, upgraded_to, stamp = words
            made = timegm(time.strptime(stamp, _STAMP))
        except ValueError:
            continue  # somebody else's, or one that a rollback left
        size = file.stat().st_size
        copies.append(KeptCopy(path=file, revision=revision, upgraded_to=upgraded_to, made=made, size=size))
    return sorted(copies, key=lambda copy: copy.made)


def _sweep(folder: Path) -> None:
    """Take away what a run that was killed left."""
    for file in (*folder.glob("*.part*"), *folder.glob("rehearsal.db*")):
        file.unlink()


def _keep_copy(path: Path, folder: Path, revision: str, patience: float) -> Path:
    """Copy the database as it is, with its log, and put the copy on stable storage."""
    stamp = time.strftime(_STAMP, time.gmtime())
    kept = folder / f"{revision}-{birth.HEAD}-{stamp}.db"
    part = folder / f"{kept.name}.part"
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    source = sqlite3.connect(path, isolation_level=None, timeout=patience)
    try:
        source.execute("PRAGMA locking_mode=EXCLUSIVE")
        source.execute("BEGIN IMMEDIATE")  # in this mode: nobody else has it open
        source.execute("COMMIT")
        target = sqlite3.connect(part, isolation_level=None)
        try:
            source.backup(target, pages=_PAGES)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        finally:
            target.close()
    finally:
        source.close()
    _fsync(part)
    part.rename(kept)
    _fsync(folder)
    return kept


def _rehearse(kept: Path, folder: Path) -> tuple[Finding, ...]:
    """Upgrade a copy and check it; return what was found that no migration makes. Raises UpgradeRefused."""
    copy = folder / "rehearsal.db"
    try:
        shutil.copyfile(kept, copy)
        birth.upgrade(copy)
        found = verify(copy)
    finally:
        for file in folder.glob("rehearsal.db*"):
            file.unlink()
    bad = [finding for finding in found if finding.invariant in _MADE]
    if bad:
        raise UpgradeRefused(
            f"the rehearsal failed, and the store is as it was: {bad[0].invariant}: {bad[0].where}, {bad[0].detail}"
            f" ({len(bad)} findings); go on with the version that wrote it, and report this",
            where=_WHERE,
        )
    return tuple(found)


def _put_back(path: Path, folder: Path, copy: KeptCopy) -> Path:
    """Put a copy of the kept copy over the database, which is kept under another name."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        # Empties the log and takes it away; fails where anybody else has the database open.
        if connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
            raise UpgradeRefused(f"another program has {path} open; stop it first", where=_WHERE)
    finally:
        connection.close()
    fresh = path.with_name(f"{path.name}.part")
    shutil.copyfile(copy.path, fresh)
    fresh.chmod(path.stat().st_mode & 0o777)
    _fsync(fresh)
    left = folder / f"{copy.upgraded_to}-left-{time.strftime(_STAMP, time.gmtime())}.db"
    left.unlink(missing_ok=True)
    try:
        os.link(path, left)
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, left)
    _fsync(left)
    _fsync(folder)
    fresh.replace(path)
    _fsync(path.parent)
    return left


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _losses(path: Path, copy: Path) -> Losses:
    """Count what happened in the database since the copy was made."""
    now, then = _counts(path), _counts(copy)
    messages, mailbox_changes, directory_changes = (
        max(0, later - earlier) for later, earlier in zip(now, then, strict=True)
    )
    return Losses(messages=messages, mailbox_changes=mailbox_changes, directory_changes=directory_changes)


def _counts(path: Path) -> tuple[int, int, int]:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        counters = dict(connection.execute("SELECT name, value FROM counter").fetchall())
        changes = connection.execute("SELECT coalesce(sum(modseq), 0) FROM account_state").fetchone()[0]
    finally:
        connection.close()
    return counters.get("body", 0), changes, counters.get("directory", 0)
