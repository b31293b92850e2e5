"""A database of somebody else's as a sign-in source: a query of the administrator's tells who may come in.

``query`` is asked with named values, always bound and never put into the text: ``:login`` (as typed), ``:address``,
``:local``, ``:domain``, ``:protocol``, ``:client``. It returns one row with a column ``password`` that holds a hash of
any scheme we know (``identity.schemes``), or, with ``check = query``, it gets ``:password`` too and returns a row where
the password is right. Further columns make the person: ``address``, ``display_name``, ``given_name``, ``family_name``,
``groups`` (divided by commas), ``external_id``, ``quota``, ``disabled``.
Tests: ``tests/interop/test_sources_sql.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from posthouse.services.identity.schemes import why_unusable
from posthouse.services.identity.sources.contract import (
    Down,
    Granted,
    Login,
    QuietSource,
    SourceAnswer,
    SourceDown,
    SourceFinding,
    SourceGroup,
    SourcePerson,
    Unknown,
    Wrong,
)
from posthouse.services.identity.sources.fields import number, one_of, option, span, text
from posthouse.services.identity.sources.sql_drivers import (
    BACKENDS,
    Database,
    DatabaseGone,
    DatabaseParts,
    Row,
    check_query,
    make_database,
)
from posthouse.services.identity.sources.verified_tls import tls_context

CHECKS_AT_ONCE: Final = 2
NAMES: Final = frozenset({"login", "address", "local", "domain", "protocol", "client"})
_COLUMNS: Final = frozenset(
    {"password", "address", "display_name", "given_name", "family_name", "groups", "external_id", "disabled"}
)


def _database_url(value: str) -> str:
    why = "a URL such as postgresql://user@host/database, mysql://user@host/database or sqlite:////path/file.db"
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError(why) from None
    if url.get_backend_name() not in BACKENDS or not url.database:
        raise ValueError(why)
    if url.password:
        raise ValueError(f"{why}; the password goes into the field password")
    return value


def _query(*more: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        return check_query(value, NAMES | set(more)) if value else value

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlConfig:
    """The fields of an SQL source."""

    url: str = option(
        _database_url,
        "Where the database is: `postgresql://mail@db.example.org/users`, `mysql://...` (MariaDB too), "
        "`sqlite:////var/lib/users.db`; without the password.",
    )
    query: str = option(
        _query("password"),
        "The query for one login: `SELECT password, name AS display_name FROM users WHERE address = :address`.",
    )
    password: str = option(text, "The password of the database's user.", "", secret=True)
    check: str = option(
        one_of("hash", "query"),
        "`hash`: the column `password` holds a hash and we compare. `query`: the query gets `:password` and returns a "
        "row where it is right; then an unknown name and a wrong password look the same.",
        "hash",
    )
    default_scheme: str = option(
        text, "The scheme of hashes that name none, such as `SSHA256` or `PLAIN-MD5`. Empty: they name it.", ""
    )
    find_query: str = option(
        _query(), "The query for the holder of an `:address`, without a password. Empty: none.", ""
    )
    people_query: str = option(_query(), "The query that lists everybody, for synchronising. Empty: none.", "")
    groups_query: str = option(
        _query(),
        "The query that lists groups, a row for each member with `name`, `address` and `member`. Empty: none.",
        "",
    )
    tls: str = option(
        one_of("auto", "verify", "off"),
        "`verify`: TLS with a certificate that verifies; `auto`: so unless the database is on this machine; `off`.",
        "auto",
    )
    ca_file: str = option(text, "A PEM file of the authorities that may sign the database's certificate.", "")
    connections: int = option(number(1, 64), "How many connections each worker has at most.", "4")
    timeout: float = option(span(0.2, 60), "How long connecting, and each query, may take.", "5s")


class SqlSource(QuietSource):
    """One database. Raises SourceFault: where its certificate authorities cannot be read."""

    def __init__(self, name: str, config: SqlConfig, verify_hash: Callable[[str, bytes], bool]) -> None:
        super().__init__(name)
        self._config = config
        self._verify = verify_hash
        self._gate = asyncio.Semaphore(CHECKS_AT_ONCE)
        parts = DatabaseParts(
            url=make_url(config.url),
            password=config.password,
            tls=config.tls,
            context=tls_context(config.ca_file),
            connections=config.connections,
            timeout=config.timeout,
        )
        self._database: Database = make_database(parts)

    async def check_password(self, login: Login, password: bytes) -> SourceAnswer:
        """Ask the query, then compare the hash unless the query did so."""
        if not password:
            return Wrong("an empty password")
        values = _values(login)
        checks_itself = self._config.check == "query"
        if checks_itself:
            try:
                values["password"] = password.decode()
            except UnicodeDecodeError:
                return Wrong("a password that is no UTF-8")
        if any("\x00" in value for value in values.values()):
            return Unknown()
        try:
            rows = await self._database.rows(self._config.query, values, 2)
        except DatabaseGone as gone:
            return Down(gone.detail, is_spared=gone.is_spared)
        if not rows:
            return Wrong("the query returned no row") if checks_itself else Unknown()
        if len(rows) > 1:
            return Wrong("the query returned more than one row")
        if not checks_itself and (refusal := await self._compare(rows[0], password)) is not None:
            return refusal
        person = _person(rows[0], login.address)
        return Wrong("shut out in the database") if person.is_disabled else Granted(person)

    async def _compare(self, row: Row, password: bytes) -> SourceAnswer | None:
        """Return why the password does not do; None where it does."""
        if "password" not in row:
            return Down("the query returns no column named password")
        encoded = _text(row["password"])
        if not encoded:
            return Wrong("there is no password in the database")
        if self._config.default_scheme and not encoded.startswith(("{", "$")):
            encoded = f"{{{self._config.default_scheme}}}{encoded}"
        if why := why_unusable(encoded):
            return Wrong(f"the hash in the database cannot be used: {why}")
        async with self._gate:
            fits = await asyncio.to_thread(self._verify, encoded, password)
        return None if fits else Wrong()

    async def find(self, address: str) -> SourcePerson | None:
        """Ask the query for the holder of an address."""
        if not self._config.find_query or "\x00" in address:
            return None
        local_part, _, domain = address.rpartition("@")
        values = _values(Login(name=address, local_part=local_part, domain=domain))
        try:
            rows = await self._database.rows(self._config.find_query, values, 2)
        except DatabaseGone as gone:
            raise SourceDown(gone.detail) from gone
        return _person(rows[0], address) if len(rows) == 1 else None

    async def people(self) -> AsyncIterator[SourcePerson]:
        """Yield everybody whom the query for people lists."""
        if self._config.people_query:
            async for row in self._all(self._config.people_query):
                person = _person(row, "")
                if person.address:
                    yield person

    async def groups(self) -> AsyncIterator[SourceGroup]:
        """Yield every group with its members."""
        if not self._config.groups_query:
            return
        members: dict[tuple[str, str], list[str]] = {}
        async for row in self._all(self._config.groups_query):
            key = (_text(row.get("name")), _text(row.get("address")).lower())
            members.setdefault(key, []).append(_text(row.get("member")).lower())
        for (name, address), each in members.items():
            yield SourceGroup(name=name, address=address, members=tuple(dict.fromkeys(filter(None, each))))

    async def _all(self, query: str) -> AsyncIterator[Row]:
        try:
            async for row in self._database.every(query, dict.fromkeys(NAMES, "")):
                yield row
        except DatabaseGone as gone:
            raise SourceDown(gone.detail) from gone

    async def test(self) -> SourceFinding:
        """Ask the query for a name that nobody has."""
        values = _values(Login(name="", local_part="", domain=""))
        values |= {"password": ""} if self._config.check == "query" else {}
        try:
            await self._database.rows(self._config.query, values, 1)
        except DatabaseGone as gone:
            return SourceFinding(False, gone.detail, "See that the database runs, and try the query by hand.")
        return SourceFinding(True, "the database answers and takes the query")

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()


def _values(login: Login) -> dict[str, str]:
    return {
        "login": login.name,
        "address": login.address,
        "local": login.local_part,
        "domain": login.domain,
        "protocol": login.protocol,
        "client": login.client,
    }


def _person(row: Mapping[str, object], address: str) -> SourcePerson:
    return SourcePerson(
        address=(_text(row.get("address")) or address).lower(),
        display_name=_text(row.get("display_name")),
        given_name=_text(row.get("given_name")),
        family_name=_text(row.get("family_name")),
        groups=tuple(name.strip() for name in _text(row.get("groups")).split(",") if name.strip()),
        external_id=_text(row.get("external_id")),
        attributes={name: value for name in row if name not in _COLUMNS and (value := _text(row[name]))},
        is_disabled=_text(row.get("disabled")).lower() in {"1", "true", "t", "yes", "y"},
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
