"""Signals and deaths: reload, drain, replacement of the code, a worker that is killed, a supervisor that is killed."""

import contextlib
import os
import pwd
import resource
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from posthouse.servers.tls import write_self_signed
from tests.support.server import DOMAIN, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("processes")]


@pytest.fixture
def house(tmp_path):
    """Return a server with two workers for this test alone."""
    with PosthouseServer(tmp_path / "home", people=("anna",)) as server:
        yield server


def greeted(house, base=25):
    """Return a raw connection that was greeted, with a file to read lines from."""
    link = socket.create_connection(("127.0.0.1", house.port(base)), timeout=15)
    lines = link.makefile("rb")
    assert lines.readline()
    return link, lines


def workers(house):
    """Return the process ids of the workers that answer."""
    return [worker["pid"] for worker in house.rows("status")[0]["workers"]]


def certificate_of(house, base=993):
    """Return the certificate that a listener shows, as PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", house.port(base)), timeout=10) as link,
        context.wrap_socket(link) as tls,
    ):
        return ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True))


def announced_size(house):
    """Return the SIZE that EHLO announces."""
    with house.smtp() as client:
        client.ehlo()
        return int(client.esmtp_features["size"])


PATHS = os.pathsep.join(path for path in sys.path if path.endswith(("src", "site-packages")))


def python_for_everybody():
    """Return a Python that the user ``nobody`` can run with our libraries; the tests skip where there is none."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    code = f"import os; os.setuid({pwd.getpwnam('nobody').pw_uid}); import sqlite3, posthouse.worker"
    for python in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([python, "-c", code], env={"PYTHONPATH": PATHS}, capture_output=True, check=False)
        if done.returncode == 0:
            return python
    pytest.skip("the user nobody can run no Python that has our libraries")


def test_root_becomes_the_user_of_the_server(tmp_path):
    """Started as root with ``user`` set every process is that user's, the home too, and SIGUSR2 works all the same."""
    server = PosthouseServer(tmp_path / "home", people=("anna",)).found()
    server.python = python_for_everybody()
    server.configure(r"^# user = .*$", 'user = "nobody"')
    for above in [tmp_path, *tmp_path.parents][:-2]:
        above.chmod(above.stat().st_mode | 0o011)
    with server.start(PYTHONPATH=PATHS):
        nobody = pwd.getpwnam("nobody").pw_uid
        for generation in (1, 2):
            until(lambda generation=generation: server.ready_count() == generation, "the server to be ready", 30)
            pids = until(lambda: (pids := workers(server)) and len(pids) == 2 and pids, "two workers")
            assert {Path(f"/proc/{pid}").stat().st_uid for pid in [server.process.pid, *pids]} == {nobody}
            with server.smtp() as client:
                client.sendmail("a@b.example", [f"anna@{DOMAIN}"], "Subject: x\r\n\r\nx\r\n")
            server.process.send_signal(signal.SIGUSR2)
        until(lambda: server.ready_count() == 3, "the server to be ready", 30)
        assert server.count("anna") == 2
        server.say("setting", "set", "smtp.recipients", "300")
        assert server.run("verify").returncode == 0
    assert server.exit_code == 0
    assert {path.stat().st_uid for path in [server.home, *server.home.rglob("*")]} == {nobody}


@pytest.mark.skipif(not shutil.which("prlimit"), reason="not installed: prlimit")
def test_a_server_uses_all_the_descriptors_it_may_have(tmp_path):
    """A low soft limit, as shells set it, is raised to the hard one, and more clients than that are served."""
    server = PosthouseServer(tmp_path / "home", people=(), workers=1).found()
    server.wrapper = ("prlimit", "--nofile=64:512")
    with server.start(), contextlib.ExitStack() as stack:
        for _ in range(100):
            link, lines = greeted(server, 143)
            stack.callback(link.close)
            stack.callback(lines.close)


def test_too_few_descriptors_are_no_end(tmp_path):
    """Clients beyond the last descriptor are turned away; when others leave the next ones are served."""
    server = PosthouseServer(tmp_path / "home", people=(), workers=1).found()
    with server.start():
        (pid,) = workers(server)
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(list(Path(f"/proc/{pid}/fd").iterdir())) + 5, hard))
        with contextlib.ExitStack() as stack:
            found = []
            for _ in range(20):
                link = stack.enter_context(socket.create_connection(("127.0.0.1", server.port(143)), timeout=5))
                with contextlib.suppress(ConnectionResetError):
                    found.append(link.recv(100)[:4])
            assert found.count(b"* OK") >= 3
            assert found.count(b"* OK") < 20
        until(lambda: server.run("status").returncode == 0, "the descriptors to be free")
        link, lines = greeted(server, 143)
        link.close()
        lines.close()


def test_a_setting_takes_effect_within_a_second(house):
    """A change made by the command line reaches every worker without a signal."""
    house.say("setting", "set", "smtp.message_size", "1MiB")
    time_of_change = time.monotonic()
    until(lambda: {announced_size(house) for _ in range(8)} == {1 << 20}, "every worker to announce the new size", 1.5)
    assert time.monotonic() - time_of_change < 1.5


def test_reload_swaps_the_certificate_and_reopens_the_log(house):
    """After SIGHUP new sessions get the new certificate, old ones go on, and the log is a new file."""
    kept, key = house.imap("anna"), house.home / "tls" / "key.pem"
    before = certificate_of(house)
    house.certificate.unlink()
    key.unlink()
    write_self_signed(house.certificate, key, f"mx.{DOMAIN}", time.time())
    assert certificate_of(house) == before
    log = house.home / "log" / "posthouse.log"
    log.rename(log.with_suffix(".1"))
    house.process.send_signal(signal.SIGHUP)
    after = house.certificate.read_text()
    until(lambda: {certificate_of(house) for _ in range(6)} == {after}, "the new certificate")
    until(log.exists, "the new log")
    assert kept.noop()[0] == "OK"
    kept.logout()
    with house.smtp(587) as client:
        client.starttls(context=house.tls())


