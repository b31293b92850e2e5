"""Connections to the servers of one source, kept and reused, with failover from server to server.

There are two shelves: connections bound as the searcher, and connections on which people's binds are tried. Each is
lent to one caller at a time, and each shelf lends at most ``connections``. A server that failed goes to the end of the
order; a kept connection that turns out dead before it answered is replaced once by a new one.
Tests: ``tests/interop/test_sources_ldap.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from posthouse.core.clock import Clock
from posthouse.protocols.ldap.types import ResultCode
from posthouse.services.identity.sources.ldap.config import LdapConfig
from posthouse.services.identity.sources.ldap.connection import LdapConnection, LdapGone, connect

T = TypeVar("T")
IDLE_SECONDS: Final = 60.0


class _Shelf:
    def __init__(self, most: int) -> None:
        self.free: deque[tuple[LdapConnection, float]] = deque()
        self.gate = asyncio.Semaphore(most)


class LdapPool:
    """The connections of one source."""

    def __init__(self, config: LdapConfig, context: ssl.SSLContext, clock: Clock) -> None:
        self._config = config
        self._context = context
        self._clock = clock
        self._servers = deque(config.servers)
        self._searchers = _Shelf(config.connections)
        self._binders = _Shelf(config.connections)
        self._is_closed = False

    async def as_searcher(self, use: Callable[[LdapConnection], Awaitable[T]]) -> T:
        """Do something on a connection bound as the searcher. Raises LdapGone."""
        return await self._with(self._searchers, use, self._bind_searcher)

    async def as_anybody(self, use: Callable[[LdapConnection], Awaitable[T]]) -> T:
        """Do something on a connection that may be bound as anybody. Raises LdapGone."""
        return await self._with(self._binders, use, None)

    @contextlib.asynccontextmanager
    async def fresh_searcher(self) -> AsyncIterator[LdapConnection]:
        """Lend a connection of its own, bound as the searcher, for a long reading. Raises LdapGone."""
        connection = await self._open()
        try:
            await self._bind_searcher(connection)
            yield connection
        finally:
            connection.unbind()

    async def close(self) -> None:
        """Close what is kept; what is lent is closed when it comes back."""
        self._is_closed = True
        for shelf in (self._searchers, self._binders):
            while shelf.free:
                shelf.free.pop()[0].unbind()

    async def _with(
        self,
        shelf: _Shelf,
        use: Callable[[LdapConnection], Awaitable[T]],
        prepare: Callable[[LdapConnection], Awaitable[None]] | None,
    ) -> T:
        async with shelf.gate:
            kept = self._kept(shelf)
            if kept is not None:
                try:
                    return await self._lend(shelf, kept, use)
                except LdapGone:
                    pass  # it may have died while it lay idle; a new one tells whether the server is there
            connection = await self._open()
            if prepare is not None:
                await prepare(connection)
            return await self._lend(shelf, connection, use)

    async def _lend(
        self, shelf: _Shelf, connection: LdapConnection, use: Callable[[LdapConnection], Awaitable[T]]
    ) -> T:
        try:
            return await use(connection)
        finally:
            if connection.is_usable and not self._is_closed:
                shelf.free.append((connection, self._clock.monotonic() + IDLE_SECONDS))
            else:
                connection.unbind()

    def _kept(self, shelf: _Shelf) -> LdapConnection | None:
        while shelf.free:
            connection, until = shelf.free.pop()
            if connection.is_usable and until > self._clock.monotonic():
                return connection
            connection.unbind()
        return None

    async def _open(self) -> LdapConnection:
        failures = []
        starttls = self._config.tls == "starttls"
        for _ in range(len(self._servers)):
            url = self._servers[0]
            try:
                return await connect(url, starttls=starttls, context=self._context, timeout=self._config.timeout)
            except LdapGone as gone:
                failures.append(str(gone))
                if self._servers[0] == url:
                    self._servers.rotate(-1)
        raise LdapGone("; ".join(failures)[:1000])

    async def _bind_searcher(self, connection: LdapConnection) -> None:
        name, password = self._config.bind_dn, self._config.bind_password.encode()
        if not name:
            return
        result = await connection.bind(name, password)
        if result.code != ResultCode.SUCCESS:
            connection.close()
            raise LdapGone(f"the searcher {name} may not bind: {result.code} {result.message}")
