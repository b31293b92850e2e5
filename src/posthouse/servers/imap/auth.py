"""LOGIN and AUTHENTICATE: credentials to the authenticator, its outcome to the session (RFC 3501 §6.2, RFC 5530 §3).

The authenticator delays and limits failures by client address; here a connection that keeps failing is ended.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.outcome import Outcome
from posthouse.protocols.imap.types.events import AuthenticateOffered
from posthouse.protocols.imap.types.state import NO
from posthouse.servers.imap.answers import Answer
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.identity.authentication import LOGIN_LENGTH, NEEDS_APP_PASSWORD, WRONG

FAILURES: Final = 10  # of one connection, before BYE
_FAILED: Final = Answer(NO, b"AUTHENTICATIONFAILED", b"Authentication failed")
_LATER: Final = Answer(NO, b"UNAVAILABLE", b"Authentication is not possible now, try again later")
# What the right secret was not enough for, by rule (RFC 5530 §3).
# Mail programs show the text of an ALERT: it says that another kind of password is needed (RFC 3501 §7.1).
_CODES: Final = {"auth.state": b"CONTACTADMIN", "auth.must_change": b"EXPIRED", NEEDS_APP_PASSWORD.rule: b"ALERT"}


async def do_authenticate(talk: Conversation, event: AuthenticateOffered) -> None:
    """Check credentials and complete the command."""
    sign_in = await talk.services.authenticator.verify(event, talk.client, protocol="imap")
    if sign_in.account is None or sign_in.actor is None:
        _refuse(talk, event, sign_in.outcome)
        return
    talk.account, talk.right = sign_in.account, sign_in.right
    talk.session.authenticated()
    talk.telemetry.event(
        "auth.granted",
        account=sign_in.actor.address,
        acting_as=sign_in.account.address,
        mechanism=event.mechanism,
        peer=talk.client.address,
    )
    talk.done(event.tag, b"Logged in", talk.session.capability_code())


def _refuse(talk: Conversation, event: AuthenticateOffered, outcome: Outcome) -> None:
    talk.telemetry.event(
        "auth.refused",
        level="warning",
        login=event.login[:LOGIN_LENGTH],
        mechanism=event.mechanism,
        peer=talk.client.address,
        rule=outcome.rule,
        reason=outcome.detail or outcome.public_text,
    )
    talk.failed_logins += 1
    talk.refuse(event.tag, _answer(outcome))
    if talk.failed_logins >= FAILURES:
        talk.session.bye(b"Too many failed sign-ins")


def _answer(outcome: Outcome) -> Answer:
    if outcome.is_temporary:
        return _LATER
    if outcome.rule == WRONG.rule:
        return _FAILED
    return Answer(NO, _CODES.get(outcome.rule, b"AUTHORIZATIONFAILED"), outcome.public_text.encode())
