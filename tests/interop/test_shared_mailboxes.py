"""Shared mailboxes with mail programs: members reach them by name or authzid, with the rights they have, and send as them."""

from __future__ import annotations

import base64
import imaplib
import poplib
import shutil
import smtplib
import subprocess

import pytest

from tests.support.operating import operate
from tests.support.server import DOMAIN, PASSWORD

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("shared")]
INFO = f"info@{DOMAIN}"
MEMBERS = {"reader": "read", "writer": "write", "manager": "manage"}


@pytest.fixture(scope="module")
def shared(house):
    """Prepare a shared mailbox with a member of each right, one through a group, and two letters."""
    house.add(*MEMBERS, "stranger", "grouped")
    operate(house, "shared.add", address=INFO)
    for member, right in MEMBERS.items():
        operate(house, "shared.grant", address=INFO, member=f"{member}@{DOMAIN}", right=right)
    operate(house, "group.add", address=f"team@{DOMAIN}", members=[f"grouped@{DOMAIN}"])
    operate(house, "shared.grant", address=INFO, member=f"team@{DOMAIN}", right="write", send_as=True)
    with house.smtp() as client:
        for number in range(2):
            client.sendmail("x@elsewhere.example", [INFO], b"Subject: %d\r\n\r\nx\r\n" % number)
    return house


def as_shared(house, member: str) -> imaplib.IMAP4:
    """Return an IMAP connection of a member to the shared mailbox, by the name with a star."""
    return signed_in(house, f"{INFO}*{member}@{DOMAIN}")


def signed_in(house, login: str) -> imaplib.IMAP4:
    """Return an IMAP connection, or raise what the server said."""
    client = imaplib.IMAP4("127.0.0.1", house.port(143), timeout=20)
    try:
        client.login(f'"{login}"', PASSWORD)
    except imaplib.IMAP4.error:
        client.shutdown()
        raise
    return client


def select(client: imaplib.IMAP4) -> bool:
    """Select the inbox as it is given; return whether it may be written to."""
    client.is_readonly = True  # imaplib raises an error of its own where it is read-only
    status, _ = client._simple_command("SELECT", "INBOX")
    assert status == "OK"
    client.state = "SELECTED"
    return "READ-ONLY" not in client.untagged_responses


def told(call, *arguments) -> tuple[str, str]:
    """Return the status and the text of an answer."""
    try:
        status, data = call(*arguments)
    except imaplib.IMAP4.error as error:
        return "ERROR", str(error)
    return status, " ".join(part.decode() for part in data if isinstance(part, bytes))


# What is done -> by whom it may be done.
ACTIONS = {
    "flag": {"writer", "manager"},
    "append": {"writer", "manager"},
    "copy": {"writer", "manager"},
    "make a folder": {"manager"},
    "delete a folder": {"manager"},
}


def attempt(client, action: str, member: str) -> bool:
    """Try something; return whether it was granted. What is refused is NO, and the connection goes on."""
    select(client)
    folder = f"of-{member}"
    calls = {
        "flag": (client.store, "1", "+FLAGS", r"(\Flagged)"),
        "append": (client.append, "INBOX", None, None, b"Subject: more\r\n\r\nx\r\n"),
        "copy": (client.copy, "1", "Archive"),
        "make a folder": (client.create, folder),
        "delete a folder": (client.delete, folder),
    }
    call, *arguments = calls[action]
    status, text = told(call, *arguments)
    assert status == "OK" or any(code in text for code in ("NOPERM", "READ-ONLY")), (status, text)
    assert client.noop()[0] == "OK"
    return status == "OK"


@pytest.mark.parametrize("member", MEMBERS)
def test_rights_are_what_mail_programs_see(shared, member) -> None:
    """Reading opens it read-only; writing changes messages; managing makes folders."""
    with as_shared(shared, member) as client:
        assert select(client) is (member != "reader")
        assert client.fetch("1:2", "(BODY.PEEK[])")[0] == "OK"
        assert {action for action in ACTIONS if attempt(client, action, member)} == {
            action for action, may in ACTIONS.items() if member in may
        }


def test_members_of_a_group_and_strangers(shared) -> None:
    """A group's right is its members'; a stranger is told nothing but that he may not."""
    with as_shared(shared, "grouped") as client:
        client.select("INBOX")
        assert client.store("1", "+FLAGS", r"(\Seen)")[0] == "OK"
    with pytest.raises(imaplib.IMAP4.error, match="AUTHORIZATIONFAILED"):
        as_shared(shared, "stranger")
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        signed_in(shared, INFO)


def test_a_right_that_is_taken_away_is_gone_at_the_next_sign_in(shared) -> None:
    """And given again it is there."""
    operate(shared, "shared.revoke", address=INFO, member=f"reader@{DOMAIN}")
    with pytest.raises(imaplib.IMAP4.error, match="AUTHORIZATIONFAILED"):
        as_shared(shared, "reader")
    operate(shared, "shared.grant", address=INFO, member=f"reader@{DOMAIN}", right="read")
    as_shared(shared, "reader").logout()


@pytest.mark.skipif(shutil.which("curl") is None, reason="not installed: curl")
@pytest.mark.parametrize(("member", "code"), [("writer", 0), ("stranger", 67)])
def test_curl_asks_by_authzid(shared, member, code) -> None:
    """SASL PLAIN with an authorization identity (RFC 4616 §2)."""
    words = [
        "curl", "-sS", "--max-time", "20", "--user", f"{member}@{DOMAIN}:{PASSWORD}", "--sasl-authzid", INFO,
        "--login-options", "AUTH=PLAIN", f"imap://127.0.0.1:{shared.port(143)}/INBOX;MAILINDEX=1",
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == code, done.stderr
    assert (b"Subject: 0" in done.stdout) is (code == 0)


def test_pop3_takes_away_what_one_may_write(shared) -> None:
    """POP3 knows no reading alone: a reader is refused."""
    for member, granted in (("reader", False), ("writer", True)):
        client = poplib.POP3("127.0.0.1", shared.port(110), timeout=20)
        client.user(f"{INFO}*{member}@{DOMAIN}")
        if granted:
            client.pass_(PASSWORD)
            assert client.stat()[0] >= 2
            client.quit()
            continue
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
            client.pass_(PASSWORD)
        client.close()


@pytest.mark.parametrize(("member", "granted"), [("grouped", True), ("reader", False), ("stranger", False)])
def test_members_who_may_send_as_it(shared, member, granted) -> None:
    """The author is the shared mailbox, who signed in is the member; without the right it is refused."""
    client = shared.submission(member)
    code, text = client.mail(INFO)
    if code == 250:
        code, text = client.rcpt(f"ben@{DOMAIN}")
        if code == 250:
            code, text = client.data(f"From: {INFO}\r\nTo: ben@{DOMAIN}\r\nSubject: as {member}\r\n\r\nx\r\n")
    assert (code == 250) is granted, (code, text)
    if not granted:
        assert code in {550, 553, 554}, text
    client.close()


def test_a_sign_in_as_the_shared_mailbox_sends_as_it_too(shared) -> None:
    """SMTP takes the name with the star; who acts stays the member."""
    client = smtplib.SMTP("127.0.0.1", shared.port(587), timeout=20)
    client.ehlo("client.test")
    message = base64.b64encode(f"{INFO}\0grouped@{DOMAIN}\0{PASSWORD}".encode()).decode()
    assert client.docmd("AUTH", f"PLAIN {message}")[0] == 235
    assert client.mail(INFO)[0] == 250
    client.quit()
