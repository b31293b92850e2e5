"""Programs of others hand mail in: by SMTP, by submission with and without TLS, by LMTP; and it arrives as it was."""

import os
import shutil
import smtplib
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from tests.support.server import DOMAIN, PASSWORD, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("senders")]

BODY = (
    "Hello,\r\n.a line with a dot\r\n..two\r\nFrom here on: gr\u00fc\u00dfe \u2014 \u65e5\u672c\r\n"
    + "x" * 900
    + "\r\n"
)


def needs(*programs):
    """Skip where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.fixture
def letter(house, request, tmp_path):
    """Return (name of a new account, file with a message to it, the octets of the message)."""
    name = f"to{abs(hash(request.node.name)) % 10**8}"
    house.add(name)
    text = (
        f"From: Anna <anna@{DOMAIN}>\r\nTo: <{name}@{DOMAIN}>\r\nSubject: a letter\r\n"
        f"Message-ID: <{name}@sender.test>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{BODY}"
    ).encode()
    path = tmp_path / "letter"
    path.write_bytes(text)
    return name, path, text


def run(*words, data=None, **environment):
    """Run a program that must succeed."""
    done = subprocess.run(
        list(map(str, words)), input=data, capture_output=True, check=False, timeout=60, env=os.environ | environment
    )
    assert done.returncode == 0, (done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())
    return done.stdout.decode(errors="replace")


def trace(message):
    """Return the value of the newest Received line, on one line."""
    return " ".join(message_from_bytes(message, policy=policy.compat32)["Received"].split())


def assert_arrived(house, name, text, *, protocol, sender="anna@example.test"):
    """The one message of the account is the text, behind the trace lines, which say how it came."""
    (message,) = house.wait_for(name, 1)
    assert message.endswith(text), message
    parsed = message_from_bytes(message, policy=policy.compat32)
    assert parsed["Return-Path"] == f"<{sender}>"
    assert f"with {protocol} " in trace(message)


CURL = [
    pytest.param("smtp", 25, (), "ESMTP", id="exchanger"),
    pytest.param("smtp", 25, ("--ssl-reqd",), "ESMTPS", id="exchanger with STARTTLS"),
    pytest.param("smtp", 587, ("--user",), "ESMTPA", id="submission without TLS, from this machine"),
    pytest.param("smtp", 587, ("--ssl-reqd", "--user"), "ESMTPSA", id="submission with STARTTLS"),
    pytest.param("smtps", 465, ("--user",), "ESMTPSA", id="submission within TLS"),
    pytest.param("smtps", 465, ("--user", "LOGIN"), "ESMTPSA", id="AUTH LOGIN"),
]


@needs("curl")
@pytest.mark.parametrize(("scheme", "base", "words", "protocol"), CURL)
def test_curl(house, letter, *, scheme, base, words, protocol):
    """Curl, which checks our certificate's name, hands a message in through every door."""
    name, path, text = letter
    host, port = f"mx.{DOMAIN}", house.port(base)
    login = ["--user", f"anna@{DOMAIN}:{PASSWORD}"] if "--user" in words else []
    login += ["--login-options", "AUTH=LOGIN"] if "LOGIN" in words else []
    tls = ["--ssl-reqd"] if "--ssl-reqd" in words else []
    run(
        "curl", "--silent", "--show-error", "--max-time", "30", "--resolve", f"{host}:{port}:127.0.0.1",
        "--cacert", house.certificate, *tls, *login, "--mail-from", f"anna@{DOMAIN}",
        "--mail-rcpt", f"{name}@{DOMAIN}", "--upload-file", path, f"{scheme}://{host}:{port}/client.test",
    )  # fmt: skip
    assert_arrived(house, name, text, protocol=protocol)


@needs("msmtp")
@pytest.mark.parametrize(
    ("base", "words"),
    [pytest.param(587, ("--tls-starttls=on",), id="STARTTLS"), pytest.param(465, ("--tls-starttls=off",), id="TLS")],
)
def test_msmtp(house, letter, base, words):
    """Msmtp checks the certificate, signs in and submits."""
    name, _, text = letter
    run(
        "msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={house.port(base)}", "--tls=on", *words,
        f"--tls-trust-file={house.certificate}", f"--tls-host-override=mx.{DOMAIN}", "--auth=plain",
        f"--user=anna@{DOMAIN}", f"--passwordeval=echo {PASSWORD}", f"--from=anna@{DOMAIN}", f"{name}@{DOMAIN}",
        data=text.replace(b"\r\n", b"\n"),
    )  # fmt: skip
    assert_arrived(house, name, text, protocol="ESMTPSA")


