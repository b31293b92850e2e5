"""The command line as an administrator uses it: what is refused and how, and what comes out of it.

Every refusal is one line that says what and where, then a remedy, and an exit code of sysexits.h.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, run_posthouse, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("commands")]

INIT = ("init", "--hostname", f"mx.{DOMAIN}", "--domain", DOMAIN, "--admin", f"admin@{DOMAIN}", "--password-file", "-")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a home that is served."""
    with PosthouseServer(tmp_path_factory.mktemp("house") / "home", workers=1) as server:
        yield server


@pytest.fixture
def idle(tmp_path):
    """Return a home that nobody serves."""
    return PosthouseServer(tmp_path / "home", people=(), workers=1).found()


def assert_refused(done, code, *words):
    """A command ended with a code, one line that holds the words, and at most a remedy; no trace of ours."""
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    first, *rest = done.stderr.splitlines()
    assert first.startswith("posthouse: "), done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert all(line.startswith("  ") for line in rest), done.stderr
    assert len(rest) <= 1, done.stderr
    assert "Traceback" not in done.stderr


def contents(folder):
    """Return every file below a folder with its octets."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# ---- init -------------------------------------------------------------------------------------------------------------


def test_init_makes_a_home_once(tmp_path):
    """Init makes a home that only its owner may read; a second init changes nothing."""
    home = tmp_path / "new" / "home"
    done = run_posthouse(home, *INIT, "--listen", "127.0.0.1", "--port-offset", "20000", text=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    assert f"posthouse --home {home} serve" in done.stdout
    assert home.stat().st_mode & 0o077 == 0
    before = contents(home)
    assert_refused(run_posthouse(home, *INIT, text=PASSWORD + "\n"), 78, f"{home} exists already")
    assert contents(home) == before
    assert [path.name for path in home.parent.iterdir()] == ["home"]


BAD_INIT = [
    pytest.param(("--domain", "no domain"), 65, "'no domain' is not a domain", id="domain"),
    pytest.param(("--hostname", "-.-"), 65, "'-.-' is not a domain", id="hostname"),
    pytest.param(("--admin", "admin@elsewhere.example"), 65, "not in the domain", id="administrator elsewhere"),
    pytest.param(("--listen", "not-an-address"), 65, "not-an-address", id="address to listen on"),
    pytest.param(("--port-offset", "65000"), 65, "leads past 65535", id="port offset"),
    pytest.param(("--port-offset", "many"), 64, "'many' is not a valid integer", id="port offset that is no number"),
    pytest.param(("--password-file", "/nonexistent"), 66, "/nonexistent", id="password file"),
    pytest.param(("--frobnicate",), 64, "--frobnicate", id="option"),
]


@pytest.mark.parametrize(("words", "code", "said"), BAD_INIT)
def test_init_with_a_wrong_word_leaves_nothing(tmp_path, words, code, said):
    """A word that cannot be used is named, and no file is left behind."""
    assert_refused(run_posthouse(tmp_path / "home", *INIT, *words, text=PASSWORD + "\n"), code, said)
    assert list(tmp_path.iterdir()) == []


def test_init_with_a_short_password_leaves_nothing(tmp_path):
    """The last thing that can go wrong, the password, leaves nothing either."""
    assert_refused(run_posthouse(tmp_path / "home", *INIT, text="short\n"), 65, "8 are the least")
    assert list(tmp_path.iterdir()) == []


def test_init_where_one_may_not_write():
    """A place where nobody may make a folder is a missing right."""
    assert_refused(run_posthouse("/sys/posthouse", *INIT, text=PASSWORD + "\n"), 77, "/sys")


# ---- serve ------------------------------------------------------------------------------------------------------------


def test_serve_without_a_home(tmp_path):
    """A home that is not there is named, with what makes one."""
    assert_refused(run_posthouse(tmp_path / "none", "serve"), 78, "there is no such file", "posthouse init")


def test_a_second_server_on_one_home(house):
    """The second server says who serves, and the first one is not disturbed."""
    assert_refused(house.run("serve"), 69, f"process {house.process.pid}", "stop it first")
    assert house.run("status").returncode == 0


def test_a_taken_port(idle):
    """The listener and the address are named, and nothing of the server is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", idle.port(143)))
        taken.listen()
        assert_refused(idle.run("serve"), 69, "'imap'", f"127.0.0.1:{idle.port(143)}: the address is in use", "bind")
    with socket.socket() as other:
        other.bind(("127.0.0.1", idle.port(25)))


