"""Conversation logs of a running server: on by a setting, and no secret in them however somebody signs in."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import json
import poplib
import smtplib

import pytest

from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.xdist_group("conversations")]

WORDS = "the words of a message that nobody may read"
WRONG = "a-wrong-password"
LOGIN = f"anna@{DOMAIN}"


def coded(text: str) -> str:
    """Return base64."""
    return base64.b64encode(text.encode()).decode()


SECRETS = [
    PASSWORD, WRONG, WORDS,
    *(coded(part) for word in (PASSWORD, WRONG) for part in (word, f"\0{LOGIN}\0{word}", f"{LOGIN}\0{LOGIN}\0{word}")),
]  # fmt: skip


@pytest.fixture(scope="module")
def talkative(tmp_path_factory):
    """Return a server that logs conversations to a file of their own, and not to the main log."""
    server = PosthouseServer(tmp_path_factory.mktemp("talkative") / "home").found()
    server.configure(
        r"^\[tls\]$",
        '[[log.output]]\ntarget = "log/talk.log"\nevents = ["conversation"]\n\n'
        '[[log.output]]\ntarget = "log/talk.w3c"\nformat = "w3c"\n\n'
        '[[log.output]]\ntarget = "log/talk.tab"\nformat = "activity"\n\n[tls]',
    )
    server.configure(r"^events = \[\]$", 'events = ["!conversation"]')
    server.set(log__conversation="smtp, lmtp, imap, pop3, relay")
    with server.start():
        yield server


def talk(server: PosthouseServer) -> list[dict[str, str]]:
    """Return the lines of conversations so far."""
    return [json.loads(line) for line in (server.home / "log" / "talk.log").read_bytes().splitlines()]


def sign_in_by_smtp(server: PosthouseServer, password: str) -> None:
    """Sign in by every mechanism that the server offers, with and without initial responses."""
    offered = set()
    for how in ("auth_plain", "auth_login", "auth_cram_md5"):
        for initial in (True, False):
            with server.smtp(587) as client:
                client.starttls(context=server.tls())
                client.ehlo()
                offered = set(client.esmtp_features["auth"].split())
                client.user, client.password = LOGIN, password
                with contextlib.suppress(smtplib.SMTPException):
                    name = how.removeprefix("auth_").replace("_", "-").upper()
                    client.auth(name, getattr(client, how), initial_response_ok=initial)
    for name in offered:  # whatever is offered beside those, with anything behind it
        with server.smtp(587) as client:
            client.starttls(context=server.tls())
            client.ehlo()
            proof = coded(f"\0{LOGIN}\0{password}")
            client.docmd("AUTH", f"{name} x{proof}")
            client.docmd(proof)
            client.docmd("*")


def sign_in_by_imap(server: PosthouseServer, password: str) -> None:
    """LOGIN with words, with literals, AUTHENTICATE by every mechanism."""
    for how in ("login", "PLAIN", "LOGIN", "literal", "blind"):
        client = imaplib.IMAP4("127.0.0.1", server.port(143), timeout=20)
        with contextlib.suppress(imaplib.IMAP4.error):
            if how == "login":
                client.login(LOGIN, password)
            elif how == "PLAIN":
                client.authenticate("PLAIN", lambda _: f"\0{LOGIN}\0{password}".encode())
            elif how == "LOGIN":
                answers = iter([LOGIN, password])
                client.authenticate("LOGIN", lambda _, answers=answers: next(answers).encode())
            elif how == "literal":
                client.send(f"z1 LOGIN {{{len(LOGIN)}+}}\r\n{LOGIN} {{{len(password)}+}}\r\n{password}\r\n".encode())
                client.readline()
            else:
                client.send(f"z1 LOGN {LOGIN} {password}\r\nz2 AUTHENTICATE NONE {coded(password)}\r\n".encode())
                client.readline()
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            client.logout()
        with contextlib.suppress(OSError):
            client.shutdown()


def sign_in_by_pop3(server: PosthouseServer, password: str) -> None:
    """USER and PASS, APOP, AUTH with and without initial responses."""
    for lines in (
        [f"USER {LOGIN}", f"PASS {password}"],
        [f"USER {LOGIN} {password}", f"PASSWORD {password}"],
        [f"APOP {LOGIN} {coded(password)}"],
        ["AUTH PLAIN " + coded(f"\0{LOGIN}\0{password}")],
        ["AUTH PLAIN", coded(f"\0{LOGIN}\0{password}")],
        ["AUTH LOGIN", coded(LOGIN), coded(password)],
    ):
        client = poplib.POP3("127.0.0.1", server.port(110), timeout=20)
        for line in lines:
            client._putline(line.encode())
            client._getline()
        with contextlib.suppress(poplib.error_proto, OSError):
            client.quit()
        client.close()


def test_no_secret_is_ever_in_the_logs(talkative) -> None:
    """After every form of sign-in, right and wrong, and after mail in and out, no form of log holds a secret."""
    for password in (PASSWORD, WRONG):
        sign_in_by_smtp(talkative, password)
        sign_in_by_imap(talkative, password)
        sign_in_by_pop3(talkative, password)
    message = f"Subject: {WORDS}\r\n\r\n{WORDS}\r\n.. {WORDS}\r\n"
    talkative.route("far.example", talkative.port(25))
    with talkative.submission("anna") as client:
        client.sendmail(LOGIN, [LOGIN, "dora@far.example"], message)
    with talkative.imap("anna") as imap:
        imap.append("INBOX", None, None, message.encode())
        imap.select()
        imap.fetch("1:*", "(ENVELOPE BODYSTRUCTURE BODY[] BODY[TEXT]<0.10> RFC822.SIZE)")
    pop = talkative.pop3("anna")
    pop.list()
    pop.retr(1)
    pop.top(1, 5)
    pop.quit()
    until(lambda: any(line["event"] == "conversation.relay" for line in talk(talkative)), "the relay's conversation")
    until(lambda: any(line["text"] == "QUIT" and "pop3" in line["event"] for line in talk(talkative)), "the last line")
    for path in (talkative.home / "log").iterdir():
        text = path.read_text()
        for secret in SECRETS:
            assert secret not in text, (path.name, secret)
    heard = {line["event"] for line in talk(talkative)}
    assert heard == {f"conversation.{name}" for name in ("smtp", "imap", "pop3", "relay")}
    assert any("MAIL FROM" in line["text"].upper() for line in talk(talkative))
    assert talkative.events("conversation.smtp") == []
    assert (talkative.home / "log" / "talk.w3c").read_text().startswith("#Version: 1.0\n")
    assert "\tSMTP-IN\t" in (talkative.home / "log" / "talk.tab").read_text()


def test_it_is_switched_without_a_restart(talkative) -> None:
    """For one account alone, then off: within a second or so, and open sessions fall silent."""
    talkative.set(log__conversation_clients=f"ben@{DOMAIN}", log__conversation="imap")

    def sessions_of(name: str) -> bool:
        before = len(talk(talkative))
        with talkative.imap(name) as client:
            client.noop()
        talkative.smtp(25).quit()
        new = talk(talkative)[before:]
        return bool(new) and all(line["event"] == "conversation.imap" for line in new)

    until(lambda: sessions_of("ben") and not sessions_of("anna"), "only ben to be heard")

    def heard() -> bool:
        return any("LOGIN" in line["text"] for line in talk(talkative) if line.get("account") == f"ben@{DOMAIN}")

    until(heard, "ben's sign-in in the log")
    with talkative.imap("ben") as client:
        talkative.set(log__conversation="")

        def is_silent() -> bool:
            before = len(talk(talkative))
            client.noop()
            return not sessions_of("ben") and len(talk(talkative)) == before

        until(is_silent, "silence")
