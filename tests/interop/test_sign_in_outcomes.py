"""What mail programs are told when signing in fails: response codes of RFC 5530, RFC 3206 and RFC 4954, by protocol."""

from __future__ import annotations

import contextlib
import imaplib
import poplib
import smtplib
import time

import pyotp
import pytest

from tests.support.operating import operate
from tests.support.server import DOMAIN, PASSWORD

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("sign_in_outcomes")]

# What was done to the account -> IMAP, POP3, SMTP.
OUTCOMES = {
    "wrong": (
        "[AUTHENTICATIONFAILED] Authentication failed",
        "-ERR [AUTH] Invalid login or password",
        (535, "5.7.8 Authentication credentials invalid"),
    ),
    "disabled": (
        "[CONTACTADMIN] This account is disabled",
        "-ERR [AUTH] This account is disabled",
        (535, "5.7.13 This account is disabled"),
    ),
    "protocols": (
        "[AUTHORIZATIONFAILED] This account may not sign in by this protocol",
        "-ERR [AUTH] This account may not sign in by this protocol",
        (535, "5.7.1 This account may not sign in by this protocol"),
    ),
    "must change": (
        "[EXPIRED] The password must be changed before it can be used",
        "-ERR [AUTH] The password must be changed before it can be used",
        (535, "5.7.1 The password must be changed before it can be used"),
    ),
    "second factor": (
        "[ALERT] This account needs an app password here",
        "-ERR [AUTH] This account needs an app password here",
        (535, "5.7.1 This account needs an app password here"),
    ),
    "no share": (
        "[AUTHORIZATIONFAILED] Acting as that account is not allowed",
        "-ERR [AUTH] Acting as that account is not allowed",
        (535, "5.7.1 Acting as that account is not allowed"),
    ),
    "source down": (
        "[UNAVAILABLE] Authentication is not possible now, try again later",
        "-ERR [SYS/TEMP] Temporary failure, please try again later",
        (454, "4.7.0 Signing in is not possible now, try again later"),
    ),
    "banned": (
        "[UNAVAILABLE] Authentication is not possible now, try again later",
        "-ERR [SYS/TEMP] Temporary failure, please try again later",
        (454, "4.7.0 Too many failed sign-ins, try again later"),
    ),
}


@pytest.fixture(scope="module")
def people(house):
    """Prepare an account for each outcome; return login and password by outcome."""
    names = {outcome: outcome.replace(" ", "") for outcome in OUTCOMES}
    house.add(*names.values())
    at = {outcome: f"{name}@{DOMAIN}" for outcome, name in names.items()}
    operate(house, "account.set", address=at["must change"], must_change_password=True)
    operate(house, "account.disable", address=at["disabled"], sign_in_only=True)
    operate(house, "setting.set", name="auth.protocols", value="api", scope=f"account:{at['protocols']}")
    started = operate(house, "second-factor.start", account=at["second factor"])
    operate(house, "second-factor.confirm", account=at["second factor"], code=pyotp.TOTP(started["secret"]).now())
    operate(house, "shared.add", address=f"info@{DOMAIN}")
    operate(house, "domain.add", name="down.test")
    operate(house, "account.add", address="down@down.test")
    operate(house, "source.add", name="gone", kind="http", config=["url=http://127.0.0.1:9/login"], secret="x")
    operate(house, "setting.set", name="auth.sources", value="gone", scope="domain:down.test")
    operate(house, "ban.add", network="127.0.0.1", account=at["banned"])
    logins = {outcome: (address, PASSWORD) for outcome, address in at.items()}
    logins |= {
        "wrong": (at["wrong"], "another"),
        "no share": (f"info@{DOMAIN}*{at['no share']}", PASSWORD),
        "source down": ("down@down.test", PASSWORD),
    }
    time.sleep(1.5)  # settings and bans are effective in every worker within a second
    return logins


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_imap(house, people, outcome) -> None:
    """RFC 5530 §3."""
    client = imaplib.IMAP4("127.0.0.1", house.port(143), timeout=20)
    with pytest.raises(imaplib.IMAP4.error) as caught:
        login, password = people[outcome]
        client.login(f'"{login}"', password)
    assert str(caught.value) == f"b'{OUTCOMES[outcome][0]}'"
    client.logout()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_pop3(house, people, outcome) -> None:
    """RFC 3206 §4."""
    client = poplib.POP3("127.0.0.1", house.port(110), timeout=20)
    client.user(people[outcome][0])
    with pytest.raises(poplib.error_proto) as caught:
        client.pass_(people[outcome][1])
    assert caught.value.args[0].decode() == OUTCOMES[outcome][1]
    with contextlib.suppress(poplib.error_proto, OSError):
        client.quit()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_smtp(house, people, outcome) -> None:
    """RFC 4954 §6."""
    client = smtplib.SMTP("127.0.0.1", house.port(587), timeout=20)
    client.ehlo("client.test")
    client.user, client.password = people[outcome]
    with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        client.auth("PLAIN", client.auth_plain)
    code, text = OUTCOMES[outcome][2]
    assert (caught.value.smtp_code, caught.value.smtp_error.decode()) == (code, text)
    client.quit()