def test_a_broken_certificate_leaves_the_old_one_in_use(house):
    """A reload that cannot read the certificate says so in the log and changes nothing."""
    before = certificate_of(house)
    house.certificate.write_text("this is no certificate\n")
    house.process.send_signal(signal.SIGHUP)
    until(lambda: house.events("tls.reload_failed"), "the event")
    assert certificate_of(house) == before


def test_sigterm_says_goodbye_on_every_door(house):
    """Clients that wait are told, the ports close, and the exit code is 0."""
    with contextlib.ExitStack() as stack:
        links = {}
        for base in (25, 24, 110, 143):
            link, lines = greeted(house, base)
            stack.callback(link.close)
            links[base] = stack.enter_context(lines)
        house.process.send_signal(signal.SIGTERM)
        said = {base: lines.readline() + lines.readline() for base, lines in links.items()}
    assert said[25].startswith(b"421 4.3.2")
    assert said[24].startswith(b"421 4.3.2")
    assert said[143].startswith(b"* BYE")
    assert said[110] == b"" or said[110].startswith(b"-ERR")
    assert house.stop() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", house.port(25)), timeout=5).close()


def test_sigterm_lets_a_message_come_to_its_end(house):
    """A message whose data is on its way when the server is told to stop is still taken, and is there afterwards."""
    link, lines = greeted(house)
    with link, lines:
        link.sendall(f"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<anna@{DOMAIN}>\r\nDATA\r\n".encode())
        while not lines.readline().startswith(b"354"):
            pass
        link.sendall(b"Subject: last\r\n\r\nhalf of it,")
        house.process.send_signal(signal.SIGTERM)
        until(lambda: house.events("server.draining"), "the server to drain")
        link.sendall(b" and the rest\r\n.\r\n")
        assert lines.readline().startswith(b"250 2.0.0")
    assert house.stop() == 0
    house.start()
    assert b"half of it, and the rest" in house.wait_for("anna", 1)[0]


class Caller(threading.Thread):
    """Connects and hands mail in, again and again; ``problems`` are connections that were not served."""

    def __init__(self, house):
        super().__init__(daemon=True)
        self.house = house
        self.problems = []
        self.accepted = 0
        self.told_to_wait = 0
        self.ends = threading.Event()

    def run(self):
        while not self.ends.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.house.port(25), timeout=20) as client:
                    client.sendmail("a@b.example", [f"anna@{DOMAIN}"], "Subject: x\r\n\r\nx\r\n")
                    self.accepted += 1
            except smtplib.SMTPResponseException as reply:
                self.told_to_wait += 1
                if reply.smtp_code != 421:
                    self.problems.append(repr(reply))
            except smtplib.SMTPRecipientsRefused as refused:
                self.told_to_wait += 1
                self.problems += [repr(refused) for code, _ in refused.recipients.values() if code != 421]
            except (smtplib.SMTPServerDisconnected, ConnectionResetError):
                self.told_to_wait += 1  # goodbye was said between two commands
            except OSError as error:
                self.problems.append(repr(error))


def test_sigusr2_replaces_the_code_without_a_refused_connection(house):
    """The process stays, the workers are new, nobody is refused a connection, and every message accepted is there."""
    pid, before = house.process.pid, set(workers(house))
    caller = Caller(house)
    caller.start()
    until(lambda: caller.accepted > 5, "mail before the change")
    for generation in (2, 3):
        house.process.send_signal(signal.SIGUSR2)
        until(lambda generation=generation: house.ready_count() == generation, "the new code to be ready", 30)
    served = caller.accepted
    until(lambda: caller.accepted > served + 5, "mail after the change")
    caller.ends.set()
    caller.join(30)
    assert caller.problems == []
    assert house.process.poll() is None
    assert house.process.pid == pid
    until(lambda: len(workers(house)) == 2, "two workers")
    assert before.isdisjoint(workers(house))
    assert caller.accepted <= house.count("anna") <= caller.accepted + caller.told_to_wait
    assert caller.told_to_wait <= 4  # one session for each worker that drained


def test_a_worker_that_is_killed_is_replaced(house):
    """SIGKILL to a worker: the other one serves on, a new one comes, and no connection waits for long."""
    victim, other = workers(house)
    os.kill(victim, signal.SIGKILL)
    for _ in range(10):
        with house.smtp() as client:
            client.sendmail("a@b.example", [f"anna@{DOMAIN}"], "Subject: x\r\n\r\nx\r\n")
    found = until(lambda: (pids := workers(house)) and len(pids) == 2 and pids, "a new worker")
    assert other in found
    assert victim not in found
    (ended,) = house.events("worker.ended")
    assert (ended["pid"], ended["code"]) == (victim, -signal.SIGKILL)
    house.wait_for("anna", 10)


def test_a_supervisor_that_is_killed_leaves_nothing_in_the_way(house):
    """SIGKILL to the supervisor: its workers go by themselves, and a new server serves within two seconds."""
    with house.smtp() as client:
        client.sendmail("a@b.example", [f"anna@{DOMAIN}"], "Subject: x\r\n\r\nx\r\n")
    pids = workers(house)
    house.stop(signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids), "the workers to end", 5)
    began = time.monotonic()
    house.start()
    seconds = time.monotonic() - began
    assert house.count("anna") == 1
    assert house.run("verify").returncode == 0
    assert seconds < 5  # two on a machine that has nothing else to do
