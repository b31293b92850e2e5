"""A whole IMAP server on a loopback socket with the real store, for the tests in this folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from posthouse.config.settings import Settings
from posthouse.core.ids import AccountId
from posthouse.servers.door import DoorContext, ListenerInfo
from posthouse.servers.imap.conversation import ImapServices, imap_services
from posthouse.servers.imap.door import ImapDoor
from posthouse.servers.limits import ConnectionLimits
from posthouse.servers.sweep import Sweep
from posthouse.servers.tls import TlsContexts, make_self_signed
from posthouse.services.identity.authentication import NOT_SHARED, SIGNED_IN, WRONG, SignIn
from posthouse.store.directory_values import PutAccount, PutDomain
from posthouse.store.open import open_store
from posthouse.testing.telemetry import RecordingTelemetry


class RealClock:
    """The machine's clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class OneSecret:
    """Signs in whoever exists and says ``secret``."""

    def __init__(self, store):
        self._store = store

    async def verify(self, offer, client, *, protocol):
        account = await self._store.account(offer.login)
        if account is None or offer.password != "secret":
            return SignIn(WRONG)
        if offer.authzid and offer.authzid != offer.login:
            return SignIn(NOT_SHARED)
        return SignIn(SIGNED_IN, account, account)


class BytewiseDoor(ImapDoor):
    """Receives one byte at a time, whatever the kernel hands over."""

    def data_received(self, data: bytes) -> None:
        for place in range(len(data)):
            super().data_received(data[place : place + 1])


class House:
    """A store with the account ann@example.test and doors to it."""

    services: ImapServices
    account: AccountId

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = RealClock()
        self.settings = Settings()
        self.telemetry = RecordingTelemetry()
        self.store = open_store("sqlite:///store.db", worker=0, home=home, clock=self.clock)

    async def open(self) -> None:
        await self.store.open()
        await self.store.commit(PutDomain(name="example.test"))
        self.account = await self.store.commit(PutAccount(address="ann@example.test"))
        self.services = imap_services(self.store, self.clock, self.settings, OneSecret(self.store))
        self.context = DoorContext(
            loop=asyncio.get_running_loop(),
            clock=self.clock,
            settings=self.settings,
            telemetry=self.telemetry,
            limits=ConnectionLimits(self.settings),
            sweep=Sweep(self.clock),
        )

    async def close(self) -> None:
        self.services.watch.close()
        await self.store.close()

    async def serve(self, config: Mapping[str, str]) -> asyncio.Server:
        if "quota" in config:
            change = PutAccount(address="ann@example.test", quota_bytes=int(config["quota"]), must_be_new=False)
            await self.store.commit(change)
        door = BytewiseDoor if config.get("bytewise") else ImapDoor
        tls = config.get("tls", "off")
        if tls != "off":
            certificate, key = make_self_signed("mail.example.test", now=self.clock.now())
            (self.home / "cert.pem").write_bytes(certificate)
            (self.home / "key.pem").write_bytes(key)
            self.context.tls = TlsContexts(self.home / "cert.pem", self.home / "key.pem", self.settings)
        policy = config.get("plaintext", "loopback")
        listener = ListenerInfo(name="test", protocol="imap", tls=tls, plaintext_auth=policy)
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: door(listener, self.context, self.services), "127.0.0.1", 0)


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    """An open house."""
    made = House(tmp_path)
    await made.open()
    yield made
    await made.close()
