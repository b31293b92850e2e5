"""Servers elsewhere, saved by a name."""

from __future__ import annotations

import os

import pytest

from posthouse.cli.remotes import read_remotes, remotes_file


@pytest.fixture(autouse=True)
def configuration(monkeypatch, tmp_path):
    """The user's configuration is in a folder of the test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def add(run, name="work", url="https://mail.example.org", *more, token="ph_secret\n"):
    """Save a server."""
    return run("remote", "add", name, url, "--token-file", "-", *more, text=token)


def test_a_server_is_saved_for_its_user_alone(run) -> None:
    """The token is in a file that nobody else may read, and is shown by no command."""
    assert add(run).code == 0
    file = remotes_file()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o077) == (0o600, 0)
    assert "ph_secret" in file.read_text()
    listed = run("remote", "list")
    assert ("work" in listed.out, "ph_secret" in listed.out) == (True, False)
    assert run("remote", "list", "--json").rows == [{"name": "work", "url": "https://mail.example.org", "ca": ""}]
    assert list(file.parent.iterdir()) == [file]


def test_a_name_is_replaced_only_with_a_yes(run) -> None:
    """And forgotten on request."""
    add(run)
    assert add(run, url="https://other.example").code == os.EX_DATAERR
    assert add(run, "work", "https://other.example", "--yes").code == 0
    assert read_remotes()["work"].url == "https://other.example"
    assert run("remote", "remove", "work").code == 0
    assert read_remotes() == {}
    assert run("remote", "remove", "work").code == os.EX_DATAERR


@pytest.mark.parametrize(
    ("name", "url", "token"),
    [
        ("a b", "https://mail.example.org", "t\n"),
        ("../x", "https://mail.example.org", "t\n"),
        ("work", "http://mail.example.org", "t\n"),
        ("work", "https://mail.example.org", "\n"),
    ],
    ids=["name", "path", "clear", "no token"],
)
def test_what_cannot_be_saved(run, name, url, token) -> None:
    """Nothing is written."""
    assert add(run, name, url, token=token).code != 0
    assert not remotes_file().exists()


def test_a_file_that_others_may_read_is_refused(run) -> None:
    """With what puts it right."""
    add(run)
    remotes_file().chmod(0o644)
    refused = run("--remote", "work", "domain", "list")
    assert (refused.code, "chmod 600" in refused.err) == (os.EX_NOPERM, True)


@pytest.mark.parametrize("text", ["not toml", "[work]\nurl = 3", '[work]\nurl = "https://a"\nodd = 1', "\xff"])
def test_a_broken_file_is_one_line(run, text) -> None:
    """Never a traceback."""
    add(run)
    remotes_file().write_bytes(text.encode("latin-1"))
    refused = run("--remote", "work", "domain", "list")
    assert (refused.code, len(refused.err.splitlines())) == (os.EX_CONFIG, 2)


def test_a_name_that_nobody_saved(run) -> None:
    """Where to see those there are."""
    refused = run("--remote", "none", "domain", "list")
    assert (refused.code, "posthouse remote list" in refused.err) == (os.EX_DATAERR, True)


def test_what_is_of_this_machine_does_not_go_elsewhere(run) -> None:
    """Serve, init, log and the like say so."""
    add(run)
    refused = run("--remote", "work", "serve")
    assert (refused.code, "on the machine itself" in refused.err) == (os.EX_USAGE, True)
