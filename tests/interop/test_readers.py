"""Mail programs of others read, move and remove mail, over TLS with our certificate checked; nothing is lost on the way.

Reading without TLS is judged in ``test_judges.py``.
"""

import contextlib
import imaplib
import os
import poplib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server import DOMAIN, PASSWORD, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("readers")]

LETTERS = [
    pytest.param(b"Subject: %d plain\r\n\r\nHello\r\n", id="plain"),
    pytest.param(b"Subject: %d dots\r\n\r\n.\r\n..\r\n...\r\n", id="dots"),
    pytest.param(b"Subject: %d empty\r\n\r\n", id="empty body"),
    pytest.param(b"Subject: %d eight bit\r\n\r\n\xe9\xff\xc3\xbc\r\n", id="eight bit"),
]
CONTENTS = [letter.values[0] % number for number, letter in enumerate(LETTERS)] + [
    b"Subject: 4 large\r\n\r\n" + b"0123456789" * 9 * 12_000 + b"\r\n"
]


def needs(*programs):
    """Skip where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def folded(content):
    """Break the long line of the large letter, as SMTP demands."""
    return content if len(content) < 1000 else re.sub(rb"([0-9]{90})", rb"\1\r\n", content)


@pytest.fixture
def account(house, request):
    """Return the name of a new account with five letters in its inbox."""
    name = f"r{abs(hash(request.node.name)) % 10**8}"
    (address,) = house.add(name)
    with house.smtp() as client:
        for content in CONTENTS:
            client.sendmail("a@elsewhere.example", [address], folded(content))
    return name


def run(*words, codes=(0,), data=None, **environment):
    """Run a program that must succeed."""
    done = subprocess.run(
        list(map(str, words)), input=data, capture_output=True, check=False, timeout=60, env=os.environ | environment
    )
    assert done.returncode in codes, (done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def in_maildir(folder):
    """Return the messages of a Maildir in the order of their subjects, with CRLF."""
    found = [path.read_bytes() for path in Path(folder).rglob("*") if path.is_file() and path.parent.name in "new cur"]
    return sorted(
        (re.sub(rb"\r?\n", b"\r\n", one) for one in found), key=lambda one: one.partition(b"Subject: ")[2][:1]
    )


def assert_complete(messages):
    """The messages are the five letters, each with its subject and its octets behind the header."""
    assert len(messages) == len(CONTENTS), [len(message) for message in messages]
    for content, message in zip(CONTENTS, messages, strict=True):
        subject, _, body = folded(content).partition(b"\r\n\r\n")
        header, _, arrived = message.partition(b"\r\n\r\n")
        assert subject in header.split(b"\r\n"), message[:600]
        assert arrived.removesuffix(b"\r\n") == body.removesuffix(b"\r\n"), message[:600]


MBSYNC = """
IMAPStore far
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType {tls}
CertificateFile {certificate}

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""


@needs("mbsync")
@pytest.mark.parametrize(("base", "tls"), [pytest.param(143, "STARTTLS", id="STARTTLS"), (993, "IMAPS")])
def test_mbsync_takes_all_and_brings_back_what_changed(house, account, tmp_path, base, tls):
    """Mbsync copies everything; a flag, a new folder and a deletion made in the Maildir reach the server."""
    user, folder = f"{account}@{DOMAIN}", tmp_path / "mail"
    folder.mkdir()
    (tmp_path / "rc").write_text(
        MBSYNC.format(
            port=house.port(base), user=user, password=PASSWORD, tls=tls, certificate=house.certificate, folder=folder
        )
    )
    run("mbsync", "-c", tmp_path / "rc", "-a")
    assert_complete(in_maildir(folder / "INBOX"))
    paths = sorted((folder / "INBOX").rglob("*,U=*"))
    flagged, deleted = paths[0], paths[1]
    flagged.rename(flagged.parent.parent / "cur" / (flagged.name.partition(":")[0] + ":2,FS"))
    deleted.rename(deleted.parent.parent / "cur" / (deleted.name.partition(":")[0] + ":2,T"))
    for name in ("cur", "new", "tmp"):
        (folder / "Kept" / name).mkdir(parents=True)
    (folder / "Kept" / "cur" / "1.1.here:2,S").write_bytes(b"Subject: kept\n\nkept\n")
    run("mbsync", "-c", tmp_path / "rc", "-a")
    assert house.count(account) == len(CONTENTS) - 1
    assert house.count(account, "Kept") == 1
    with house.imap(account) as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "FLAGGED SEEN")[1][0].split() == [b"1"]
    run("mbsync", "-c", tmp_path / "rc", "-a")
    assert (house.count(account), len(in_maildir(folder / "INBOX"))) == (len(CONTENTS) - 1, len(CONTENTS) - 1)


