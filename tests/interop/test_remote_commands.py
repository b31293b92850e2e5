"""Commands on a server elsewhere: a real server, its API over TLS, and the command line as another machine has it.

The home of the command line is a folder that is not there, so that nothing can be done by the way.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.support.server import DOMAIN, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("remote commands")]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server, with a token and a user's configuration beside it."""
    folder = tmp_path_factory.mktemp("remote")
    with PosthouseServer(folder / "home", workers=2) as server:
        (made,) = server.rows("token", "add", "tests")
        (folder / "token").write_text(made["token"] + "\n")
        yield server


@pytest.fixture
def there(house):
    """Return what runs a command of another machine."""
    folder = house.home.parent
    words = ("--server", f"https://localhost:{house.port(443)}", "--token-file", str(folder / "token"))

    def run(*more: str, text: str = "", target=(*words, "--ca", str(house.certificate))):
        return subprocess.run(
            [sys.executable, "-m", "posthouse.cli", *target, *more], input=text, capture_output=True, text=True,
            env=os.environ | {"POSTHOUSE_HOME": "/nonexistent", "XDG_CONFIG_HOME": str(folder / "config")},
            timeout=60, check=False,
        )  # fmt: skip

    run.without_authority = words
    return run


def rows(done):
    """Return the JSON lines of a command that went well."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_people_are_administered_from_elsewhere(there, house):
    """Add, show, change, remove: what is done there is seen on the machine."""
    address = f"zoe@{DOMAIN}"
    assert there("account", "add", address, "--password-file", "-", text="a phrase for zoe\n").returncode == 0
    assert house.rows("account", "show", address)[0]["has_password"] is True
    (shown,) = rows(there("account", "show", address, "--json"))
    assert shown == house.rows("account", "show", address)[0]
    stale = there("account", "set", address, "--name", "Zoe", "--if-revision", "1")
    assert (stale.returncode, "somebody has changed it" in stale.stderr) == (os.EX_TEMPFAIL, True)
    there("account", "set", address, "--name", "Zoe", "--dry-run")
    assert house.rows("account", "show", address)[0]["name"] == ""
    assert there("account", "remove", address).returncode == os.EX_USAGE
    assert there("account", "remove", address, "--now", "--yes").returncode == 0
    missing = there("account", "show", address)
    assert missing.returncode == os.EX_DATAERR
    assert missing.stderr.splitlines() == house.run("account", "show", address).stderr.splitlines()


def test_lists_read_the_same(there, house):
    """Here and there."""
    for words in (("account", "list"), ("domain", "list"), ("setting", "list"), ("queue", "list"), ("job", "list")):
        assert there(*words).stdout == house.say(*words)


def test_long_work_is_a_job_that_is_waited_for(there, house, tmp_path):
    """An import and a verification; the job is there afterwards."""
    (tmp_path / "people.csv").write_text(f"j1@{DOMAIN},phrase number one,1G\nj2@{DOMAIN},phrase number two,1G\n")
    assert "What would become of" in there("import", "csv", str(tmp_path / "people.csv"), "--dry-run").stdout
    (report,) = rows(there("import", "csv", str(tmp_path / "people.csv"), "--clear", "quick", "--json"))
    assert report["counts"]["accounts"] == {"made": 2}
    assert "j2@" in house.say("account", "list")
    assert there("verify").stdout == "The store is sound.\n"
    assert {job["operation"] for job in rows(there("job", "list", "--json"))} >= {"import.csv", "verify"}


def test_files_come_and_go(there, house, tmp_path):
    """A snapshot is the same from either side, and changes nothing where it came from."""
    file = tmp_path / "s.toml"
    assert there("snapshot", "--output", str(file)).returncode == 0
    assert f'name = "{DOMAIN}"' in file.read_text() or DOMAIN in file.read_text()
    assert there("apply", str(file), "--yes").stdout.endswith(" 0 changed\n")


@contextlib.contextmanager
def ending(process):
    """Kill a process at the end, whatever came before."""
    try:
        yield
    finally:
        process.kill()


def test_events_are_followed_until_ctrl_c(there, house):
    """A line for each, as they happen."""
    command = [sys.executable, "-m", "posthouse.cli", *there.without_authority, "--ca", str(house.certificate),
               "event", "follow", "--event", "door."]  # fmt: skip
    # A shell's background jobs ignore SIGINT, and what they start inherits that; a terminal's do not.
    heeded = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heeded) as tail,  # noqa: PLW1509  (the test has no threads)
        ending(tail),
    ):
        os.set_blocking(tail.stdout.fileno(), False)

        def seen():
            house.smtp().quit()
            return tail.stdout.read() or b""

        assert b"door.closed" in until(seen, "an event")
        tail.send_signal(signal.SIGINT)
        assert (tail.wait(20), tail.stderr.read()) == (0, b"")


def test_a_saved_server_is_reached_by_its_name(there, house):
    """Before or after the noun."""
    saved = there(
        "remote", "add", "box", f"https://localhost:{house.port(443)}", "--token-file", str(house.home.parent / "token"),
        "--ca", str(house.certificate), target=(),
    )  # fmt: skip
    assert saved.returncode == 0, saved.stderr
    assert there("--remote", "box", "domain", "list", target=()).stdout == house.say("domain", "list")
    assert there("domain", "list", "--remote", "box", target=()).stdout == house.say("domain", "list")


def test_a_certificate_of_nobody_is_not_trusted(there):
    """The token is not sent, and how to trust it is said."""
    refused = there("domain", "list", target=there.without_authority)
    assert (refused.returncode, "--ca FILE" in refused.stderr) == (os.EX_UNAVAILABLE, True)


def test_a_token_may_do_what_its_scopes_say(there, house, tmp_path):
    """And nothing any more when it is revoked."""
    (made,) = house.rows("token", "add", "watch", "--scopes", "queue:read")
    (tmp_path / "token").write_text(made["token"] + "\n")
    target = ("--server", f"https://localhost:{house.port(443)}", "--token-file", str(tmp_path / "token"),
              "--ca", str(house.certificate))  # fmt: skip
    assert there("queue", "list", target=target).returncode == 0
    refused = there("account", "list", target=target)
    assert (refused.returncode, "may not read account" in refused.stderr) == (os.EX_NOPERM, True)
    house.say("token", "revoke", made["id"], "--yes")
    until(lambda: there("queue", "list", target=target).returncode == os.EX_NOPERM, "the token to end")


def test_what_is_of_the_machine_itself_stays_there(there):
    """Serve, log and the like say so."""
    for words in (("serve",), ("log", "tail"), ("store", "info")):
        refused = there(*words)
        assert (refused.returncode, "on the machine itself" in refused.stderr) == (os.EX_USAGE, True)
