"""One TCP connection to an LDAP server: an asyncio protocol around ``protocols.ldap.client``.

One operation at a time is under way on a connection. Whatever goes wrong (refused, hung up, silent, not LDAP, a
certificate that does not verify) is raised as ``LdapGone`` with a text for the log, and the connection is closed.
Referrals are passed over: they would carry a password to a server that nobody named.
RFC 4511 §4.14, RFC 4513 §3. Tests: ``tests/interop/test_sources_ldap.py``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Final, cast
from urllib.parse import urlsplit

from posthouse.core.errors import Fault
from posthouse.protocols.ldap.client import Answer, LdapClient, Notice
from posthouse.protocols.ldap.messages import format_page, parse_page
from posthouse.protocols.ldap.types import (
    PAGED_RESULTS,
    START_TLS,
    BindRequest,
    BindResponse,
    Control,
    ExtendedRequest,
    ExtendedResponse,
    Request,
    Result,
    ResultCode,
    SearchDone,
    SearchEntry,
    SearchRequest,
    Simple,
)

HELD_ANSWERS: Final = 20_000


class LdapGone(Exception):  # noqa: N818  (a condition of the other side)
    """The connection is of no more use; the text says why, for the log."""


class LdapConnection(asyncio.Protocol):
    """One connection. Make it with ``connect``."""

    def __init__(self, timeout: float) -> None:
        self._client = LdapClient()
        self._timeout = timeout
        self._transport: asyncio.Transport | None = None
        self._answers: asyncio.Queue[Answer | None] = asyncio.Queue(HELD_ANSWERS)
        self._why = ""
        self.identity: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether another operation may begin."""
        return self._transport is not None and not self._why and not self._transport.is_closing()

    # ---- asyncio.Protocol ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand answers to whoever waits."""
        try:
            for event in self._client.receive(data):
                if isinstance(event, Notice):
                    self.close(f"the server said good-bye: {event.result.message or event.result.code}")
                    return
                self._answers.put_nowait(event)
        except Fault as fault:
            self.close(f"what came is no LDAP: {fault.detail}")
        except asyncio.QueueFull:
            self.close("more answers than anybody takes")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self.close(f"connection lost{f': {exc}' if exc else ''}")

    def close(self, why: str = "closed") -> None:
        """Close at once; whoever waits gets LdapGone."""
        if not self._why:
            self._why = why
            if not self._answers.full():
                self._answers.put_nowait(None)
        if self._transport is not None:
            self._transport.abort()

    def unbind(self) -> None:
        """Say good-bye and close."""
        if self.is_usable and self._transport is not None:
            self._client.unbind()
            self._transport.write(self._client.output())
            self._transport.close()
            self._why = "closed"

    # ---- operations ----

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go over to TLS. Raises LdapGone."""
        answer = await self._ask(ExtendedRequest(START_TLS))
        result = cast("ExtendedResponse", answer.operation).result
        if result.code != ResultCode.SUCCESS:
            raise self._gone(f"STARTTLS refused with {result.code} {result.message}")
        try:
            self._client.tls_begins()
            transport = await asyncio.wait_for(
                asyncio.get_running_loop().start_tls(
                    cast("asyncio.Transport", self._transport), self, context, server_hostname=host
                ),
                self._timeout,
            )
        except (Fault, OSError, TimeoutError) as error:
            raise self._gone(f"TLS: {error or type(error).__name__}") from error
        if transport is None:
            raise self._gone("TLS: connection lost")
        self._transport = transport

    async def bind(self, name: str, password: bytes) -> Result:
        """Bind by name and password; return how it ended. Raises LdapGone.

        Raises ValueError: a name without a password, which servers take for nobody and grant (RFC 4513 §5.1.2).
        """
        if name and not password:
            raise ValueError("an empty password never binds")
        self.identity = None
        answer = await self._ask(BindRequest(name, Simple(password)))
        result = cast("BindResponse", answer.operation).result
        if result.code == ResultCode.SUCCESS:
            self.identity = name
        return result

    async def search(self, request: SearchRequest, most: int) -> tuple[list[SearchEntry], Result]:
        """Return up to ``most`` entries, and how the search ended. Raises LdapGone."""
        number = self._send(request, ())
        entries: list[SearchEntry] = []
        while True:
            answer = await self._next(number)
            if isinstance(answer.operation, SearchDone):
                return entries, answer.operation.result
            if isinstance(answer.operation, SearchEntry):
                entries.append(answer.operation)
            if len(entries) > most:
                self.close("more entries than were asked for")

    async def pages(self, request: SearchRequest, size: int) -> AsyncIterator[SearchEntry]:
        """Yield all entries, asked for in pages (RFC 2696 §3). Raises LdapGone; the last page's failure too."""
        cookie = b""
        while True:
            number = self._send(request, (Control(PAGED_RESULTS, True, format_page(size, cookie)),))
            while True:
                answer = await self._next(number)
                if isinstance(answer.operation, SearchEntry):
                    yield answer.operation
                elif isinstance(answer.operation, SearchDone):
                    break
            if answer.operation.result.code != ResultCode.SUCCESS:
                raise self._gone(f"search ended with {answer.operation.result.code} {answer.operation.result.message}")
            cookie = self._cookie(answer.controls)
            if not cookie:
                return

    def _cookie(self, controls: tuple[Control, ...]) -> bytes:
        for control in controls:
            if control.oid == PAGED_RESULTS and control.value is not None:
                try:
                    return parse_page(control.value)[1]
                except Fault as fault:
                    raise self._gone(f"what came is no LDAP: {fault.detail}") from fault
        return b""

    async def _ask(self, request: Request) -> Answer:
        number = self._send(request, ())
        while True:
            answer = await self._next(number)
            if answer.is_last:
                return answer

    def _send(self, request: Request, controls: tuple[Control, ...]) -> int:
        if not self.is_usable or self._transport is None:
            raise self._gone("connection lost")
        try:
            number = self._client.send(request, controls)
        except Fault as fault:
            raise self._gone(fault.detail) from fault
        self._transport.write(self._client.output())
        return number

    async def _next(self, number: int) -> Answer:
        while True:
            if self._why and self._answers.empty():
                raise LdapGone(self._why)
            try:
                answer = await asyncio.wait_for(self._answers.get(), self._timeout)
            except TimeoutError:
                raise self._gone(f"no answer within {self._timeout:g} s") from None
            except asyncio.CancelledError:
                self.close("given up")
                raise
            if answer is None:
                raise LdapGone(self._why)
            if answer.id == number:
                return answer

    def _gone(self, why: str) -> LdapGone:
        self.close(why)
        return LdapGone(self._why)


async def connect(url: str, *, starttls: bool, context: ssl.SSLContext, timeout: float) -> LdapConnection:  # noqa: ASYNC109  (each step has it)
    """Open a connection, with TLS where the URL or ``starttls`` says so. Raises LdapGone."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_tls = parts.scheme == "ldaps"
    loop = asyncio.get_running_loop()
    try:
        _, connection = await asyncio.wait_for(
            loop.create_connection(
                lambda: LdapConnection(timeout),
                host,
                parts.port or (636 if is_tls else 389),
                ssl=context if is_tls else None,
                server_hostname=host if is_tls else None,
            ),
            timeout,
        )
    except (OSError, TimeoutError) as error:
        raise LdapGone(f"{url}: {error or 'no connection in time'}") from error
    if starttls and not is_tls:
        await connection.start_tls(context, host)
    return connection
