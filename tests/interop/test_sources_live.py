"""Sign-in sources behind a running server: a directory that is killed and comes back, and an OpenID provider's tokens."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import poplib
import shutil
import smtplib
import socket
import subprocess
import time

import pytest

from tests.support.ldap import BASE, LdapServer, why_not
from tests.support.ldap import PASSWORD as LDAP_PASSWORD
from tests.support.oidc import CLIENT, SECRET, OidcProvider
from tests.support.operating import operate
from tests.support.server import PASSWORD, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.xdist_group("sources_live")]
DOMAIN = "example.test"  # also that of the people in the directory and at the provider
ANNA, LOCAL = f"anna@{DOMAIN}", f"local@{DOMAIN}"
LATER = "NO [UNAVAILABLE] Authentication is not possible now, try again later"
WRONG = "NO [AUTHENTICATIONFAILED] Authentication failed"
BEARER = "auth=Bearer {}\x01\x01"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server with one person of its own; those of the sources are unknown to it."""
    with PosthouseServer(tmp_path_factory.mktemp("house") / "home", people=("local",)) as server:
        yield server


def imap(house, login: str, password: str) -> str:
    """Return the tagged answer to AUTHENTICATE PLAIN, without its tag; "OK" where it lets in."""
    message = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
    with socket.create_connection(("127.0.0.1", house.port(143)), timeout=30) as connection:
        file = connection.makefile("rwb")
        file.readline()
        file.write(f"a AUTHENTICATE PLAIN {message}\r\n".encode())
        file.flush()
        answer = file.readline().decode().strip().removeprefix("a ")
        return "OK" if answer.startswith("OK") else answer


def smtp(house, login: str, password: str) -> int:
    """Return the reply code of AUTH PLAIN."""
    client = smtplib.SMTP("127.0.0.1", house.port(587), timeout=30)
    client.ehlo("client.test")
    code, _ = client.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0{login}\0{password}".encode()).decode())
    client.quit()
    return code


def ask(house, domain: str, order: str) -> None:
    """Say which sources are asked for a domain, and wait until every worker does."""
    operate(house, "setting.set", name="auth.sources", value=order, scope=f"domain:{domain}")
    time.sleep(1.5)


# ---- LDAP -------------------------------------------------------------------------------------------------------


@pytest.fixture
def directory(house):
    """Return an OpenLDAP server that is asked after our own store."""
    if why_not():
        pytest.skip(why_not())
    with LdapServer() as running:
        fields = [
            f"servers={running.url}", f"ca_file={running.ca_file}", f"base=ou=people,{BASE}",
            f"bind_dn=cn=searcher,{BASE}", "quota_attribute=employeeNumber", "timeout=3s",
        ]  # fmt: skip
        operate(house, "source.add", name="corp", kind="ldap", config=fields, secret="searcher-secret")
        operate(house, "setting.set", name="auth.source_pause", value="1s", scope="server")
        ask(house, DOMAIN, "own,corp")
        yield running
        operate(house, "setting.unset", name="auth.sources", scope=f"domain:{DOMAIN}")
        operate(house, "source.remove", name="corp")


def test_a_directory_end_to_end(house, directory) -> None:
    """The first sign-in makes the mailbox; killed, it refuses for now and is no wrong password; it comes back."""
    assert house.tools(lambda tools: tools.store.account(ANNA)) is None
    assert imap(house, ANNA, "wrong") == WRONG
    assert house.tools(lambda tools: tools.store.account(ANNA)) is None
    assert imap(house, ANNA, LDAP_PASSWORD) == "OK"
    row = house.tools(lambda tools: tools.store.account(ANNA))
    assert (row.display_name, row.source, row.quota_bytes) == ("Anna Älv", "corp", 1_048_576)
    with house.smtp() as client:
        client.sendmail("x@elsewhere.example", [ANNA], b"Subject: welcome\r\n\r\nx\r\n")
    assert imap(house, LOCAL, PASSWORD) == "OK"

    directory.stop()
    until(lambda: imap(house, f"ben@{DOMAIN}", LDAP_PASSWORD) == LATER, "the directory to be missed")
    assert imap(house, f"ben@{DOMAIN}", "wrong") == LATER
    assert smtp(house, f"ben@{DOMAIN}", LDAP_PASSWORD) == 454
    with pytest.raises(poplib.error_proto, match=r"SYS/TEMP"):
        pop3(house, f"ben@{DOMAIN}", LDAP_PASSWORD)
    assert imap(house, ANNA, LDAP_PASSWORD) in {"OK", LATER}  # the worker that remembers her lets her in
    assert imap(house, LOCAL, PASSWORD) == "OK"

    directory.start()
    until(lambda: imap(house, f"ben@{DOMAIN}", LDAP_PASSWORD) == "OK", "the directory to be asked again")
    assert imap(house, f"ben@{DOMAIN}", "wrong") == WRONG
    assert {row["address"] for row in house.rows("account", "list")} >= {ANNA, f"ben@{DOMAIN}"}


def pop3(house, login: str, password: str) -> None:
    """Sign in by POP3. Raises poplib.error_proto."""
    client = poplib.POP3("127.0.0.1", house.port(110), timeout=30)
    try:
        client.user(login)
        client.pass_(password)
    finally:
        client.close()


