"""Who calls: a bearer token (RFC 6750), or HTTP Basic (RFC 7617) where the setting allows it.

An account with a second factor sends its one-time code in the field ``One-Time-Code``. Who must change his password
first may do that and nothing else. No credential is taken over a connection that anybody on the way can read, unless
the listener's ``plaintext_auth`` says so.
What is wrong is always the same answer, 401. A client's address is taken from X-Forwarded-For only where the peer is
a proxy that ``rest.trusted_proxies`` names. Tests: ``tests/unit/web/rest/test_signing_in.py``.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import replace
from typing import Any, Final, Protocol

from starlette.requests import Request

from posthouse.config.definitions.rest import PASSWORD_SIGN_IN, TRUSTED_PROXIES
from posthouse.config.settings import Settings
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.tokens import TokenDesk, may_sign_in
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.telemetry.log import Telemetry
from posthouse.web.rest.problems import RETRY_AFTER, Problem

DOOR: Final = "rest"
PROTOCOL: Final = "api"
CODE: Final = "one-time-code"  # header field
TO_CHANGE: Final = frozenset({"account:write"})  # what is left to who must change his password first
_LONGEST: Final = 4_096
_WRONG: Final = "the name and the password do not go together, or the account may not use the API"
_REMEDY: Final = "Send `Authorization: Bearer TOKEN`; `posthouse token add` makes one."


class Connection(Protocol):
    """What is known of the connection a request came by (``servers.http.door.HttpDoor``)."""

    account: str
    peer_host: str
    is_loopback: bool
    is_secure: bool
    is_draining: bool
    listener: Any


class SignIn:
    """Finds out who calls."""

    def __init__(self, desk: Desk, authenticator: Authenticator, notes: SignInNotes, telemetry: Telemetry) -> None:
        self.tokens = TokenDesk(desk.store, desk.clock, notes)
        self._desk = desk
        self._authenticator = authenticator
        self._telemetry = telemetry

    async def caller(self, request: Request) -> Caller:
        """Return the caller. Raises Problem: 401, 403 for a connection in the clear, 429, 503."""
        address = client_address(request, self._desk.settings)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if not given or len(given) > _LONGEST:
            raise self._unknown("no credential was sent")
        _require_privacy(request, self._desk.settings)
        if scheme.lower() == "bearer":
            caller = await self.tokens.caller(given.strip(), door=DOOR, address=address)
            if caller is None:
                await self._authenticator.guard.failed(address, "", given.encode())
                self._refused("token", "bearer", address, "unknown, revoked or ended")
                raise self._unknown("the token is unknown, was revoked, or has ended")
        elif scheme.lower() == "basic" and self._desk.settings.get(PASSWORD_SIGN_IN):
            code = request.headers.get(CODE, "")[:40]
            caller = await self._by_password(given.strip(), address, code)
        else:
            raise self._unknown(f"{scheme[:20]} is not a way to sign in here")
        connection: Connection | None = request.scope.get("state", {}).get("door")
        if connection is not None:
            connection.account = caller.name
        return caller

    async def still_holds(self, caller: Caller) -> bool:
        """Whether the credential with which a stream was opened is still good."""
        if caller.credential:
            return await self.tokens.is_valid(caller)
        return await may_sign_in(self._desk.store, caller.account) is not None

    async def _by_password(self, given: str, address: str, code: str) -> Caller:
        try:
            login, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise self._unknown("the credential is not base 64 of a name and a password") from None
        if not colon or not login:
            raise self._unknown(_WRONG)
        client = ClientInfo(address=address)
        answer = await self._authenticator.verify_plain(login, password.encode(), client, protocol=PROTOCOL, code=code)
        if answer.account is None:
            self._refused(login, "basic", address, answer.outcome.rule or answer.outcome.public_text)
            if answer.outcome.code < 500:
                raise _not_now(answer.outcome.public_text)
            is_code = answer.outcome.rule == "auth.second_factor"
            raise self._unknown(f"a one-time code is needed too, in the field {CODE}" if is_code else _WRONG)
        found = await may_sign_in(self._desk.store, answer.account.address)
        if found is None:
            raise self._unknown(_WRONG)
        caller = Caller.of_account(*found, door=DOOR, address=address)
        if found[0].must_change_password and not answer.credential:
            return replace(caller, role=Role.ACCOUNT, scopes=TO_CHANGE)
        return caller

    def _refused(self, login: str, mechanism: str, peer: str, reason: str) -> None:
        self._telemetry.event(
            "auth.refused", level="warning", login=login[:320], mechanism=mechanism, peer=peer, reason=reason
        )

    def _unknown(self, detail: str) -> Problem:
        ways = 'Bearer realm="posthouse"'
        if self._desk.settings.get(PASSWORD_SIGN_IN):
            ways += ', Basic realm="posthouse", charset="UTF-8"'
        return Problem(
            status=401, kind="unknown-caller", detail=detail, remedy=_REMEDY, headers={"www-authenticate": ways}
        )


def _not_now(detail: str) -> Problem:
    return Problem(
        status=429,
        kind="too-often",
        detail=detail[:1].lower() + detail[1:],
        remedy="Try again later, or use a token.",
        headers={"retry-after": str(RETRY_AFTER)},
    )


def client_address(request: Request, settings: Settings) -> str:
    """Return where the client is: the peer, or what a trusted proxy says of its own peer."""
    peer = request.client.host if request.client is not None else ""
    trusted = [ipaddress.ip_network(text, strict=False) for text in settings.get(TRUSTED_PROXIES)]
    if not trusted or not _is_within(peer, trusted):
        return peer
    named = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    for text in reversed(named):
        try:
            address = str(ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]")))
        except ValueError:
            return peer
        peer = address
        if not _is_within(address, trusted):
            return address
    return peer


def _is_within(text: str, networks: list[Any]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _require_privacy(request: Request, settings: Settings) -> None:
    connection: Connection | None = request.scope.get("state", {}).get("door")
    if connection is None or connection.is_secure:
        return
    allowed = connection.listener.plaintext_auth
    if allowed == "always" or (allowed == "loopback" and connection.is_loopback):
        return
    trusted = [ipaddress.ip_network(text, strict=False) for text in settings.get(TRUSTED_PROXIES)]
    if _is_within(connection.peer_host, trusted):
        return
    raise Problem(
        status=403,
        kind="forbidden",
        detail="credentials are not taken over a connection without TLS",
        remedy="Use https. Take it that whoever could listen knows the credential now.",
    )
