"""LOGIN and AUTHENTICATE: credentials to the authenticator, its outcome to the session (RFC 3501 §6.2, RFC 5530 §3).

The authenticator delays and limits failures by client address; here a connection that keeps failing is ended.
"""

from __future__ import annotations

from typing import Final

from posthouse.protocols.imap.types.events import AuthenticateOffered
from posthouse.protocols.imap.types.state import NO
from posthouse.servers.imap.answers import Answer
from posthouse.servers.imap.conversation import Conversation

FAILURES: Final = 10  # of one connection, before BYE
_FAILED: Final = Answer(NO, b"AUTHENTICATIONFAILED", b"Authentication failed")
_LATER: Final = Answer(NO, b"UNAVAILABLE", b"Authentication is not possible now, try again later")
_NO_PROXY: Final = Answer(NO, b"AUTHORIZATIONFAILED", b"Acting as somebody else is not allowed")


async def do_authenticate(talk: Conversation, event: AuthenticateOffered) -> None:
    """Check credentials and complete the command."""
    if event.authzid and event.authzid.lower() != event.login.lower():
        talk.refuse(event.tag, _NO_PROXY)
        return
    password = event.password.encode("utf-8", "surrogateescape")
    sign_in = await talk.services.authenticator.verify_plain(event.login, password, talk.client)
    if sign_in.account is None or not sign_in.outcome.is_done:
        _refuse(talk, event, is_temporary=sign_in.outcome.is_temporary)
        return
    talk.account = sign_in.account
    talk.session.authenticated()
    talk.telemetry.event(
        "auth.granted", account=sign_in.account.address, mechanism=event.mechanism, peer=talk.client.address
    )
    talk.done(event.tag, b"Logged in", talk.session.capability_code())


def _refuse(talk: Conversation, event: AuthenticateOffered, *, is_temporary: bool) -> None:
    talk.telemetry.event(
        "auth.refused",
        level="warning",
        login=event.login,
        mechanism=event.mechanism,
        peer=talk.client.address,
        reason="temporary" if is_temporary else "credentials",
    )
    talk.failed_logins += 1
    talk.refuse(event.tag, _LATER if is_temporary else _FAILED)
    if talk.failed_logins >= FAILURES:
        talk.session.bye(b"Too many failed sign-ins")
