"""SQL as a sign-in source, against real PostgreSQL, MariaDB and SQLite."""

from __future__ import annotations

import sqlite3

import pytest

from posthouse.services.identity import schemes
from posthouse.services.identity.sources.contract import Down, Granted, SourceDown, Unknown, Wrong, login_of
from posthouse.services.identity.sources.kinds import Parts, make_source
from posthouse.testing.clock import FakeClock
from tests.support import mariadb, postgres

pytestmark = [pytest.mark.interop, pytest.mark.slow]
PARTS = Parts(clock=FakeClock(), verify_hash=schemes.verify)
HASH = "{SSHA256}nrHlZlo6a8QNxvGBCbEcXzhp8dv+5R75XSlLYg9dmuT8PcbP"
PASSWORD = "sécret ä".encode()
TABLE = f"""
CREATE TABLE people (address VARCHAR(255) PRIMARY KEY, hash VARCHAR(255), name VARCHAR(255), quota INTEGER, off BOOLEAN);
INSERT INTO people VALUES ('anna@example.test', '{HASH}', 'Anna Älv', 1048576, false);
INSERT INTO people VALUES ('off@example.test', '{HASH}', 'Off', 0, true);
INSERT INTO people VALUES ('none@example.test', NULL, 'None', 0, false);
INSERT INTO people VALUES ('plain@example.test', 'in clear', 'Plain', 0, false);
INSERT INTO people VALUES ('o''brien@example.test', '{HASH}', 'O''Brien', 0, false);
CREATE TABLE members (team VARCHAR(60), member VARCHAR(255));
INSERT INTO members VALUES ('staff', 'anna@example.test');
INSERT INTO members VALUES ('staff', 'off@example.test');
"""
QUERY = (
    "SELECT hash AS password, name AS display_name, quota, off AS disabled FROM people "
    "WHERE address = :address AND 'a:b' <> :protocol"
)


class SqliteFile:
    """A database in a file, with the face of a server."""

    def __init__(self, folder) -> None:
        self._path = folder / "users with ? mark.db"
        self.url = f"sqlite:///{str(self._path).replace('?', '%3F')}"

    def run(self, text: str) -> None:
        with sqlite3.connect(self._path) as connection:
            connection.executescript(text)
        connection.close()

    def stop(self) -> None:
        self._path.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        return None


@pytest.fixture(scope="module", params=["postgresql", "mariadb", "sqlite"])
def database(request, tmp_path_factory):
    """Return a database with a table of people."""
    if request.param == "sqlite":
        made = SqliteFile(tmp_path_factory.mktemp("sql"))
    else:
        support = {"postgresql": postgres, "mariadb": mariadb}[request.param]
        if reason := support.why_not():
            pytest.skip(reason)
        made = postgres.PostgresServer() if request.param == "postgresql" else mariadb.MariadbServer()
    with made:
        made.run(("USE users;\nSET NAMES utf8mb4;" if request.param == "mariadb" else "") + TABLE)
        yield made


def source_of(database, **fields):
    """Return a source that compares hashes, unless said otherwise."""
    config = {"url": database.url, "query": QUERY, "timeout": "3s"} | fields
    return make_source("sql", "people", config, {"password": postgres.PASSWORD}, PARTS)


async def ask(source, name, password=PASSWORD):
    """Return the answer, and close the source."""
    try:
        return await source.check_password(login_of(name, protocol="imap"), password)
    finally:
        await source.close()


