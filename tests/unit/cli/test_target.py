"""Where a command goes."""

from __future__ import annotations

import os

import click
import pytest

from posthouse.cli.target import There, Wish, checked_url, target_of
from posthouse.config.home import HOME_VARIABLE, Home
from posthouse.services.administration.faults import Refused


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """Nothing is said by the environment; a token lies in a file."""
    for name in ("POSTHOUSE_SERVER", "POSTHOUSE_TOKEN", "POSTHOUSE_TOKEN_FILE", "POSTHOUSE_CA", HOME_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "token").write_text("ph_file\n")


URL = "https://mail.example.org"


def test_the_command_line_decides_before_the_environment(monkeypatch, tmp_path) -> None:
    """A home that was named is on this machine; a server that was named is elsewhere."""
    monkeypatch.setenv("POSTHOUSE_SERVER", URL)
    monkeypatch.setenv("POSTHOUSE_TOKEN", "ph_variable")
    monkeypatch.setenv(HOME_VARIABLE, "/var/home")
    assert target_of(Wish()) == There(url=URL, token="ph_variable")
    assert isinstance(target_of(Wish(home="/x")), Home)
    other = target_of(Wish(server="https://other.example", token_file=str(tmp_path / "token"), ca="/ca"))
    assert other == There(url="https://other.example", token="ph_file", ca="/ca")
    monkeypatch.delenv("POSTHOUSE_SERVER")
    assert target_of(Wish()).path.as_posix() == "/var/home"


def test_a_token_file_may_come_from_the_environment(monkeypatch, tmp_path) -> None:
    """With the authorities to trust."""
    monkeypatch.setenv("POSTHOUSE_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("POSTHOUSE_CA", "/ca")
    assert target_of(Wish(server="mail.example.org")) == There(url=URL, token="ph_file", ca="/ca")


@pytest.mark.parametrize(
    "wish",
    [
        Wish(home="/x", server=URL),
        Wish(home="/x", remote="work"),
        Wish(server=URL, remote="work"),
        Wish(token_file="/x"),
    ],
    ids=["home and server", "home and remote", "server and remote", "token alone"],
)
def test_what_does_not_go_together_is_a_usage_error(wish) -> None:
    """It is said which."""
    with pytest.raises(click.UsageError):
        target_of(wish)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://mail.example.org", "in the clear"),
        ("ftp://mail.example.org", "not the address"),
        ("https://", "not the address"),
        ("https://ann:secret@mail.example.org", "a name or a password"),
    ],
)
def test_addresses_that_are_refused(url, said) -> None:
    """Above all where the token would go in the clear."""
    with pytest.raises(Refused, match=said) as refused:
        checked_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("mail.example.org", URL),
        ("https://mail.example.org/", URL),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_addresses_that_are_taken(url, meant) -> None:
    """Plain HTTP to this very machine alone."""
    assert checked_url(url) == meant


def test_a_missing_or_odd_token_is_refused(tmp_path) -> None:
    """With where one comes from; and no token is ever shown."""
    with pytest.raises(Refused, match="no token for") as refused:
        target_of(Wish(server=URL))
    assert refused.value.exit_code == os.EX_USAGE
    (tmp_path / "odd").write_bytes(b"a\x00b\n")
    with pytest.raises(Refused, match="holds no token"):
        target_of(Wish(server=URL, token_file=str(tmp_path / "odd")))
    with pytest.raises(Refused, match="cannot be read"):
        target_of(Wish(server=URL, token_file=str(tmp_path / "none")))
    assert "ph_file" not in repr(There(url=URL, token="ph_file"))


def test_inner_wishes_are_before_outer_ones() -> None:
    """``posthouse --home A account list --home B`` means B."""
    assert Wish(home="B").over(Wish(home="A", ca="C")) == Wish(home="B", ca="C")
