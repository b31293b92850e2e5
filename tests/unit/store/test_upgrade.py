"""From the schema of an older version to this one's and back, with a store that the older version wrote."""

import gzip
import shutil
import sqlite3
from pathlib import Path

import pytest

from posthouse.core.errors import Unavailable
from posthouse.core.flags import Flag
from posthouse.store import upgrade as upgrades
from posthouse.store.directory_values import AccountState, Level, PutAccount
from posthouse.store.rows import Field
from posthouse.store.sqlite import birth, upgrading
from posthouse.store.upgrade import LossesAhead, OlderSchema, UpgradeRefused
from tests.support.stores import delivery, make_store

URL = "sqlite:///store.db"
# Written by the last version with schema 0001: three people, an alias, a route, two settings, four messages, one queued.
OLD = Path(__file__).parents[2] / "data" / "store-0001.db.gz"
ALL = ((1, 0xFFFFFFFF),)


@pytest.fixture
def old_home(tmp_path):
    """Return a home with a store of schema 0001."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "store.db").write_bytes(gzip.decompress(OLD.read_bytes()))
    return home


def standing(home):
    return upgrades.standing(URL, home)


async def test_an_older_store_is_refused_with_the_remedy(old_home):
    """Opening does not upgrade behind anybody's back; the refusal names the command."""
    with pytest.raises(OlderSchema, match=r"schema 0001.*posthouse store upgrade"):
        async with make_store(old_home):
            pass
    assert standing(old_home).revision == "0001"
    assert standing(old_home).is_older


async def test_everything_comes_over(old_home):
    """Domains, people, aliases, routes, settings and mail are there after the upgrade, and the store is sound."""
    done = upgrades.upgrade(URL, old_home)
    assert (done.revision, done.newest, done.found) == ("0001", birth.HEAD, ())
    async with make_store(old_home) as store:
        assert await store.verify() == []
        ann, bob, off = [await store.account(f"{name}@example.org") for name in ("ann", "bob", "off")]
        assert (ann.level, ann.state, ann.display_name, ann.quota_bytes) == (
            Level.SERVER, AccountState.ACTIVE, "Ann Müller", 1_000_000,
        )  # fmt: skip
        assert (bob.level, off.state) == (Level.USER, AccountState.DISABLED)
        domain = await store.domain("example.org")
        assert (domain.accounts, domain.aliases, domain.quota, domain.catch_all) == (3, 1, 1_000_500, "ann@example.org")
        assert (await store.domain("off.example")).disabled
        assert (await store.domain("alias.example")).alias_of == "example.org"
        assert (await store.alias("sales@example.org")).targets == ("ann@example.org", "far@example.com")
        assert [route.host for route in await store.routes()] == ["smart.example"]
        assert {(row.scope, row.value) for row in await store.settings()} == {
            ("server", "5d"),
            ("domain:example.org", "+"),
        }
        inbox = await store.mailbox_named(ann.id, "INBOX")
        flags = [row[0] for row in await store.messages(ann.id, inbox.id, ALL, (Field.FLAGS,))]
        assert flags == [Flag.SEEN.value, Flag.SEEN.value, 0]
        assert [found.address for found in await store.find("muller")] == ["ann@example.org"]
        assert len(await store.queue_rows()) == 1
        await store.commit(delivery(bob.id), PutAccount(address="new@example.org"))
        assert await store.verify() == []


def test_a_copy_is_kept(old_home):
    """The copy has the old schema and lies in the home's folder upgrades, for its owner's eyes."""
    done = upgrades.upgrade(URL, old_home)
    (copy,) = standing(old_home).copies
    assert copy.path == done.copy
    assert (copy.revision, copy.upgraded_to) == ("0001", birth.HEAD)
    assert birth.revision_of(copy.path) == "0001"
    assert copy.path.stat().st_mode & 0o077 == 0
    assert [file.name for file in (old_home / "upgrades").iterdir()] == [copy.path.name]


def test_a_rehearsal_changes_nothing(old_home):
    """A dry run upgrades a copy alone, and leaves no copy behind."""
    before = (old_home / "store.db").read_bytes()
    done = upgrades.upgrade(URL, old_home, rehearse_only=True)
    assert done.copy is None
    assert (old_home / "store.db").read_bytes() == before
    assert list((old_home / "upgrades").iterdir()) == []