@needs("fetchmail")
def test_fetchmail_hands_everything_on_by_smtp(house, account, tmp_path):
    """Fetchmail empties an inbox over POP3 with STLS and sends it to another account through our exchanger."""
    (goal,) = house.add(account + "goal")
    rc = tmp_path / "rc"
    rc.write_text(
        f'poll 127.0.0.1 protocol pop3 port {house.port(110)} user "{account}@{DOMAIN}" password "{PASSWORD}" '
        f'is "{goal}" here fetchall no keep no rewrite smtphost "127.0.0.1/{house.port(25)}" smtpname "{goal}" '
        f'sslproto "tls1.2+" sslcertck sslcertfile "{house.certificate}" sslcommonname "mx.{DOMAIN}"\n'
    )
    rc.chmod(0o600)
    run("fetchmail", "-f", rc, "--nodetach", "--nosyslog", "--pidfile", tmp_path / "pid",
        HOME=str(tmp_path), FETCHMAILHOME=str(tmp_path))  # fmt: skip
    assert_complete(house.wait_for(account + "goal", len(CONTENTS)))
    assert house.count(account) == 0


@needs("mpop")
def test_mpop_takes_the_mail_away(house, account, tmp_path):
    """Mpop, within TLS, delivers into a Maildir and deletes what it took."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    run(
        "mpop", "-C", "/dev/null", "--host=127.0.0.1", f"--port={house.port(995)}", f"--user={account}@{DOMAIN}",
        f"--passwordeval=echo {PASSWORD}", "--auth=user", "--tls=on", "--tls-starttls=off", "--keep=off",
        f"--tls-trust-file={house.certificate}", f"--tls-host-override=mx.{DOMAIN}",
        f"--uidls-file={tmp_path / 'uidls'}", f"--delivery=maildir,{tmp_path / 'mail'}", "--received-header=off",
    )  # fmt: skip
    assert_complete(in_maildir(tmp_path / "mail"))
    assert house.count(account) == 0


@needs("getmail")
@pytest.mark.parametrize(
    ("retriever", "base"),
    [
        pytest.param("SimpleIMAPSSLRetriever", 993, id="IMAP within TLS"),
        pytest.param("SimplePOP3SSLRetriever", 995, id="POP3 within TLS"),
    ],
)
def test_getmail_takes_the_mail_away(house, account, tmp_path, retriever, base):
    """Getmail retrieves and deletes over IMAP and over POP3."""
    folder = tmp_path / "mail"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    (tmp_path / "getmailrc").write_text(
        f"[retriever]\ntype = {retriever}\nserver = 127.0.0.1\nport = {house.port(base)}\n"
        f"username = {account}@{DOMAIN}\npassword = {PASSWORD}\nca_certs = {tmp_path / 'certificate'}\n"
        f"[destination]\ntype = Maildir\npath = {folder}/\n"
        "[options]\nread_all = true\ndelete = true\ndelivered_to = false\nreceived = false\n"
    )
    (tmp_path / "certificate").write_bytes(house.certificate.read_bytes())
    as_nobody = []
    if os.geteuid() == 0:
        for path in [tmp_path, *tmp_path.rglob("*")]:
            shutil.chown(path, "nobody")
        for above in tmp_path.parents[:-2]:
            above.chmod(above.stat().st_mode | 0o011)
        as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    run(*as_nobody, "getmail", f"--getmaildir={tmp_path}", HOME=str(tmp_path))
    assert_complete(in_maildir(folder))
    until(lambda: house.count(account) == 0, "the inbox to be empty")


@needs("curl")
@pytest.mark.parametrize(
    ("scheme", "base", "words"),
    [
        pytest.param("imap", 143, ("--ssl-reqd",), id="IMAP with STARTTLS"),
        pytest.param("imaps", 993, (), id="IMAP within TLS"),
        pytest.param("pop3", 110, ("--ssl-reqd",), id="POP3 with STLS"),
        pytest.param("pop3s", 995, (), id="POP3 within TLS"),
    ],
)
def test_curl_reads_every_message(house, account, tmp_path, *, scheme, base, words):
    """Curl, which checks our certificate's name, fetches each message as it was sent."""
    port = house.port(base)
    found = []
    for number in range(1, len(CONTENTS) + 1):
        path = f"{number}" if scheme.startswith("pop3") else f"INBOX;MAILINDEX={number}"
        run(
            "curl", "--silent", "--show-error", "--max-time", "30", "--resolve", f"mx.{DOMAIN}:{port}:127.0.0.1",
            "--cacert", house.certificate, *words, "--user", f"{account}@{DOMAIN}:{PASSWORD}",
            "--output", tmp_path / "out", f"{scheme}://mx.{DOMAIN}:{port}/{path}",
        )  # fmt: skip
        found.append((tmp_path / "out").read_bytes())
    assert_complete(found)


