"""How a query is asked of SQLite, PostgreSQL, and MySQL or MariaDB, each through its own driver.

Names in a query (``:address``) are turned into the driver's marks by SQLAlchemy; values are bound by the driver.
SQLite runs in a thread, read-only, and is interrupted when its time is over. Whatever goes wrong is ``DatabaseGone``;
it says whether the database as a whole is away or only this query failed.
Tests: ``tests/interop/test_sources_sql.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote

from sqlalchemy import text as sql_text
from sqlalchemy.dialects.mysql.asyncmy import dialect as mysql_dialect
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

Row: TypeAlias = Mapping[str, object]
BACKENDS: Final = frozenset({"sqlite", "postgresql", "mysql", "mariadb"})
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
QUERY_LENGTH: Final = 8_192
PAGE: Final = 500
_DIALECTS: Final = {"sqlite": sqlite_dialect, "postgresql": postgresql_dialect, "mysql": mysql_dialect}


class DatabaseGone(Exception):  # noqa: N818  (a condition of the other side)
    """A query could not be answered; ``is_spared`` says that the database as a whole is away."""

    def __init__(self, detail: str, *, is_spared: bool = True) -> None:
        super().__init__(detail)
        self.detail = detail[:500]
        self.is_spared = is_spared


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseParts:
    """What a database is reached with; ``tls`` is ``auto``, ``verify`` or ``off``."""

    url: URL
    password: str
    tls: str
    context: ssl.SSLContext
    connections: int
    timeout: float

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """The context where TLS is to be used; a socket path in the URL is this machine."""
        host = self.url.host or ""
        is_local = host in LOCAL_HOSTS or not host or host.startswith("/")
        return None if self.tls == "off" or (self.tls == "auto" and is_local) else self.context


class Database(Protocol):
    """One database."""

    async def rows(self, query: str, values: Mapping[str, str], most: int) -> list[Row]:
        """Return the first rows of a query. Raises DatabaseGone."""
        ...

    def every(self, query: str, values: Mapping[str, str]) -> AsyncIterator[Row]:
        """Yield all rows of a query. Raises DatabaseGone."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def make_database(parts: DatabaseParts) -> Database:
    """Return the database of a URL, unconnected."""
    match parts.url.get_backend_name():
        case "sqlite":
            return _Sqlite(parts)
        case "postgresql":
            return _Postgresql(parts)
    return _Mysql(parts)


def check_query(query: str, names: Iterable[str]) -> str:
    """Return the query. Raises ValueError: it is too long, more than one statement, or names a value that is none."""
    if len(query) > QUERY_LENGTH or query.rstrip().rstrip(";").count(";"):
        raise ValueError("one statement, of no more than 8192 characters")
    allowed = set(names)
    unknown = set(sql_text(query).compile(dialect=sqlite_dialect()).params) - allowed
    if unknown:
        raise ValueError(f"the names {', '.join(':' + name for name in sorted(allowed))} and no others")
    return query


@functools.lru_cache(256)
def _compiled(backend: str, query: str) -> tuple[str, tuple[str, ...]]:
    compiled = sql_text(query.rstrip().rstrip(";")).compile(dialect=_DIALECTS[backend]())
    return compiled.string, tuple(compiled.positiontup or ())


def _bound(backend: str, query: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    try:
        statement, names = _compiled(backend, query)
        return statement, tuple(values[name] for name in names)
    except (SQLAlchemyError, KeyError) as error:
        raise DatabaseGone(f"the query cannot be used: {error}", is_spared=False) from error


class _Sqlite:
    def __init__(self, parts: DatabaseParts) -> None:
        self._path = f"file:{quote(parts.url.database or '')}?mode=ro"
        self._timeout = parts.timeout
        self._gate = asyncio.Semaphore(parts.connections)

    async def rows(self, query: str, values: Mapping[str, str], most: int) -> list[Row]:
        statement, bound = _bound("sqlite", query, values)
        async with self._gate:
            return await asyncio.to_thread(self._fetch, statement, bound, most)

    async def every(self, query: str, values: Mapping[str, str]) -> AsyncIterator[Row]:
        for row in await self.rows(query, values, 10_000_000):
            yield row

    def _fetch(self, statement: str, bound: tuple[str, ...], most: int) -> list[Row]:
        ends = time.monotonic() + self._timeout
        try:
            with contextlib.closing(sqlite3.connect(self._path, uri=True, timeout=self._timeout)) as connection:
                connection.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(statement, bound).fetchmany(most)]
        except sqlite3.Error as error:
            is_spared = isinstance(error, sqlite3.OperationalError) and "unable to open" in str(error)
            raise DatabaseGone(f"SQLite: {error}", is_spared=is_spared) from error

    async def close(self) -> None:
        return None