async def test_one_command_back(old_home):
    """Going back at once loses nothing: the store is the old one, and the newer is kept."""
    upgrades.upgrade(URL, old_home)
    done = upgrades.rollback(URL, old_home)
    assert done.losses.are_none
    assert standing(old_home).revision == "0001"
    assert birth.revision_of(done.left) == birth.HEAD
    upgrades.upgrade(URL, old_home)
    async with make_store(old_home) as store:
        assert await store.verify() == []


async def test_what_would_be_lost_is_said(old_home):
    """After mail arrived the way back is refused with what is lost, and gone with consent."""
    upgrades.upgrade(URL, old_home)
    async with make_store(old_home) as store:
        ann = await store.account("ann@example.org")
        await store.commit(delivery(ann.id))
        await store.commit(PutAccount(address="new@example.org"))
    with pytest.raises(LossesAhead, match=r"1 messages, .* changes of directory") as refused:
        upgrades.rollback(URL, old_home)
    assert refused.value.losses.messages == 1
    assert standing(old_home).revision == birth.HEAD
    upgrades.rollback(URL, old_home, accept_losses=True)
    assert standing(old_home).revision == "0001"


def test_nothing_to_do_is_said(old_home):
    """A second upgrade, a rollback without a copy and a home without a store are refused in plain words."""
    with pytest.raises(UpgradeRefused, match="no copy is kept"):
        upgrades.rollback(URL, old_home)
    upgrades.upgrade(URL, old_home)
    with pytest.raises(UpgradeRefused, match="newest schema already"):
        upgrades.upgrade(URL, old_home)
    with pytest.raises(UpgradeRefused, match="there is no store"):
        upgrades.upgrade("sqlite:///none.db", old_home)


def test_a_newer_store_is_refused(old_home):
    """A store of a later version is left alone, both ways."""
    connection = sqlite3.connect(old_home / "store.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(Unavailable, match="newer Posthouse"):
        upgrades.upgrade(URL, old_home)


def test_a_full_disk_is_seen_before(old_home, monkeypatch):
    """Where copies would not fit, nothing is begun and the room needed is said."""
    usage = shutil.disk_usage(old_home)
    monkeypatch.setattr(upgrading.shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    with pytest.raises(UpgradeRefused, match="MiB are needed"):
        upgrades.upgrade(URL, old_home)
    assert not (old_home / "upgrades").exists()


def test_a_store_that_others_have_open_is_left_alone(old_home):
    """A program with the database open is a reason to refuse, not to pull the file from under it."""
    other = sqlite3.connect(old_home / "store.db")
    other.execute("SELECT count(*) FROM account").fetchone()
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM account").fetchone()
    with pytest.raises(Unavailable, match="stop every program"):
        upgrades.upgrade(URL, old_home, patience=0.0)
    other.close()
    assert standing(old_home).revision == "0001"


async def test_a_rehearsal_that_fails_stops_the_upgrade(old_home, monkeypatch):
    """Where the upgraded copy is not sound, the store stays as it was, and the finding is named."""

    def broken(path, **_):
        real(path)
        connection = sqlite3.connect(path)
        connection.execute("UPDATE domain SET accounts = 99")
        connection.commit()
        connection.close()

    real = birth.upgrade
    monkeypatch.setattr(upgrading.birth, "upgrade", broken)
    with pytest.raises(UpgradeRefused, match="a domain counts what it holds"):
        upgrades.upgrade(URL, old_home)
    assert standing(old_home).revision == "0001"
    assert list((old_home / "upgrades").iterdir()) == []


def test_what_a_kill_left_is_taken_away(old_home):
    """Halves of copies from a run that was killed do not stay."""
    folder = old_home / "upgrades"
    folder.mkdir()
    for name in ("0001-0002-20260101T000000Z.db.part", "rehearsal.db", "rehearsal.db-wal"):
        (folder / name).write_bytes(b"half")
    upgrades.upgrade(URL, old_home)
    assert [file.suffix for file in folder.iterdir()] == [".db"]


def test_a_store_without_a_file_stands_nowhere(tmp_path):
    """A home that has no store yet has no schema, and no upgrade is due."""
    stands = standing(tmp_path)
    assert (stands.revision, stands.is_older, stands.copies) == ("", False, ())
    assert stands.free > 0
    assert list(tmp_path.iterdir()) == []
