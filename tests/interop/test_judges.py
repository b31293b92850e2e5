"""Ready-made drivers of other people's programs, which judge any mail server, find nothing wrong with ours.

They live beside the repository, in ``../shared/judges``; where that folder or a program is missing the tests skip.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server import DOMAIN, PASSWORD

JUDGES = Path(__file__).parents[3] / "shared" / "judges" / "bin"
ENVIRONMENT = Path.home() / ".cache" / "posthouse-judges"
MAILS = 7

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not JUDGES.is_dir(), reason=f"the judges are not in {JUDGES}"),
]

# Cases of IMAPClient's own live tests that fail with Dovecot as well, for reasons of their own: imaplib of Python 3.11
# knows no MOVE without UID, a read cannot time out whose answer is there already, and test_fetch compares with a class
# that has no length. The fourth wants our greeting to take longer than a millisecond.
LIVETEST_OWN_FAULTS = {"test_move", "test_small_read_timeout_fail", "test_small_connection_timeout_fail", "test_fetch"}


def needs(*programs):
    """Skip where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def judge(name, *words, seconds=120):
    """Run a judge; return its exit code and everything it said."""
    done = subprocess.run(
        [JUDGES / name, *map(str, words)],
        capture_output=True, text=True, check=False, timeout=seconds, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def account(house, request):
    """Return a new account with a few messages in its inbox."""
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    (address,) = house.add(name)
    with house.smtp() as client:
        for number in range(MAILS):
            text = f"From: a@elsewhere.example\r\nTo: {address}\r\nSubject: number {number}\r\n\r\nHello {number}\r\n"
            client.sendmail("a@elsewhere.example", [address], text)
    return address


@pytest.mark.xdist_group("judges-1")
@needs("mbsync")
def test_mbsync(house, account):
    """Isync pulls, pushes, pulls anew and finds everything in step."""
    code, said = judge("client-mbsync", "127.0.0.1", house.port(143), account, PASSWORD)
    assert (code, f"ok mbsync: {MAILS} -> {MAILS + 1}" in said) == (0, True), said


@pytest.mark.xdist_group("judges-1")
@needs("offlineimap")
def test_offlineimap(house, account):
    """OfflineIMAP copies an account into a Maildir."""
    code, said = judge("client-offlineimap", "127.0.0.1", house.port(143), account, PASSWORD)
    assert (code, f"ok offlineimap: {MAILS} messages" in said) == (0, True), said


@pytest.mark.xdist_group("judges-1")
@needs("curl", "imapfilter", "neomutt", "node", "script")
@pytest.mark.skipif(not (ENVIRONMENT / "npm/node_modules/imapflow").is_dir(), reason="not installed: imapflow")
def test_imap_programs(house, account):
    """curl, imapfilter, neomutt and imapflow append, search, mark, copy, move and fetch."""
    code, said = judge("client-imap-misc", "127.0.0.1", house.port(143), account, PASSWORD)
    oks = re.findall(r"^ok (\w+)", said, re.MULTILINE)
    assert (code, oks) == (0, ["curl"] * 4 + ["imapfilter", "neomutt", "imapflow"]), said


@pytest.mark.xdist_group("judges-1")
@needs("curl", "mpop", "fetchmail", "getmail")
def test_pop3_programs(house, account):
    """curl, mpop, fetchmail and getmail see the same messages."""
    code, said = judge("client-pop3", "127.0.0.1", house.port(110), account, PASSWORD)
    assert (code, f"ok pop3 clients agree on {MAILS} messages" in said) == (0, True), said


@pytest.mark.xdist_group("judges-2")
@pytest.mark.skipif(
    not (ENVIRONMENT / "venv/main/bin/imapclient-livetest").exists(), reason="not installed: imapclient-livetest"
)
def test_imapclient_livetest(house):
    """Of the live tests of IMAPClient only those fail that fail with other servers too."""
    (address,) = house.add("livetest")
    _, said = judge("client-imapclient-livetest", "127.0.0.1", house.port(143), address, PASSWORD)
    failed = set(re.findall(r"^(?:FAIL|ERROR): (\w+)", said, re.MULTILINE))
    assert "Ran 59 tests" in said, said
    assert failed <= LIVETEST_OWN_FAULTS, said


@pytest.mark.xdist_group("judges-1")
@pytest.mark.parametrize(
    ("base", "words"),
    [
        pytest.param(25, (), id="to the exchanger"),
        pytest.param(25, ("--tls",), id="to the exchanger with STARTTLS"),
        pytest.param(24, ("--protocol", "LMTP"), id="by LMTP"),
        pytest.param(587, ("signed in", "--tls"), id="submission with STARTTLS"),
        pytest.param(465, ("signed in", "--tlsc"), id="submission within TLS"),
        pytest.param(587, ("signed in", "--tls", "--auth", "LOGIN"), id="submission by AUTH LOGIN"),
    ],
)
@needs("swaks")
def test_swaks(house, base, words):
    """Swaks delivers through every door that takes mail."""
    if {"--tls", "--tlsc"} & set(words) and "not available" in judge("smtp-swaks", "h", 1, "f", "t", "--", "--tls")[1]:
        pytest.skip("not installed: Net::SSLeay for swaks")
    login = (f"anna@{DOMAIN}", PASSWORD) if words[:1] == ("signed in",) else ()
    rest = words[1:] if login else words
    sender = login[0] if login else "someone@elsewhere.example"
    code, said = judge("smtp-swaks", "127.0.0.1", house.port(base), sender, f"ben@{DOMAIN}", *login, "--", *rest)
    assert (code, "250 2.0.0" in said or "250 2.1.5" in said) == (0, True), said


@pytest.mark.xdist_group("judges-1")
@pytest.mark.parametrize("base", [pytest.param(25, id="SMTP"), pytest.param(24, id="LMTP")])
@needs("smtp-source")
def test_load(house, base, monkeypatch):
    """Postfix's load generator brings in every message over several sessions at once."""
    (address,) = house.add(f"load{base}")
    if base == 24:
        monkeypatch.setenv("L", "1")
    code, said = judge("smtp-load", "127.0.0.1", house.port(base), "s@elsewhere.example", address, 400, 20, 4096)
    assert (code, "400 messages in" in said) == (0, True), said
    house.wait_for(f"load{base}", 400)
