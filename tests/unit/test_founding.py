"""A home is made whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from posthouse.config.file import load_configuration
from posthouse.config.home import Home
from posthouse.founding import Founding, found_home
from posthouse.servers.tls import read_certificate
from posthouse.services.administration.faults import Refused
from posthouse.toolbox import opened_toolbox

SECRET = b"correct horse"


def plan(**values) -> Founding:
    """Return a plan that differs in some values."""
    given = {"hostname": "Mail.Example.org", "domain": "Example.org", "admin": "boss", "password": SECRET}
    return Founding(**given | values)


async def test_a_home_has_all_that_a_server_needs(tmp_path) -> None:
    """Configuration, certificate, store with a domain and an administrator; nobody else may look in."""
    home = Home(tmp_path / "below" / "home")
    await found_home(
        home, plan(listen=("127.0.0.1",), port_offset=1000, people=(("anna@example.org", SECRET, "Anna"),))
    )
    configuration = load_configuration(home.file)
    assert configuration.hostname == "mail.example.org"
    assert {str(bind) for one in configuration.listeners for bind in one.bind} >= {"127.0.0.1:1025", "127.0.0.1:1993"}
    assert read_certificate(configuration.in_home(configuration.certificate)).names[0] == "mail.example.org"
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(configuration.in_home(configuration.key).stat().st_mode) == 0o600
    assert all(folder.is_dir() for folder in home.folders())
    async with opened_toolbox(home) as tools:
        assert [row.name for row in await tools.store.domains()] == ["example.org"]
        people = {row.address: row.is_admin for row in await tools.store.accounts()}
        assert people == {"boss@example.org": True, "anna@example.org": False}


async def test_an_empty_folder_may_become_a_home(tmp_path) -> None:
    """A mount point or a folder that a package made is as good as none."""
    (tmp_path / "home").mkdir()
    await found_home(Home(tmp_path / "home"), plan())
    assert (tmp_path / "home" / "posthouse.toml").exists()


async def test_a_home_that_exists_is_left_alone(tmp_path) -> None:
    """The exit code is that of a configuration, and no octet changes."""
    await found_home(Home(tmp_path / "home"), plan())
    before = (tmp_path / "home" / "posthouse.toml").read_bytes()
    with pytest.raises(Refused, match="exists already") as refused:
        await found_home(Home(tmp_path / "home"), plan(hostname="other.example.org"))
    assert refused.value.exit_code == os.EX_CONFIG
    assert (tmp_path / "home" / "posthouse.toml").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


REFUSALS = [
    pytest.param({"hostname": "no host"}, "is not a domain", id="hostname"),
    pytest.param({"domain": "no domain"}, "is not a domain", id="domain"),
    pytest.param({"admin": "boss@elsewhere.example"}, "is not in the domain", id="administrator elsewhere"),
    pytest.param({"admin": "a@@b"}, "is not an address", id="administrator"),
    pytest.param({"password": b"short"}, "8 are the least", id="password"),
    pytest.param({"port_offset": 60_000}, "leads past 65535", id="port offset"),
    pytest.param({"port_offset": -1}, "leads past 65535", id="negative offset"),
    pytest.param({"people": (("x@nowhere.example", SECRET, ""),)}, "there is no domain", id="people elsewhere"),
]


@pytest.mark.parametrize(("values", "words"), REFUSALS)
async def test_a_plan_that_fails_leaves_nothing(tmp_path, values, words) -> None:
    """Neither a home nor the folder in which it was being made."""
    with pytest.raises(Refused, match=words):
        await found_home(Home(tmp_path / "home"), plan(**values))
    assert list(tmp_path.iterdir()) == []


async def test_a_failure_at_the_end_leaves_nothing(tmp_path, monkeypatch) -> None:
    """Even what breaks when all is written takes the folder with it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("posthouse.founding.write_self_signed", full)
    with pytest.raises(OSError, match="No space"):
        await found_home(Home(tmp_path / "home"), plan())
    assert list(tmp_path.iterdir()) == []


async def test_a_place_where_nothing_may_be_made_is_refused(tmp_path) -> None:
    """The refusal names the folder, with the exit code for a missing right."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match=str(tmp_path / "file")) as refused:
        await found_home(Home(tmp_path / "file" / "home"), plan())
    assert refused.value.exit_code == os.EX_NOPERM