def test_the_directory_is_tried_and_synchronised(house, directory) -> None:
    """``source test`` says what is there; ``source sync`` makes whom a dry run told."""
    tried = operate(house, "source.test", name="corp", address=ANNA, password=LDAP_PASSWORD)
    assert (tried["good"], tried["person"]["display_name"], tried["password"]) == (True, "Anna Älv", "granted")
    assert operate(house, "source.test", name="corp", address=ANNA, password="wrong")["password"] == "wrong"
    done = operate(house, "source.sync", name="corp", domains=[DOMAIN])
    assert done["complete"]
    assert operate(house, "source.sync", name="corp", domains=[DOMAIN])["counts"] == {}
    directory.stop()
    gone = operate(house, "source.test", name="corp")
    assert not gone["good"]
    assert gone["remedy"]


# ---- OpenID -----------------------------------------------------------------------------------------------------

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="not installed: curl")


async def curl(house, url: str, login: str, token: str, *more: str) -> int:
    """Sign in with curl and a bearer token; return its exit code."""
    words = ["curl", "-sS", "--max-time", "20", "--user", login, "--oauth2-bearer", token, *more, url]
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=False)
    return done.returncode


@contextlib.asynccontextmanager
async def openid(house):
    """Yield a provider that is a source, which no order names yet."""
    async with OidcProvider() as provider:
        fields = [f"issuer={provider.issuer}", f"client_id={CLIENT}", "timeout=3s"]
        await asyncio.to_thread(operate, house, "source.add", name="id", kind="oidc", config=fields, secret=SECRET)
        try:
            yield provider
        finally:
            for name, scope in (("auth.oauth", "server"), ("auth.sources", f"domain:{DOMAIN}")):
                await asyncio.to_thread(operate, house, "setting.unset", name=name, scope=scope)
            await asyncio.to_thread(operate, house, "source.remove", name="id")


@needs_curl
async def test_tokens_end_to_end(house, tmp_path) -> None:
    """Curl signs in by IMAP, POP3 and SMTP; forged and foreign tokens are refused; a rotated key is found."""
    async with openid(house) as provider:
        await asyncio.to_thread(ask, house, DOMAIN, "own,id")
        letter = tmp_path / "letter.eml"
        letter.write_bytes(f"From: {ANNA}\r\nTo: {LOCAL}\r\nSubject: x\r\n\r\nx\r\n".encode())
        ways = {
            "imap": (f"imap://127.0.0.1:{house.port(143)}/", ()),
            "pop3": (f"pop3://127.0.0.1:{house.port(110)}/", ()),
            "smtp": (
                f"smtp://127.0.0.1:{house.port(587)}/client.test",
                ("--mail-from", ANNA, "--mail-rcpt", LOCAL, "--upload-file", str(letter)),
            ),
        }

        async def sign_ins(token: str, login: str = ANNA) -> set[int]:
            return {await curl(house, url, login, token, *more) for url, more in ways.values()}

        assert await sign_ins(provider.token()) == {0}
        assert 0 not in await sign_ins(provider.token(exp=int(time.time()) - 3600))
        assert 0 not in await sign_ins(provider.token(aud="another client"))
        assert 0 not in await sign_ins(provider.token(), LOCAL)
        assert 0 not in await sign_ins(provider.token(email="boss@elsewhere.test"), "boss@elsewhere.test")
        assert await curl(house, ways["imap"][0], ANNA, provider.token(), "--login-options", "AUTH=XOAUTH2") == 0
        old = provider.token()
        provider.rotate("second", "RSA")
        deadline, good = time.monotonic() + 100, 0
        while good < 6:  # in every worker; each fetches keys anew at most every half minute
            assert time.monotonic() < deadline
            codes = [await curl(house, ways["imap"][0], ANNA, token) for token in (provider.token(), old)]
            good = good + 1 if codes[0] == 0 and codes[1] != 0 else 0
            await asyncio.sleep(0.2)


async def test_the_words_are_told_only_where_a_source_knows_tokens(house) -> None:
    """CAPABILITY, CAPA and EHLO, before and after; and the setting decides against it."""
    assert not any(offered(house))
    async with openid(house):
        assert not any(offered(house))
        await asyncio.to_thread(ask, house, DOMAIN, "own,id")
        assert all(offered(house))
        await asyncio.to_thread(operate, house, "setting.set", name="auth.oauth", value="no", scope="server")
        await asyncio.sleep(1.5)
        assert not any(offered(house))


def offered(house) -> tuple[bool, bool, bool]:
    """Return whether IMAP, POP3 and SMTP say OAUTHBEARER and XOAUTH2."""
    said = []
    for base, commands in ((143, b"a CAPABILITY\r\n"), (110, b"CAPA\r\n"), (587, b"EHLO x.test\r\n")):
        with socket.create_connection(("127.0.0.1", house.port(base)), timeout=20) as connection:
            connection.recv(4096)
            connection.sendall(commands)
            text = connection.recv(4096)
            said.append(b"OAUTHBEARER" in text and b"XOAUTH2" in text)
    return said[0], said[1], said[2]