@needs("offlineimap")
def test_offlineimap_within_tls(house, account, tmp_path):
    """OfflineIMAP copies the account over TLS, its certificate checked."""
    (tmp_path / "rc").write_text(
        f"[general]\naccounts = a\nmetadata = {tmp_path}/meta\n[Account a]\nlocalrepository = l\n"
        f"remoterepository = r\n[Repository l]\ntype = Maildir\nlocalfolders = {tmp_path}/mail\n"
        f"[Repository r]\ntype = IMAP\nremotehost = localhost\nremoteport = {house.port(993)}\n"
        f"remoteuser = {account}@{DOMAIN}\nremotepass = {PASSWORD}\nssl = yes\n"
        f"sslcacertfile = {house.certificate}\nssl_version = tls1_2\n"
        f"cert_fingerprint = {fingerprint(house.certificate)}\n"
    )
    run("offlineimap", "-o", "-u", "basic", "-c", tmp_path / "rc")
    assert_complete(in_maildir(tmp_path / "mail" / "INBOX"))


def fingerprint(certificate):
    """Return the SHA-1 of a certificate, which is how OfflineIMAP names one."""
    said = run("openssl", "x509", "-noout", "-fingerprint", "-sha1", "-in", certificate)
    return said.partition("=")[2].strip().replace(":", "").lower()


@needs("mutt", "script")
def test_mutt_answers_a_question_about_the_mailbox(house, account, tmp_path):
    """Mutt opens the inbox, deletes one message by its subject, saves another to a new folder, and leaves."""
    user = f"{account}@{DOMAIN}"
    (tmp_path / "rc").write_text(
        f'set folder="imap://{user}@127.0.0.1:{house.port(143)}/" imap_user="{user}" imap_pass="{PASSWORD}"\n'
        "set spoolfile=+INBOX ssl_starttls=no ssl_force_tls=no delete=yes quit=yes move=no confirmappend=no\n"
        f'set confirmcreate=no wait_key=no sleep_time=0 tmpdir="{tmp_path}" record="" beep=no mark_old=no\n'
        'push "<delete-pattern>~s dots<enter><search>plain<enter><save-message>=Kept<enter><sync-mailbox><quit>"\n'
    )
    command = f"mutt -n -F {tmp_path / 'rc'} -f imap://{user}@127.0.0.1:{house.port(143)}/INBOX"
    run("timeout", "30", "script", "-qec", command, "/dev/null", TERM="xterm", data=b"")
    assert house.count(account, "Kept") == 1
    assert house.count(account) == len(CONTENTS) - 2


def test_imaplib_reads_within_tls_and_after_starttls(house, account):
    """Python's IMAP client checks the certificate and sees the five letters both ways."""
    port = house.port(993)
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=house.tls(), timeout=20) as client:
        client.login(f"{account}@{DOMAIN}", PASSWORD)
        client.select("INBOX", readonly=True)
        assert_complete([part[1] for part in client.fetch("1:*", "(BODY.PEEK[])")[1] if isinstance(part, tuple)])
    with imaplib.IMAP4("127.0.0.1", house.port(143), timeout=20) as client:
        client.starttls(house.tls())
        client.login(f"{account}@{DOMAIN}", PASSWORD)
        client.select("INBOX", readonly=True)
        assert_complete([part[1] for part in client.fetch("1:*", "(RFC822)")[1] if isinstance(part, tuple)])


def test_poplib_reads_within_tls_and_after_stls(house, account):
    """Python's POP3 client checks the certificate, reads the five letters both ways and deletes one."""
    with contextlib.closing(poplib.POP3_SSL("127.0.0.1", house.port(995), context=house.tls(), timeout=20)) as client:
        client.user(f"{account}@{DOMAIN}")
        client.pass_(PASSWORD)
        found = [b"\r\n".join([*client.retr(number)[1], b""]) for number in range(1, 6)]
        client.dele(2)
        client.quit()
    assert_complete(found)
    with contextlib.closing(poplib.POP3("127.0.0.1", house.port(110), timeout=20)) as client:
        client.stls(house.tls())
        client.user(f"{account}@{DOMAIN}")
        client.pass_(PASSWORD)
        assert client.stat()[0] == len(CONTENTS) - 1
        client.quit()


def test_a_move_by_one_client_is_seen_by_another_that_idles(house, account):
    """A client in IDLE is told of a message that another one, in another process of ours perhaps, files and removes."""
    with house.imap(account) as idler, house.smtp() as sender:
        idler.select("INBOX")
        idler.send(b"i1 IDLE\r\n")
        assert idler.readline().startswith(b"+")
        sender.sendmail("a@elsewhere.example", [f"{account}@{DOMAIN}"], b"Subject: news\r\n\r\nnews\r\n")
        assert idler.readline().strip() == b"* 6 EXISTS"
        idler.send(b"DONE\r\n")
        while not idler.readline().startswith(b"i1 OK"):
            pass