BAD_FILES = [
    pytest.param(r"^count = 1", "cuont = 1", ("workers.cuont", "is no key"), id="unknown key"),
    pytest.param(r"^count = 1", 'count = "two"', ("workers.count is 'two'", "a number from 0"), id="wrong type"),
    pytest.param(r'^format = "json"', 'format = "xml"', ("log.format is 'xml'", "json, console"), id="wrong word"),
    pytest.param(r"^\[tls\]", "[tls", ("is not TOML", "line "), id="not TOML"),
    pytest.param(r'^protocol = "pop3"', 'protocol = "pop4"', ("listener.protocol is 'pop4'",), id="wrong listener"),
    pytest.param(r'^hostname = ".*"', "", ("hostname is missing",), id="missing key"),
]


@pytest.mark.parametrize(("pattern", "replacement", "words"), BAD_FILES)
def test_a_mistake_in_the_file(idle, pattern, replacement, words):
    """File, line where it can be told, key and what is allowed are named."""
    idle.configure(pattern, replacement)
    done = idle.run("serve")
    assert_refused(done, 78, str(idle.home / "posthouse.toml"), *words)
    if replacement and "TOML" not in words[0]:
        lines = (idle.home / "posthouse.toml").read_text().splitlines()
        number = int(re.search(r"posthouse\.toml:(\d+)", done.stderr)[1])
        assert lines[number - 1] == replacement


