"""The schema: made anew, upgraded, refused."""

import re
import sqlite3

import pytest

from posthouse.core.errors import Unavailable
from posthouse.store.sqlite import birth
from tests.support.stores import make_store


def shape(path):
    """Return every table and index of a database with its columns, apart from spelling."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql IS NOT NULL"
    ).fetchall()
    tables = {
        name: connection.execute(f"SELECT * FROM pragma_table_info('{name}')").fetchall()
        for kind, name, _, _ in rows
        if kind == "table"
    }
    texts = {name: re.sub(r"\s+", " ", text).strip() for _, name, _, text in rows}
    connection.close()
    return tables, texts


def start_empty(path):
    """Make a database of ours from before the first revision."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA application_id={birth.APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.close()


def set_revision(path, revision):
    """Write another revision into a database."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_made_anew_and_upgraded_are_the_same(tmp_path):
    """The migrations lead to exactly the tables that a new database is made with."""
    birth.prepare(tmp_path / "new.db")
    start_empty(tmp_path / "old.db")
    birth.upgrade(tmp_path / "old.db")
    assert shape(tmp_path / "new.db") == shape(tmp_path / "old.db")


def test_the_newest_migration_is_the_head_that_new_databases_are_marked_with():
    """``birth.HEAD`` is the head of the migrations."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "src/posthouse/store/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [birth.HEAD]


async def test_a_newer_store_is_refused_with_the_remedy(tmp_path):
    """A store written by a newer version is not touched; the refusal says what to do."""
    async with make_store(tmp_path / "home"):
        pass
    set_revision(tmp_path / "home" / "store.db", "9999")
    with pytest.raises(Unavailable, match=r"newer Posthouse.*run that version"):
        async with make_store(tmp_path / "home"):
            pass


async def test_a_database_of_others_is_refused(tmp_path):
    """A database that another program made is left alone."""
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(Unavailable, match="another program"):
        async with make_store(tmp_path):
            pass


async def test_a_file_that_is_no_database_is_refused(tmp_path):
    """Bytes that are no database are refused in plain words."""
    (tmp_path / "store.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(Unavailable, match="cannot be opened"):
        async with make_store(tmp_path):
            pass


async def test_a_home_that_cannot_be_made_is_refused(tmp_path):
    """A home below a plain file is refused with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be opened"):
        async with make_store(tmp_path / "file" / "home"):
            pass


@pytest.mark.parametrize("url", ["", "sqlite:", "sqlite:///", "postgresql://host/db", "store.db"])
async def test_unknown_urls_are_refused(tmp_path, url):
    """A URL that names no engine is refused with what is known."""
    with pytest.raises(Unavailable, match="sqlite:///"):
        async with make_store(tmp_path, url=url):
            pass


async def test_an_absolute_url_lies_outside_the_home(tmp_path):
    """``sqlite:////path`` names a file anywhere."""
    async with make_store(tmp_path / "home", url=f"sqlite:///{tmp_path}/elsewhere/mail.db"):
        assert (tmp_path / "elsewhere" / "mail.db").exists()
    assert not (tmp_path / "home" / "store.db").exists()
