"""Parts for diagnosis without a machine: names from tables, a clock that stands, a machine that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.config.settings import Settings
from posthouse.services.administration.diagnosis.catalogue import CHECKS
from posthouse.services.administration.diagnosis.examination import Examination, Selection
from posthouse.services.administration.diagnosis.findings import Finding
from posthouse.services.administration.diagnosis.parts import DiagnosisParts, DiskFacts, PortFacts
from posthouse.services.administration.diagnosis.policy import PolicyFault
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.resolver import FakeResolver
from tests.support.stores import StillClock, make_store

HOST = "mail.house.org"
GIB = 1 << 30


@dataclass
class FakeMachine:
    """A machine that says what it is told."""

    facts: DiskFacts = field(
        default_factory=lambda: DiskFacts(
            mount="/", kind="ext4", free=9 * GIB, size=10 * GIB, inodes_free=900_000, inodes=1_000_000
        )
    )
    ports: PortFacts = field(default_factory=lambda: PortFacts("free"))
    synchronised: bool | None = True
    root: bool = False
    users: tuple[str, ...] = ("posthouse",)

    def is_root(self) -> bool:
        """Whether we run as root."""
        return self.root

    def has_user(self, name: str) -> bool:
        """Whether there is a user of that name."""
        return name in self.users

    def disk(self, path: Path) -> DiskFacts:
        """Return what was told."""
        return self.facts

    def port(self, bind: Bind) -> PortFacts:
        """Return what was told."""
        return self.ports

    def clock_is_synchronised(self) -> bool | None:
        """Return what was told."""
        return self.synchronised

    def processors(self) -> int:
        """Return two."""
        return 2


LISTENERS = (
    ListenerConfig(name="mx", protocol="smtp", bind=(Bind("192.0.2.1", 25),), tls="starttls", listener_class="mx"),
    ListenerConfig(name="imaps", protocol="imap", bind=(Bind("*", 993),), tls="implicit"),
)


@pytest.fixture
async def store(tmp_path):
    """Return an open store in a home that is private."""
    tmp_path.chmod(0o700)
    async with make_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def make_parts(tmp_path) -> Callable[..., DiagnosisParts]:
    """Return what makes parts: ``settings`` by name, ``policy`` the text of the MTA-STS policy, what else replaces."""

    def make(*, settings: dict[str, str] | None = None, policy: str | None = None, **more: Any) -> DiagnosisParts:
        async def workers() -> Sequence[dict[str, Any]]:
            return []

        async def fetch(domain: str) -> str:
            if policy is None:
                raise PolicyFault(f"mta-sts.{domain} has no address")
            return policy

        assert set(settings or {}) <= set(DEFINITIONS)
        rows = [SettingRow(name, "server", value, "", 0.0) for name, value in (settings or {}).items()]
        resolver = more.pop("resolver", FakeResolver())
        given: dict[str, Any] = {
            "configuration": Configuration(home=tmp_path, hostname=HOST, listeners=LISTENERS, user="posthouse"),
            "store": None,
            "settings": Settings(rows),
            "clock": StillClock(1_770_000_000.0),
            "machine": FakeMachine(),
            "resolver": resolver,
            "courier_resolver": resolver,
            "workers": workers,
            "policy": fetch,
            "name_servers": ("192.0.2.53:53",),
        }
        return DiagnosisParts(**{**given, **more})

    return make


@pytest.fixture
def look(make_parts) -> Callable[..., Any]:
    """Return what runs one check by its id and gives its findings."""

    async def run(name: str, domain: str = "", *, selection: Selection | None = None, **more: Any) -> list[Finding]:
        (check,) = [check for check in CHECKS if check.id == name]
        examination = Examination(make_parts(**more), selection or Selection())
        try:
            return list(await check.look(examination, domain))
        finally:
            examination.close()

    return run


def seen(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Return severities with what was found."""
    return [(each.severity.value, f"{each.subject}: {each.what}" if each.subject else each.what) for each in findings]