def test_a_certificate_that_is_missing(idle):
    """The file of the certificate is named."""
    idle.certificate.unlink()
    assert_refused(idle.run("serve"), 78, str(idle.certificate))


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv to give up rights")
def test_a_missing_right(idle):
    """A home of somebody else cannot be used without root's rights, and the line says which file."""
    for path in [idle.home, *idle.home.rglob("*")]:
        shutil.chown(path, "nobody")
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    for words in (["serve"], ["account", "list"]):
        done = subprocess.run(
            [*without, sys.executable, "-m", "posthouse.cli", "--home", str(idle.home), *words],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert_refused(done, 77, str(idle.home))


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv to give up rights")
def test_a_port_that_needs_a_right(idle):
    """A low port without the right to it is a missing right, not a taken port."""
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 25:
        pytest.skip("every user may use low ports on this machine")
    idle.configure(rf"127\.0\.0\.1:{idle.port(25)}", "127.0.0.1:25")
    done = subprocess.run(
        ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", sys.executable, "-m",
         "posthouse.cli", "--home", str(idle.home), "serve"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert_refused(done, 77, "127.0.0.1:25: permission denied", "CAP_NET_BIND_SERVICE")


# ---- words ------------------------------------------------------------------------------------------------------------

WRONG_WORDS = [
    (("frobnicate",), 64, "No such command 'frobnicate'"),
    (("account", "frobnicate"), 64, "No such command"),
    (("account", "add"), 64, "Missing argument 'ADDRESS'"),
    (("account", "add", "no address"), 65, "'no address' is not an address"),
    (("account", "add", f"anna@{DOMAIN}"), 65, f"anna@{DOMAIN} exists already"),
    (("account", "add", "x@elsewhere.example"), 65, "posthouse domain add elsewhere.example"),
    (("account", "add", f"x@{DOMAIN}", "--quota", "much"), 65, "'much' is not a size"),
    (("account", "show", f"nobody@{DOMAIN}"), 65, f"there is no account nobody@{DOMAIN}"),
    (("account", "remove", f"anna@{DOMAIN}"), 64, "--yes"),
    (("account", "remove", f"nobody@{DOMAIN}", "--yes"), 65, "there is no account"),
    (("domain", "add", DOMAIN), 65, f"{DOMAIN} exists already"),
    (("domain", "add", "a b"), 65, "'a b' is not a domain"),
    (("domain", "add", "x.test", "--alias-of", "none.test"), 65, "none.test"),
    (("domain", "remove", DOMAIN, "--yes"), 65, DOMAIN),
    (("domain", "show", "none.test"), 65, "none.test"),
    (("alias", "add", f"all@{DOMAIN}"), 64, "Missing argument 'TARGETS...'"),
    (("alias", "add", f"all@{DOMAIN}", "nowhere"), 65, "'nowhere' is not an address"),
    (("alias", "add", f"anna@{DOMAIN}", f"ben@{DOMAIN}"), 65, "exists already"),
    (("alias", "add", f"loop@{DOMAIN}", f"loop@{DOMAIN}"), 65, "would lead to itself"),
    (("alias", "show", f"none@{DOMAIN}"), 65, "there is no alias"),
    (("route", "add", "far.test"), 64, "Missing option '--host'"),
    (("route", "add", "far.test", "--host", "h.test", "--port", "99999"), 65, "--port: "),
    (("route", "add", "far.test", "--host", "h.test", "--tls", "maybe"), 64, "'maybe'"),
    (("route", "add", "*", "--host", "h.test", "--recipients-local"), 65, "open relay"),
    (("route", "remove", "none.test", "--yes"), 65, "there is no route"),
    (("setting", "get", "smtp.mesage_size"), 65, "smtp.message_size"),
    (("setting", "set", "smtp.recipients", "1"), 65, "smtp.recipients"),
    (("setting", "set", "smtp.recipients", "many"), 65, "smtp.recipients"),
    (("setting", "set", "relay.networks", "10.0.0.0/99"), 65, "relay.networks"),
    (("setting", "set", "queue.retry_schedule", "soon"), 65, "queue.retry_schedule"),
    (("setting", "set", "smtp.recipients", "200", "--scope", f"domain:{DOMAIN}"), 65, "cannot be set for one domain"),
    (("setting", "set", "smtp.recipients", "200", "--scope", "planet:earth"), 65, "'planet:earth' is not a scope"),
    (("queue", "show", "!!"), 65, "queue id"),
    (("queue", "show", "1K0RD2HAZXC01"), 65, "is not in the queue"),
    (("queue", "retry"), 65, "--all"),
    (("queue", "remove", "1K0RD2HAZXC01", "--yes"), 65, "is not in the queue"),
    (("journey", "show", "1K0RD2HAZXC01"), 65, "nothing is known"),
    (("journey", "find", "--since", "yesterdayish"), 65, "yesterdayish"),
]


@pytest.mark.parametrize(("words", "code", "said"), [pytest.param(*row, id=" ".join(row[0])) for row in WRONG_WORDS])
def test_a_wrong_word_is_named(house, words, code, said):
    """What cannot be done is said in one line, with the word that is wrong, and nothing is changed."""
    assert_refused(house.run(*words, text=PASSWORD + "\n"), code, said)


@pytest.mark.parametrize(
    "words",
    [
        ("account", "list"), ("account", "show", f"anna@{DOMAIN}"), ("domain", "list"), ("domain", "show", DOMAIN),
        ("alias", "list"), ("route", "list"), ("setting", "list"), ("setting", "get", "smtp.recipients"),
        ("setting", "explain", "smtp.recipients"), ("queue", "list"), ("queue", "list", "--summary"),
        ("journey", "find"), ("status",), ("verify",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_json_is_one_object_a_line(house, words):
    """With --json every line is an object, and without it the same command says something for people."""
    rows = house.rows(*words)
    assert all(isinstance(row, dict) for row in rows)
    for row in rows:
        assert "password_hash" not in row
    assert house.run(*words).returncode == 0


def test_an_administrators_day(house):
    """Domains, accounts, aliases and routes are added, changed, shown and removed; mail follows at once."""
    house.say("domain", "add", "day.test", "--catch-all", f"anna@{DOMAIN}")
    house.say("account", "add", "dora@day.test", "--password-file", "-", "--quota", "1G", text=PASSWORD + "\n")
    house.say("alias", "add", "info@day.test", "dora@day.test")
    assert house.rows("account", "show", "dora@day.test")[0]["quota"] == 1 << 30
    with house.smtp() as client:
        client.sendmail("x@elsewhere.example", ["info@day.test", "whoever@day.test"], "Subject: day\r\n\r\n")
    until(lambda: house.rows("account", "show", "dora@day.test")[0]["messages"] == 1, "the mail of the alias")
    assert house.count("anna") == 1
    house.say("account", "set", "dora@day.test", "--disabled")
    house.say("domain", "set", "day.test", "--catch-all", "")

    def refused(recipient):
        with house.smtp() as client:
            client.ehlo()
            client.mail("x@elsewhere.example")
            return client.rcpt(recipient)[0]

    until(lambda: refused("whoever@day.test") == 550, "the catch-all to end", 2)
    assert refused("dora@day.test") >= 400
    for words in (
        ("alias", "remove", "info@day.test"),
        ("account", "remove", "dora@day.test", "--now"),
        ("domain", "remove", "day.test"),
    ):
        house.say(*words, "--yes")
    assert "day.test" not in house.say("domain", "list")
    assert house.run("verify").returncode == 0


def test_status_and_log_tail(house):
    """Status shows workers and sessions; log tail shows what happens while it happens."""
    with house.imap("anna"):
        (worker,) = house.rows("status")[0]["workers"]
        assert worker["sessions"] == {"imap": 1}
    command = [sys.executable, "-m", "posthouse.cli", "--home", str(house.home), "log", "tail", "--count", "1",
               "--event", "message.refused"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:

        def told():
            with house.smtp() as client:
                client.ehlo()
                client.mail("x@elsewhere.example")
                client.rcpt("someone@faraway.example")
            return tail.poll() is not None

        until(told, "log tail to end after one event")
        assert json.loads(tail.stdout.read())["event"] == "message.refused"
        assert tail.returncode == 0


def test_commands_where_nobody_serves(idle):
    """Status says so by its exit code; log tail says how to start; the rest works all the same."""
    assert idle.run("status").returncode == 69
    assert_refused(idle.run("log", "tail"), 69, "no server runs", "posthouse serve")
    assert idle.run("verify").stdout == "The store is sound.\n"
    assert idle.run("account", "list").returncode == 0


def test_quickstart_makes_a_home_and_says_how_to_connect(tmp_path):
    """Quickstart in an empty place serves, its hints work, and Ctrl-C ends it."""
    server = PosthouseServer(tmp_path / "home")
    command = [sys.executable, "-m", "posthouse.cli", "quickstart", "--home", str(server.home), "--port-offset",
               str(server.offset)]  # fmt: skip
    said = tmp_path / "said"
    with said.open("wb") as out, subprocess.Popen(command, stdout=out, stdin=subprocess.DEVNULL) as process:
        try:
            until(lambda: b"ready\n" in said.read_bytes() or process.poll() is not None, "quickstart to be ready", 30)
            text = said.read_text()
            assert f"IMAP       127.0.0.1 port {server.port(143)}" in text
            password = re.search(r"password: (\S+)", text)[1]
            with contextlib.closing(socket.create_connection(("127.0.0.1", server.port(143)), timeout=10)) as link:
                link.sendall(f"a LOGIN anna@{DOMAIN} {password}\r\nb LOGOUT\r\n".encode())
                answer = b"".join(iter(lambda: link.recv(4096), b""))
            assert b"a OK" in answer
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
