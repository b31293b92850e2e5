"""The composition of one worker: every listener that a configuration may name gets its door."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.app import Composition
from posthouse.config.file import PROTOCOLS, Bind, Configuration, ListenerConfig
from posthouse.config.settings import Settings
from posthouse.servers.imap.door import ImapDoor
from posthouse.servers.listeners import listener_info
from posthouse.servers.pop3.door import Pop3Door
from posthouse.servers.smtp.door import SmtpDoor
from posthouse.servers.tls import write_self_signed
from posthouse.store.directory_values import PutSetting
from posthouse.telemetry.formats import open_telemetry
from posthouse.toolbox import SystemClock

DOORS = {"smtp": SmtpDoor, "lmtp": SmtpDoor, "pop3": Pop3Door, "imap": ImapDoor}


def listeners() -> tuple[ListenerConfig, ...]:
    """Return one listener for each protocol."""
    classes = {"smtp": "mx", "lmtp": "lmtp"}
    return tuple(
        ListenerConfig(
            name=name,
            protocol=name,
            bind=(Bind("127.0.0.1", 25 if name == "smtp" else 0),),
            tls="off" if name == "lmtp" else "starttls",
            listener_class=classes.get(name, ""),
        )
        for name in PROTOCOLS
    )


@pytest.fixture
async def composition(tmp_path, store) -> Composition:
    """Return a composition over an empty store."""
    (tmp_path / "home" / "tls").mkdir()
    configuration = Configuration(home=tmp_path / "home", hostname="mail.example.org", listeners=listeners())
    paths = configuration.in_home(configuration.certificate), configuration.in_home(configuration.key)
    write_self_signed(*paths, "mail.example.org", SystemClock.now())
    telemetry, writer = open_telemetry(SystemClock(), target=str(tmp_path / "log"))
    made = Composition(
        configuration=configuration,
        store=store,
        settings=Settings(),
        telemetry=telemetry,
        number=0,
        workers=1,
        lease_owner="worker-0.0",
    )
    yield made
    made.resolver.close()
    made.directory.close()
    writer.close()


@pytest.mark.parametrize(
    "protocol", [each for each in PROTOCOLS if each not in {"metrics", "http"}]
)  # the worker makes those
async def test_every_protocol_has_its_door(composition, protocol) -> None:
    """What posthouse.toml accepts is served; each connection gets a door of its own."""
    (listener,) = [one for one in listeners() if one.protocol == protocol]
    make = composition.door_factory(listener_info(listener))
    first, second = make(), make()
    assert type(first) is DOORS[protocol]
    assert first is not second


async def test_a_protocol_without_a_door_is_a_fault_of_ours(composition) -> None:
    """It is named."""
    listener = ListenerConfig(name="x", protocol="gopher", bind=())
    with pytest.raises(ValueError, match="gopher"):
        composition.door_factory(listener_info(listener))


async def test_settings_are_renewed_in_place(composition, store) -> None:
    """Whoever holds the settings sees the new value, and is told of rows that cannot be used."""
    from posthouse.config.definitions.queue import SOFT_BOUNCE

    await store.commit(
        PutSetting(name="queue.soft_bounce", value="yes", scope="server", by="", at=0.0),
        PutSetting(name="no.such", value="1", scope="server", by="", at=0.0),
    )
    problems = await composition.load_settings()
    assert composition.settings.get(SOFT_BOUNCE) is True
    assert [problem.partition(":")[0] for problem in problems] == ["no.such"]


async def test_a_bad_certificate_at_reload_leaves_the_old_one(composition, tmp_path) -> None:
    """The fault is raised for the log, and connections still get a context."""
    from posthouse.config.faults import ConfigFault

    before = composition.tls.server_context
    (tmp_path / "home" / "tls" / "certificate.pem").write_text("nothing")
    with pytest.raises(ConfigFault):
        composition.reload_tls()
    assert composition.tls.server_context is before
    assert asyncio.get_running_loop() is composition.context.loop
