"""A whole house behind an SMTP door, for tests: real services, a directory in memory or any store, no socket needed.

``House`` composes what ``app`` composes for reception; ``Connection`` is a peer for ``testing.dialogue``. With a
``MemoryDirectory`` nothing ever waits, so it needs no event loop. Its users' tests are its tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.servers.door import DoorContext, ListenerInfo
from posthouse.servers.limits import ConnectionLimits
from posthouse.servers.smtp.door import SmtpDoor, SmtpServices, make_services
from posthouse.servers.sweep import Sweep
from posthouse.services.delivery.notice import NoticePlanner
from posthouse.services.delivery.report import Reporter
from posthouse.services.delivery.service import DeliveryParts, DeliveryService
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.passwords import Passwords
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.queue.handover import NoHandOver
from posthouse.services.reception.reception import Reception, ReceptionParts
from posthouse.services.routing.router import Router
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory
from posthouse.testing.telemetry import RecordingTelemetry

LISTENERS = {
    "mx": ListenerInfo(name="mx", protocol="smtp", tls="starttls", listener_class="mx"),
    "submission": ListenerInfo(name="submission", protocol="smtp", tls="starttls", listener_class="submission"),
    "submissions": ListenerInfo(name="submissions", protocol="smtp", tls="implicit", listener_class="submission"),
    "lmtp": ListenerInfo(name="lmtp", protocol="lmtp", listener_class="lmtp"),
}


class PlainPasswords(Passwords):
    """Compares as they are and never waits; the real ones are tested on their own."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock, b"k" * 32)

    async def verify(self, encoded: str, password: bytes, *, is_known: bool = False) -> bool:
        """Whether the stored text is the password."""
        return bool(encoded) and encoded.encode() == password

    def needs_rehash(self, encoded: str) -> bool:
        """Never."""
        return False


def fill(store: MemoryDirectory) -> None:
    """The people of the dialogues."""
    store.add_domain("house.test")
    store.add_domain("also.test", alias_of="house.test")
    store.add_account("ann@house.test", password_hash="secret", is_admin=True)
    store.add_account("bob@house.test", password_hash="bobs")
    store.add_account("off@house.test", disabled=True)
    full = store.add_account("full@house.test", quota=1_000)
    store.used[full.id] = 1_000
    small = store.add_account("small@house.test", quota=2_000)
    store.used[small.id] = 500
    store.add_alias("team@house.test", "ann@house.test", "out@far.test")
    store.add_alias("sales@house.test", "ann@house.test")
    store.add_alias("half@house.test", "ann@house.test", "nobody@house.test")
    store.add_route("gate.test", "10.0.0.1", recipients_local=True)


class House:
    """Everything behind a door.

    Args:
        store: what to use; a filled ``MemoryDirectory`` by default.
        settings: by name, as text.
    """

    def __init__(
        self,
        folder: Path,
        *,
        store: Any = None,
        settings: Mapping[str, str] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        tls: Any = None,
        hand_over: Any = None,
    ) -> None:
        if store is None:
            store = MemoryDirectory(folder)
            fill(store)
        self.store = store
        self.clock = FakeClock()
        self.settings = Settings(
            [SettingRow(name, "server", value, "", 0.0) for name, value in (settings or {}).items()]
        )
        self.telemetry = RecordingTelemetry()
        self.queue_ids = QueueIds(self.clock, 1)
        self.directory = Directory(store, self.clock, self.settings)
        self.router = Router(self.directory, self.settings)
        planner = NoticePlanner(self.router, self.queue_ids, self.settings, self.clock)
        self.delivery = DeliveryService(
            DeliveryParts(
                store=store,
                settings=self.settings,
                hand_over=hand_over or NoHandOver(),
                reporter=Reporter(planner, self.clock, "mail.house.test"),
                telemetry=self.telemetry,
            )
        )
        self.reception = Reception(
            ReceptionParts(
                hostname="mail.house.test",
                store=store,
                directory=self.directory,
                router=self.router,
                delivery=self.delivery,
                queue_ids=self.queue_ids,
                settings=self.settings,
                clock=self.clock,
                telemetry=self.telemetry,
            )
        )
        self.authenticator = Authenticator(
            self.directory, PlainPasswords(self.clock), store, self.settings, self.clock, sleep=_no_sleep
        )
        self.sweep = Sweep(self.clock)
        self._services: dict[str, SmtpServices] = {}
        self.context = DoorContext(
            loop=loop or cast("asyncio.AbstractEventLoop", _NoLoop()),
            clock=self.clock,
            settings=self.settings,
            telemetry=self.telemetry,
            limits=ConnectionLimits(self.settings),
            sweep=self.sweep,
            tls=tls,
            hostname="mail.house.test",
        )

    def door(self, listener: str = "mx") -> SmtpDoor:
        """Make a door that is not connected yet."""
        info = LISTENERS[listener]
        if listener not in self._services:
            self._services[listener] = make_services(info, self.reception, self.authenticator)
        return SmtpDoor(info, self.context, self._services[listener])

    def connect(self, listener: str = "mx", peer: str = "192.0.2.1") -> Connection:
        """Connect in memory."""
        return Connection(self.door(listener), peer)

    def deliveries(self) -> list[Any]:
        """Every Delivery that was committed."""
        return [change for changes in self.store.commits for change in changes if hasattr(change, "email")]


