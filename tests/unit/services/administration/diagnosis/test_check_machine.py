"""Disk, clock, ports and configuration, on a machine that says what it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.services.administration.diagnosis.parts import PortFacts
from posthouse.store.directory_values import PutSetting
from tests.support.stores import StillClock
from tests.unit.services.administration.diagnosis.conftest import GIB, HOST, FakeMachine, seen

DISKS = [
    pytest.param("disk.space", {"free": 9 * GIB}, "ok", "room", id="room"),
    pytest.param("disk.space", {"free": 500 << 20}, "warning", "nearly full", id="little room"),
    pytest.param("disk.space", {"free": 1 << 20}, "error", "is full", id="no room"),
    pytest.param("disk.inodes", {"inodes_free": 900_000}, "ok", "there are", id="inodes"),
    pytest.param("disk.inodes", {"inodes_free": 9_000}, "warning", "few more", id="few inodes"),
    pytest.param("disk.inodes", {"inodes_free": 9}, "error", "no more files", id="no inodes"),
    pytest.param("disk.inodes", {"inodes": 0, "inodes_free": 0}, "ok", "does not count", id="inodes not counted"),
    pytest.param("disk.filesystem", {"kind": "xfs"}, "ok", "local", id="local"),
    pytest.param("disk.filesystem", {"kind": "nfs4"}, "warning", "network file system", id="network"),
    pytest.param("disk.filesystem", {"kind": "fuse.sshfs"}, "warning", "network file system", id="fuse"),
    pytest.param("disk.filesystem", {"kind": "tmpfs"}, "warning", "in memory", id="memory"),
    pytest.param("disk.filesystem", {"kind": "overlay"}, "notice", "container", id="container"),
]


@pytest.mark.parametrize(("check", "facts", "severity", "words"), DISKS)
async def test_the_disk_is_judged(look, check, facts, severity, words) -> None:
    """Room, inodes, and what kind of file system it is."""
    machine = FakeMachine()
    machine.facts = replace(machine.facts, **facts)
    ((found, what),) = seen(await look(check, machine=machine))
    assert found == severity
    assert words in what


async def test_the_clock_is_compared_with_what_the_store_has_seen(look, store) -> None:
    """A clock that is years off, or that went back, is an error."""
    assert seen(await look("clock.plausible", clock=StillClock(0.0)))[0][0] == "error"
    assert seen(await look("clock.plausible", store=store))[0][0] == "ok"
    await store.commit(PutSetting(name="smtp.recipients", value="5", at=1_770_000_500.0))
    ((severity, what),) = seen(await look("clock.plausible", store=store))
    assert (severity, "gone back" in what) == ("error", True)


@pytest.mark.parametrize(("state", "severity"), [(True, "ok"), (False, "notice"), (None, "ok")])
async def test_the_kernel_is_asked_about_the_clock(look, state, severity) -> None:
    """Nobody outside is."""
    assert seen(await look("clock.synchronised", machine=FakeMachine(synchronised=state)))[0][0] == severity


PORTS = [
    pytest.param(PortFacts("free"), "ok", "2 free", id="free"),
    pytest.param(PortFacts("taken", "in use", "exim4, process 7"), "error", "by another program (exim4, pro", id="named"),
    pytest.param(PortFacts("taken", "in use"), "error", "in use by another program", id="taken"),
    pytest.param(PortFacts("no-right", "denied"), "warning", "needs a right", id="no right"),
    pytest.param(PortFacts("no-address", "cannot"), "error", "no address of this machine", id="no address"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "severity", "words"), PORTS)
async def test_ports_are_judged_while_no_server_runs(look, facts, severity, words) -> None:
    """Each listener whose port is not there for it is named."""
    found = seen(await look("ports.listeners", machine=FakeMachine(ports=facts)))
    assert found[0][0] == severity
    assert words in found[0][1]


def configured(tmp_path, **more) -> Configuration:
    """Return a configuration."""
    return Configuration(**{"home": tmp_path, "hostname": HOST, "listeners": (), **more})


async def test_the_configuration_is_judged(look, tmp_path) -> None:
    """Listeners, user, passwords in the clear."""
    assert seen(await look("configuration.listeners", configuration=configured(tmp_path)))[0][0] == "error"
    listener = ListenerConfig(name="pop3", protocol="pop3", bind=(Bind("*", 110),), plaintext_auth="always")
    configuration = configured(tmp_path, listeners=(listener,), user="nobody-here")
    assert ("warning", "no listener takes mail from other servers") in seen(
        await look("configuration.listeners", configuration=configuration)
    )
    assert seen(await look("configuration.user", configuration=configuration)) == [
        ("error", "there is no user 'nobody-here'")
    ]
    assert seen(await look("configuration.plaintext", configuration=configuration))[0][0] == "warning"
    as_root = await look("configuration.user", configuration=configured(tmp_path), machine=FakeMachine(root=True))
    assert seen(as_root) == [("warning", "the server would keep running as root")]


MODES = [
    pytest.param(0o700, 0o644, [], id="private"),
    pytest.param(0o755, 0o600, ["warning"], id="others may look"),
    pytest.param(0o755, 0o644, ["warning", "warning"], id="and read the database"),
    pytest.param(0o777, 0o600, ["error"], id="others may write"),
    pytest.param(0o750, 0o600, [], id="the group may look"),
]


@pytest.mark.parametrize(("home_mode", "file_mode", "severities"), MODES)
async def test_the_permissions_of_the_home(look, tmp_path, home_mode, file_mode, severities) -> None:
    """What is in a private home need not be private itself."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "store.db").touch()
    (home / "store.db").chmod(file_mode)
    home.chmod(home_mode)
    found = await look("configuration.home", configuration=configured(home))
    assert [severity for severity, _ in seen(found)] == (severities or ["ok"])


async def test_settings_that_cannot_be_used(look, store) -> None:
    """Unknown names and bad values are named."""
    assert seen(await look("configuration.settings", store=store))[0][0] == "ok"
    await store.commit(PutSetting(name="no.such", value="1"))
    (finding,) = await look("configuration.settings", store=store)
    assert finding.severity.value == "error"
    assert "no.such" in finding.evidence
