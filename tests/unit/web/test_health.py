"""What keeps a server from being ready, in words."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.config.definitions.metrics import READY_DISK_SPACE
from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.web import health
from posthouse.web.health import HealthParts, missing


class StubStore:
    """A store that answers, refuses, or hangs."""

    def __init__(self, how: str = "answers") -> None:
        self._how = how

    async def directory_version(self) -> int:
        if self._how == "refuses":
            raise Unavailable("locked", where="store")
        if self._how == "hangs":
            await asyncio.Event().wait()
        return 1


def parts(tmp_path, *, store="answers", draining=False, closed=(), mark=0) -> HealthParts:
    """Return what is looked at."""
    settings = Settings()
    settings._server[READY_DISK_SPACE.name] = mark
    return HealthParts(
        store=StubStore(store),
        settings=settings,
        home=tmp_path,
        is_draining=lambda: draining,
        closed_listeners=lambda: closed,
    )


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, []),
        ({"draining": True}, ["The server is stopping."]),
        ({"closed": ["mx"]}, ["The listener mx does not accept connections."]),
        ({"store": "refuses"}, ["The store does not answer."]),
        ({"store": "hangs"}, ["The store does not answer."]),
        ({"mark": 1 << 60}, ["The disk of the home has "]),
        ({"draining": True, "store": "refuses"}, ["The server is stopping.", "The store does not answer."]),
    ],
)
async def test_what_is_missing(tmp_path, monkeypatch, how, expected) -> None:
    """Each thing is a sentence of its own."""
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    found = await missing(parts(tmp_path, **how))
    assert len(found) == len(expected)
    assert all(one.startswith(other) for one, other in zip(found, expected, strict=True))


async def test_a_home_that_is_gone(tmp_path) -> None:
    """A disk that cannot be read is told as such."""
    assert await missing(parts(tmp_path / "gone")) == ["The disk of the home cannot be read."]