async def _no_sleep(_seconds: float) -> None:
    return


class _NoLoop:
    """Stands for the loop where nothing may wait."""

    def create_task(self, coroutine: Any) -> Any:
        coroutine.close()
        raise AssertionError("something waited, in a test without a loop")


class MemoryTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 40_000)})
        self.written = bytearray()
        self.closed = False
        self.paused = 0

    def write(self, data: Any) -> None:
        """Keep octets."""
        self.written += data

    def close(self) -> None:
        """Be closed."""
        self.closed = True

    def abort(self) -> None:
        """Be closed."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed

    def set_write_buffer_limits(self, high: Any = None, low: Any = None) -> None:
        """Have no limits."""

    def pause_reading(self) -> None:
        """Count."""
        self.paused += 1

    def resume_reading(self) -> None:
        """Count back."""
        self.paused -= 1


class Connection:
    """The peer's end: a ``testing.dialogue.Peer``."""

    def __init__(self, door: SmtpDoor, peer: str) -> None:
        self.door = door
        self.transport = MemoryTransport(peer)
        door.connection_made(self.transport)

    @property
    def closed(self) -> bool:
        """Whether the server ended the connection."""
        return self.transport.closed

    def feed(self, data: bytes) -> bytes:
        """Send bytes; return what came back."""
        if data and not self.closed:
            self.door.data_received(data)
        answer = bytes(self.transport.written)
        self.transport.written.clear()
        return answer

    def lose(self) -> None:
        """Cut the connection."""
        self.door.connection_lost(None)

    def talk(self, *lines: str) -> list[str]:
        """Send lines one by one; return the last line of each answer."""
        answers = []
        for line in lines:
            answer = self.feed(line.encode() + b"\r\n").decode()
            answers.append(answer.splitlines()[-1] if answer else "")
        return answers


def make_peer_factory(folder: Path) -> Any:
    """Return a peer factory for a dialogue: sessions of one run share one house.

    Config: ``class``, ``peer``, ``fail`` (unavailable | full | bug: what commits do), other keys are settings.
    """
    shared: list[House] = []

    def make(config: Mapping[str, str]) -> Connection:
        options = dict(config)
        listener, peer, fail = options.pop("class", "mx"), options.pop("peer", "192.0.2.1"), options.pop("fail", "")
        if not shared:
            shared.append(House(folder, settings=options))
        shared[0].store.failure = FAILURES[fail]
        return shared[0].connect(listener, peer)

    return make


FAILURES: dict[str, Exception | None] = {
    "": None,
    "unavailable": Unavailable("database locked"),
    "full": Unavailable("disk full", storage_short=True),
    "bug": RuntimeError("secret text"),
}
