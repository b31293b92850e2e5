"""App passwords with mail programs of others: curl, swaks and mbsync, by IMAP, POP3 and SMTP; scopes, ends, revoking."""

from __future__ import annotations

import shutil
import subprocess
import time

import pyotp
import pytest

from posthouse.services.identity.app_passwords import app_password_verifier, new_app_password
from posthouse.store.directory_values import CredentialKind, PutCredential
from tests.support.operating import commit, operate
from tests.support.server import DOMAIN, PASSWORD

pytestmark = [
    pytest.mark.interop,
    pytest.mark.xdist_group("app_passwords"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="not installed: curl"),
]
ANNA, BEN = f"anna@{DOMAIN}", f"ben@{DOMAIN}"
GRANTED, REFUSED = 0, 67  # exit codes of curl
MBSYNC = """
IMAPStore far
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType STARTTLS
CertificateFile {certificate}

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX

Channel all
Far :far:
Near :near:
Create Near
SyncState *
"""


def curl(house, url: str, login: str, secret: str, *more: str) -> tuple[int, str]:
    """Sign in with curl; return its exit code and the conversation."""
    done = subprocess.run(
        ["curl", "-v", "-sS", "--max-time", "20", "--user", f"{login}:{secret}", *more, url],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def sign_ins(house, login: str, secret: str) -> dict[str, int]:
    """Return curl's exit code by protocol."""
    letter = house.home.parent / "letter.eml"
    letter.write_bytes(f"From: {ANNA}\r\nTo: {BEN}\r\nSubject: x\r\n\r\nx\r\n".encode())
    envelope = ("--mail-from", ANNA, "--mail-rcpt", BEN, "--upload-file", str(letter))
    return {
        "imap": curl(house, f"imap://127.0.0.1:{house.port(143)}/", login, secret)[0],
        "pop3": curl(house, f"pop3://127.0.0.1:{house.port(110)}/", login, secret)[0],
        "smtp": curl(house, f"smtp://127.0.0.1:{house.port(587)}/client.test", login, secret, *envelope)[0],
    }


SCOPES = {
    "mail": {"imap": GRANTED, "pop3": GRANTED, "smtp": GRANTED},
    "imap": {"imap": GRANTED, "pop3": REFUSED, "smtp": REFUSED},
    "pop3": {"imap": REFUSED, "pop3": GRANTED, "smtp": REFUSED},
    "smtp": {"imap": REFUSED, "pop3": REFUSED, "smtp": GRANTED},
    "api": {"imap": REFUSED, "pop3": REFUSED, "smtp": REFUSED},
}


@pytest.mark.parametrize("scope", SCOPES)
def test_an_app_password_opens_its_scope(house, scope) -> None:
    """By every protocol that it is for, and by no other."""
    made = operate(house, "app-password.add", account=ANNA, name=scope, scopes=[scope])["password"]
    assert sign_ins(house, ANNA, made) == SCOPES[scope]
    assert sign_ins(house, BEN, made) == dict.fromkeys(("imap", "pop3", "smtp"), REFUSED)


def test_it_is_typed_as_people_type(house) -> None:
    """Capitals, spaces, no hyphens."""
    made = operate(house, "app-password.add", account=ANNA, name="phone")["password"]
    for typed in (made.upper(), made.replace("-", ""), made.replace("-", " ")):
        assert curl(house, f"imap://127.0.0.1:{house.port(143)}/", ANNA, typed)[0] == GRANTED


def test_what_is_revoked_is_refused_within_a_second(house) -> None:
    """However often it was right before; other app passwords and the account's own go on."""
    made = operate(house, "app-password.add", account=ANNA, name="lost phone")
    other = operate(house, "app-password.add", account=ANNA, name="laptop")["password"]
    assert set(sign_ins(house, ANNA, made["password"]).values()) == {GRANTED}
    operate(house, "app-password.revoke", account=ANNA, id=made["id"])
    time.sleep(1)
    assert set(sign_ins(house, ANNA, made["password"]).values()) == {REFUSED}
    assert set(sign_ins(house, ANNA, other).values()) == {GRANTED}
    assert set(sign_ins(house, ANNA, PASSWORD).values()) == {GRANTED}


def test_what_has_ended_is_refused(house) -> None:
    """A second ago."""
    made = new_app_password()
    number = house.tools(lambda tools: tools.store.account(BEN)).id
    commit(
        house,
        PutCredential(
            id="ended", account=BEN, kind=CredentialKind.APP_PASSWORD, name="old", scopes="mail",
            verifier=app_password_verifier(number, made.encode()), expires=time.time() - 1,
        ),
    )  # fmt: skip
    assert set(sign_ins(house, BEN, made).values()) == {REFUSED}


def test_beside_a_second_factor_it_is_the_only_way(house) -> None:
    """The account's password is refused with a text that says what is needed."""
    (address,) = house.add("cautious")
    started = operate(house, "second-factor.start", account=address)
    operate(house, "second-factor.confirm", account=address, code=pyotp.TOTP(started["secret"]).now())
    assert set(sign_ins(house, address, PASSWORD).values()) == {REFUSED}
    said = curl(house, f"imap://127.0.0.1:{house.port(143)}/", address, PASSWORD)[1]
    assert "NO [ALERT] This account needs an app password here" in said
    made = operate(house, "app-password.add", account=address, name="phone", scopes=["imap", "pop3"])["password"]
    assert sign_ins(house, address, made) == {"imap": GRANTED, "pop3": GRANTED, "smtp": REFUSED}


def test_its_use_is_noted(house) -> None:
    """When and from where, within seconds."""
    made = operate(house, "app-password.add", account=BEN, name="noted")
    assert sign_ins(house, BEN, made["password"])["imap"] == GRANTED
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        rows = operate(house, "app-password.list", account=BEN)["items"]
        row = next(row for row in rows if row["id"] == made["id"])
        if row["last_used"]:
            break
        time.sleep(0.2)
    assert row["last_address"] == "127.0.0.1"


@pytest.mark.skipif(shutil.which("swaks") is None, reason="not installed: swaks")
def test_swaks_submits_with_one(house) -> None:
    """By PLAIN and by LOGIN, under TLS."""
    made = operate(house, "app-password.add", account=ANNA, name="swaks", scopes=["smtp"])["password"]
    for mechanism in ("PLAIN", "LOGIN"):
        done = subprocess.run(
            ["swaks", "--server", "127.0.0.1", "--port", str(house.port(587)), "--tls", "--auth", mechanism,
             "--auth-user", ANNA, "--auth-password", made, "--from", ANNA, "--to", BEN, "--helo", "client.test"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("mbsync") is None, reason="not installed: mbsync")
def test_mbsync_synchronises_with_one(house, tmp_path) -> None:
    """Under STARTTLS; with a revoked one it says that it cannot sign in."""
    made = operate(house, "app-password.add", account=ANNA, name="mbsync", scopes=["imap"])
    folder = tmp_path / "mail"
    folder.mkdir()
    rc = tmp_path / "rc"
    rc.write_text(
        MBSYNC.format(
            port=house.port(143), user=ANNA, password=made["password"], certificate=house.certificate, folder=folder
        )
    )
    words = ["mbsync", "-c", str(rc), "-a"]
    assert subprocess.run(words, capture_output=True, check=False, timeout=60).returncode == 0
    operate(house, "app-password.revoke", account=ANNA, id=made["id"])
    refused = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode != 0
    assert "AUTHENTICATIONFAILED" in refused.stdout + refused.stderr