class _Postgresql:
    def __init__(self, parts: DatabaseParts) -> None:
        self._parts = parts
        self._pool: Any = None
        self._gate = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            import asyncpg
        except ImportError:
            raise DatabaseGone("the driver asyncpg is not installed; install posthouse[postgresql]") from None
        try:
            async with (await self._opened(asyncpg)).acquire(timeout=self._parts.timeout) as connection:
                yield connection
        except asyncpg.PostgresError as error:
            is_spared = (error.sqlstate or "")[:2] in {"08", "28", "3D", "53", "57"}
            raise DatabaseGone(f"PostgreSQL: {error}", is_spared=is_spared) from error
        except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
            raise DatabaseGone(f"PostgreSQL: {error or type(error).__name__}") from error
        except ValueError as error:
            raise DatabaseGone(f"PostgreSQL: {error}", is_spared=False) from error

    async def _opened(self, asyncpg: Any) -> Any:
        async with self._gate:
            if self._pool is None:
                url, parts = self._parts.url, self._parts
                self._pool = await asyncpg.create_pool(
                    host=url.query.get("host") or url.host,
                    port=url.port,
                    user=url.username,
                    password=parts.password or None,
                    database=url.database,
                    ssl=parts.tls_context or False,
                    min_size=0,
                    max_size=parts.connections,
                    timeout=parts.timeout,
                    command_timeout=parts.timeout,
                    statement_cache_size=0,
                    max_inactive_connection_lifetime=60.0,
                )
            return self._pool

    async def rows(self, query: str, values: Mapping[str, str], most: int) -> list[Row]:
        statement, bound = _bound("postgresql", query, values)
        async with self._connection() as connection, connection.transaction():
            cursor = await connection.cursor(statement, *bound)
            return [dict(row) for row in await cursor.fetch(most)]

    async def every(self, query: str, values: Mapping[str, str]) -> AsyncIterator[Row]:
        statement, bound = _bound("postgresql", query, values)
        async with self._connection() as connection, connection.transaction():
            async for row in connection.cursor(statement, *bound, prefetch=PAGE):
                yield dict(row)

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()


class _Mysql:
    def __init__(self, parts: DatabaseParts) -> None:
        self._parts = parts
        self._pool: Any = None
        self._gate = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            import asyncmy
            from asyncmy.errors import InterfaceError, MySQLError, OperationalError
        except ImportError:
            raise DatabaseGone("the driver asyncmy is not installed; install posthouse[mysql]") from None
        try:
            async with asyncio.timeout(self._parts.timeout * 2):
                pool = await self._opened(asyncmy)
                connection = await pool.acquire()
            try:
                yield connection
            except BaseException:
                connection.close()  # what is left of an answer must not be read by the next query
                raise
            finally:
                await pool.release(connection)
        except (OSError, TimeoutError, OperationalError, InterfaceError) as error:
            raise DatabaseGone(f"MySQL: {error or type(error).__name__}") from error
        except (MySQLError, ValueError) as error:
            raise DatabaseGone(f"MySQL: {error}", is_spared=False) from error

    async def _opened(self, asyncmy: Any) -> Any:
        async with self._gate:
            if self._pool is None:
                url, parts = self._parts.url, self._parts
                socket = url.query.get("unix_socket")
                self._pool = await asyncmy.create_pool(
                    host=url.host or "localhost",
                    port=url.port or 3306,
                    unix_socket=socket,
                    user=url.username or "",
                    password=parts.password,
                    database=url.database,
                    ssl=None if socket else parts.tls_context,
                    minsize=0,
                    maxsize=parts.connections,
                    pool_recycle=60,
                    connect_timeout=max(1, int(parts.timeout)),
                    charset="utf8mb4",
                    autocommit=True,
                )
            return self._pool

    async def rows(self, query: str, values: Mapping[str, str], most: int) -> list[Row]:
        from asyncmy.cursors import DictCursor

        statement, bound = _bound("mysql", query, values)
        async with self._connection() as connection, connection.cursor(DictCursor) as cursor:
            await asyncio.wait_for(cursor.execute(statement, bound), self._parts.timeout)
            return list(await cursor.fetchmany(most))

    async def every(self, query: str, values: Mapping[str, str]) -> AsyncIterator[Row]:
        from asyncmy.cursors import SSDictCursor

        statement, bound = _bound("mysql", query, values)
        async with self._connection() as connection, connection.cursor(SSDictCursor) as cursor:
            await asyncio.wait_for(cursor.execute(statement, bound), self._parts.timeout)
            while rows := await cursor.fetchmany(PAGE):
                for row in rows:
                    yield row

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()
            await pool.wait_closed()
