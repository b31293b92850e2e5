"""Settings as an administrator reads and changes them, on the real store."""

from __future__ import annotations

import pytest

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.settings import SettingAdministration
from posthouse.store.directory_values import PutAccount, PutDomain


@pytest.fixture
async def settings(store, store_clock) -> SettingAdministration:
    """Return the settings of a store with one domain and one account."""
    await store.commit(PutDomain(name="example.org"))
    await store.commit(PutAccount(address="anna@example.org"))
    return SettingAdministration(store, store_clock)


async def test_a_setting_is_set_read_and_taken_back(settings) -> None:
    """Set and unset give the value in force and the scope that decided."""
    assert (await settings.set("smtp.message_size", "10M")).value == "10 MiB"
    definition, found = await settings.explain("smtp.message_size")
    assert (definition.name, found.value, found.source) == ("smtp.message_size", "10 MiB", "server")
    assert (await settings.unset("smtp.message_size")).source == "default"


async def test_a_narrow_scope_inherits_from_the_wider(settings) -> None:
    """A domain inherits from the server until it has a value of its own."""
    await settings.set("smtp.sender_must_own", "no")
    assert (await settings.explain("smtp.sender_must_own", "domain:example.org"))[1].source == "server"
    await settings.set("smtp.sender_must_own", "yes", "domain:Example.ORG")
    found = (await settings.explain("smtp.sender_must_own", "domain:example.org"))[1]
    assert (found.value, found.source) == ("yes", "domain:example.org")
    assert (await settings.explain("smtp.sender_must_own"))[1].value == "no"


async def test_all_settings_are_listed(settings) -> None:
    """In order of name, with what was changed marked."""
    await settings.set("queue.soft_bounce", "yes")
    rows = await settings.list()
    assert [row.name for row in rows] == sorted(row.name for row in rows)
    assert [row.name for row in rows if row.source != "default"] == ["queue.soft_bounce"]


REFUSALS = [
    pytest.param("smtp.mesage_size", "1", "server", "there is no setting", id="unknown"),
    pytest.param("smtp.message_size", "3", "server", "64 KiB", id="out of range"),
    pytest.param("smtp.message_size", "1M", "domain:example.org", "cannot be set for one domain", id="scope"),
    pytest.param("smtp.sender_must_own", "no", "domain:nowhere.example", "there is no domain", id="no domain"),
    pytest.param("smtp.sender_must_own", "no", "example.org", "is not a scope", id="no scope"),
    pytest.param("smtp.sender_must_own", "no", "server:x", "is not a scope", id="server has no name"),
    pytest.param("relay.networks", "0.0.0.0/0", "server", "open relay", id="open relay"),
    pytest.param("relay.networks", "0.0.0.0/1, 128.0.0.0/1", "server", "open relay", id="open relay in halves"),
    pytest.param("relay.networks", "192.0.2.0/24, mail.example", "server", "'mail.example'", id="no network"),
]


@pytest.mark.parametrize(("name", "value", "scope", "words"), REFUSALS)
async def test_what_cannot_be_set_is_refused(settings, name, value, scope, words) -> None:
    """Each refusal names what is wrong and has a remedy; nothing is stored."""
    with pytest.raises(Refused, match=words):
        await settings.set(name, value, scope)
    assert all(row.source == "default" for row in await settings.list())


async def test_a_misspelt_name_gets_a_hint(settings) -> None:
    """The remedy names the settings that are spelt like it."""
    with pytest.raises(Refused) as refused:
        await settings.explain("smtp.mesage_size")
    assert "smtp.message_size" in refused.value.remedy


async def test_an_open_relay_can_be_forced(settings) -> None:
    """Whoever says so twice gets it, but a word that is no network is refused even then."""
    assert (await settings.set("relay.networks", "0.0.0.0/0", forced=True)).value == "0.0.0.0/0"
    with pytest.raises(Refused, match="neither"):
        await settings.set("relay.networks", "everybody", forced=True)
