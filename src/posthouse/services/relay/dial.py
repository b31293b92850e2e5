"""Opening one session with one address: connect, greeting, EHLO, TLS as the policy says, and AUTH.

Returns a connection that is ready for MAIL, or a ``DialFailure`` that says whether the address is dead or TLS is at
fault. TLS here is opportunistic: certificates are not verified (RFC 7435 §3), so it keeps out those who only listen.
RFC 5321 §3.1, RFC 3207, RFC 4954. Tests: ``tests/unit/services/relay/test_courier.py``,
``tests/interop/test_smart_host.py``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import replace

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.outcome import Outcome, defer
from posthouse.protocols.smtp.client_events import (
    TIMEOUTS,
    Authenticated,
    Closed,
    Phase,
    ProtocolViolation,
    Ready,
    Refused,
    TlsAccepted,
)
from posthouse.protocols.smtp.reply import outcome_of
from posthouse.protocols.smtp.types import Extension, Reply
from posthouse.services.relay.connect import DialFailure, Visit
from posthouse.services.relay.connection import ConnectionParts, RelayConnection, Step
from posthouse.services.relay.hosts import NextHop
from posthouse.services.relay.outcomes import reply_outcome
from posthouse.services.relay.pool import LaneEvents
from posthouse.services.relay.routes import Credentials, TlsPolicy


def opportunistic_context() -> ssl.SSLContext:
    """Return a context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Dialer:
    """Opens sessions; ``dial`` is the connector's ``Dial``."""

    def __init__(self, parts: ConnectionParts, settings: Settings, context: ssl.SSLContext) -> None:
        self._parts = parts
        self._settings = settings
        self._context = context

    async def dial(self, visit: Visit, events: LaneEvents) -> RelayConnection | DialFailure:
        """Return a session that is ready, signed in where credentials are given, or why there is none."""
        hop = visit.hop
        connection = RelayConnection(hop, events, self._parts)
        step = connection.expect_step()
        try:
            async with asyncio.timeout(self._settings.get(definitions.CONNECT_TIMEOUT)):
                await asyncio.get_running_loop().create_connection(lambda: connection, hop.address, hop.port)
        except (OSError, TimeoutError) as error:
            return DialFailure(_unreachable(hop, error), is_dead=True)
        try:
            failure = await self._hello(connection, step, visit.policy)
            if failure is None and visit.credentials is not None:
                failure = await self._sign_in(connection, visit, visit.credentials)
        except BaseException:
            connection.transport.abort()
            raise
        if failure is not None:
            connection.transport.abort()
            return failure
        connection.enter_lane()
        return connection

    async def _hello(
        self, connection: RelayConnection, step: asyncio.Future[Step], policy: TlsPolicy
    ) -> DialFailure | None:
        try:
            async with asyncio.timeout(TIMEOUTS[Phase.GREETING]):
                event = await step
        except TimeoutError:
            return DialFailure(_failed(connection.hop, "did not answer in time", status.NO_ANSWER), is_dead=True)
        if not isinstance(event, Ready):
            return DialFailure(_refusal(connection.hop, event))
        if policy is TlsPolicy.NONE:
            return None
        if Extension.STARTTLS not in event.capabilities.extensions:
            if policy is TlsPolicy.MAY:
                return None
            return DialFailure(
                _failed(connection.hop, "does not offer TLS, which is required", status.ENCRYPTION_NEEDED)
            )
        return await self._start_tls(connection, policy)

    async def _sign_in(self, connection: RelayConnection, visit: Visit, credentials: Credentials) -> DialFailure | None:
        """Sign in; in the clear only where the route says that TLS is never used. Where it is refused, mail waits."""
        hop = visit.hop
        if visit.policy is not TlsPolicy.NONE and not connection.client.is_tls:
            return DialFailure(
                _failed(hop, "does not offer TLS, and no password is sent without", status.ENCRYPTION_NEEDED)
            )
        try:
            async with asyncio.timeout(TIMEOUTS[Phase.AUTH]):
                step = connection.expect_step()
                connection.client.authenticate(credentials.login, credentials.password)
                connection.pump()
                event = await step
        except TimeoutError:
            return DialFailure(_failed(hop, "did not answer the sign-in in time", status.NO_ANSWER))
        if isinstance(event, Authenticated):
            return None
        return DialFailure(replace(_refusal(hop, event), code=454, rule="relay.credentials"))

    async def _start_tls(self, connection: RelayConnection, policy: TlsPolicy) -> DialFailure | None:
        hop = connection.hop
        try:
            async with asyncio.timeout(TIMEOUTS[Phase.TLS]):
                step = connection.expect_step()
                connection.client.start_tls()
                connection.pump()
                event = await step
                if isinstance(event, Refused) and policy is TlsPolicy.MAY:
                    return None  # refused in good order: the session goes on in the clear
                if not isinstance(event, TlsAccepted):
                    return DialFailure(_refusal(hop, event), is_tls=True)
                transport = await asyncio.get_running_loop().start_tls(
                    connection.transport, connection, self._context, server_hostname=_server_name(hop)
                )
                if transport is None:
                    return DialFailure(_failed(hop, "closed the connection in the TLS handshake"), is_tls=True)
                step = connection.expect_step()
                connection.tls_started(transport)
                event = await step
        except (OSError, TimeoutError, ssl.SSLError, asyncio.IncompleteReadError) as error:
            failed = _failed(hop, "TLS handshake failed", status.SECURITY_OTHER)
            return DialFailure(failed.because(repr(error)), is_tls=True)
        return None if isinstance(event, Ready) else DialFailure(_refusal(hop, event), is_tls=True)


def _server_name(hop: NextHop) -> str | None:
    """Return the name for SNI; addresses are no names (RFC 6066 §3)."""
    try:
        ipaddress.ip_address(hop.host)
    except ValueError:
        return hop.host
    return None


def _unreachable(hop: NextHop, error: BaseException) -> Outcome:
    if isinstance(error, TimeoutError):
        text = "connection timed out"
    elif isinstance(error, ConnectionRefusedError):
        text = "connection refused"
    else:
        text = "not reachable"
    return _failed(hop, text, status.NO_ANSWER).because(repr(error))


def _failed(hop: NextHop, text: str, detail_code: status.Detail = status.BAD_CONNECTION) -> Outcome:
    return defer(f"{hop}: {text}", detail_code=detail_code, rule="relay.connect")


def _refusal(hop: NextHop, event: Step) -> Outcome:
    reply: Reply | None = event.reply if isinstance(event, Refused | Closed) else None
    if reply is None:
        detail = event.detail if isinstance(event, ProtocolViolation) else ""
        return _failed(hop, "connection lost before the session began").because(detail)
    said = reply_outcome(reply, Phase.GREETING)
    text = f"{hop} said: {said.public_text}" if said.public_text else f"{hop} refused"
    return Outcome(said.code, said.detail_code, text, "relay.greeting", "", outcome_of(reply).detail)