async def test_a_hash_is_compared_and_columns_make_the_person(database) -> None:
    """A right password is granted with name and quota."""
    answer = await ask(source_of(database), "Anna@example.test")
    assert isinstance(answer, Granted), answer
    assert answer.person.display_name == "Anna Älv"
    assert answer.person.attributes == {"quota": "1048576"}


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        pytest.param("anna@example.test", b"wrong", Wrong, id="a wrong password"),
        pytest.param("anna@example.test", b"", Wrong, id="an empty password"),
        pytest.param("off@example.test", PASSWORD, Wrong, id="shut out"),
        pytest.param("none@example.test", PASSWORD, Wrong, id="no password"),
        pytest.param("plain@example.test", b"in clear", Wrong, id="a hash of no scheme"),
        pytest.param("nobody@example.test", PASSWORD, Unknown, id="an unknown name"),
        pytest.param("' OR '1'='1", PASSWORD, Unknown, id="quotes are bound"),
        pytest.param("\\' OR 1=1 -- @x", PASSWORD, Unknown, id="a backslash before a quote is bound"),
        pytest.param("nul\x00@example.test", PASSWORD, Unknown, id="a NUL"),
        pytest.param("o'brien@example.test", PASSWORD, Granted, id="a name with a quote"),
        pytest.param("100%s@example.test", PASSWORD, Unknown, id="a mark of the driver"),
    ],
)
async def test_what_a_query_returns_becomes_one_of_four(database, name, password, expected) -> None:
    """Wrong, unknown and granted are told apart, and no name is more than a value."""
    assert isinstance(await ask(source_of(database), name, password), expected)


async def test_a_query_may_check_the_password_itself(database) -> None:
    """Then a row grants, and no row is wrong, whoever was asked for."""
    fields = {
        "query": "SELECT name AS display_name FROM people WHERE address = :address AND hash = :password",
        "check": "query",
    }
    assert isinstance(await ask(source_of(database, **fields), "plain@example.test", b"in clear"), Granted)
    assert isinstance(await ask(source_of(database, **fields), "plain@example.test", b"' OR ''='"), Wrong)
    assert isinstance(await ask(source_of(database, **fields), "nobody@example.test", b"in clear"), Wrong)


async def test_a_scheme_may_be_said_for_hashes_without_one(database) -> None:
    """What bears no scheme gets the default one."""
    answer = await ask(source_of(database, default_scheme="PLAIN"), "plain@example.test", b"in clear")
    assert isinstance(answer, Granted)


async def test_people_and_groups_are_listed(database) -> None:
    """Queries without a login list everybody; a group's rows are gathered."""
    source = source_of(
        database,
        people_query="SELECT address, name AS display_name, off AS disabled FROM people ORDER BY address",
        groups_query="SELECT team AS name, 'team@example.test' AS address, member FROM members ORDER BY member",
        find_query="SELECT name AS display_name FROM people WHERE address = :address",
    )
    people = [person async for person in source.people()]
    groups = [group async for group in source.groups()]
    found = await source.find("anna@example.test")
    nobody = await source.find("nobody@example.test")
    await source.close()
    assert [person.is_disabled for person in people] == [False, False, False, True, False]
    assert [(group.name, group.members) for group in groups] == [("staff", ("anna@example.test", "off@example.test"))]
    assert found is not None
    assert nobody is None


async def test_a_broken_query_is_down_for_this_sign_in_alone(database) -> None:
    """A query that the database refuses does not make the whole source be spared."""
    source = source_of(database, query="SELECT hash AS password FROM nowhere WHERE address = :address")
    finding = await source.test()
    answer = await ask(source, "anna@example.test")
    assert isinstance(answer, Down)
    assert not finding.is_good


async def test_a_working_source_says_so(database) -> None:
    """The test of a source that works is good."""
    source = source_of(database)
    finding = await source.test()
    await source.close()
    assert finding.is_good, finding


async def test_zz_a_database_that_goes_away_is_down(database) -> None:
    """When the server stops under a kept connection, the answer is Down and listing raises (the last test: it stops it)."""
    source = source_of(database, people_query="SELECT address FROM people")
    assert isinstance(await source.check_password(login_of("anna@example.test"), PASSWORD), Granted)
    database.stop()
    answer = await source.check_password(login_of("anna@example.test"), PASSWORD)
    assert isinstance(answer, Down)
    assert answer.is_spared
    with pytest.raises(SourceDown):
        assert [person async for person in source.people()]
    await source.close()