@needs("neomutt")
def test_neomutt_sends_an_attachment(house, letter, tmp_path):
    """Neomutt submits a message with an attachment, which arrives with the same octets."""
    name, path, _ = letter
    (tmp_path / "rc").write_text(
        f'set from="anna@{DOMAIN}" smtp_url="smtp://anna@{DOMAIN}@127.0.0.1:{house.port(587)}/"\n'
        f'set smtp_pass="{PASSWORD}" ssl_starttls=no ssl_force_tls=no record="" tmpdir="{tmp_path}"\n'
        'set smtp_authenticators="plain"\n'
    )
    run(
        "neomutt", "-n", "-F", tmp_path / "rc", "-s", "with a picture", "-a", path, "--", f"{name}@{DOMAIN}",
        data=b"See the attachment.\n", TERM="dumb",
    )  # fmt: skip
    (message,) = house.wait_for(name, 1)
    parsed = message_from_bytes(message, policy=policy.default)
    (attachment,) = parsed.iter_attachments()
    assert (parsed["Subject"], attachment.get_content().encode()) == ("with a picture", path.read_bytes())


@needs("swaks")
def test_swaks_by_lmtp_gets_an_answer_for_each_recipient(house, letter):
    """LMTP says of each recipient whether the message was filed for it."""
    name, _, _ = letter
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{house.port(24)}", "--protocol", "LMTP", "--from", "a@elsewhere.example",
         "--to", f"{name}@{DOMAIN},nobody@{DOMAIN},ben@{DOMAIN}"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    replies = [line.removeprefix("<** ").removeprefix("<-  ").strip() for line in done.stdout.splitlines()]
    assert any(reply.startswith("550 5.1.1") for reply in replies), done.stdout
    assert sum(reply.startswith(("250 2.0.0", "250 2.1.5")) for reply in replies) >= 2, done.stdout
    house.wait_for(name, 1)


def test_smtplib_by_lmtp(house, letter):
    """Python's LMTP client delivers; it reads one reply only, so it is given one recipient."""
    name, _, text = letter
    with smtplib.LMTP("127.0.0.1", house.port(24)) as client:
        client.sendmail("a@elsewhere.example", [f"{name}@{DOMAIN}"], text)
    assert_arrived(house, name, text, protocol="LMTP", sender="a@elsewhere.example")


def test_smtplib_sends_an_international_message(house, letter):
    """An address and a header outside ASCII come in by SMTPUTF8 and stay as they were."""
    name, _, _ = letter
    message = EmailMessage(policy=policy.SMTPUTF8)
    message["From"] = "J\u00f8rgen <j\u00f8rgen@elsewhere.example>"
    message["To"] = f"{name}@{DOMAIN}"
    message["Subject"] = "\u65e5\u672c"
    message.set_content("gr\u00fc\u00dfe\r\n", cte="8bit")
    with house.smtp() as client:
        client.send_message(message)
    (arrived,) = house.wait_for(name, 1)
    assert "Return-Path: <j\u00f8rgen@elsewhere.example>".encode() in arrived
    assert "Subject: \u65e5\u672c".encode() in arrived
    assert "with UTF8SMTP" in trace(arrived)


def refusals(house, address):
    """Return (code, enhanced code, rule, setting) of each refusal of an address in the log."""
    found = [event for event in house.events("message.refused") if event["to"] == address]
    return [(event["code"], event["enhanced"], event["rule"], event.get("setting", "")) for event in found]


def test_a_stranger_cannot_relay(house):
    """The exchanger refuses a stranger's mail to other domains, and the log says by which rule and setting."""
    with house.smtp() as client:
        client.ehlo()
        client.mail("stranger@elsewhere.example")
        code, text = client.rcpt("someone@faraway.example")
    assert (code, text[:5]) == (550, b"5.7.1")
    until(lambda: refusals(house, "someone@faraway.example"), "the refusal in the log")
    assert refusals(house, "someone@faraway.example") == [(550, "5.7.1", "relay.denied", "relay.networks")]


def test_submission_needs_a_password(house):
    """The submission port takes nothing from who has not signed in, and a wrong password does not sign in."""
    with house.smtp(587) as client:
        client.ehlo()
        assert client.mail(f"anna@{DOMAIN}")[0] == 530
        client.starttls(context=house.tls())
        with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            client.login(f"anna@{DOMAIN}", "wrong" + PASSWORD)
    assert refusal.value.smtp_code == 535


def test_one_cannot_submit_as_somebody_else(house):
    """Who signed in as one person may not send as another."""
    with house.submission("anna") as client:
        code, text = client.mail(f"ben@{DOMAIN}")
    assert (code, text[:5]) == (553, b"5.7.1")


def test_the_story_of_a_filed_message(house, letter):
    """A journey names the client, the account that signed in, the reasons, the mailbox, and who was refused."""
    name, _, text = letter
    recipients = [f"{name}@{DOMAIN}", f"nobody-here@{DOMAIN}"]
    with house.submission("anna") as client:
        client.sendmail(f"anna@{DOMAIN}", recipients, text)
    house.wait_for(name, 1)
    story = house.story(f"<{name}@sender.test>")
    for words in (
        "accepted from 127.0.0.1",
        f"signed in as anna@{DOMAIN} by ESMTPSA on submission",
        f"granted <{name}@{DOMAIN}>, because the client had signed in (relay.authenticated)",
        f"filed for {name}@{DOMAIN}",
        f"refused <nobody-here@{DOMAIN}>: 550 5.1.1 No such user here, because nobody has that address",
    ):
        assert words in story, story
