"""Settings with the post offices of domains, from a store."""

from __future__ import annotations

from typing import Any

from posthouse.config.definitions.address import EXTENSION_DELIMITER
from posthouse.core.ids import DomainId
from posthouse.services.identity.inheritance import read_settings
from posthouse.store.directory_rows import DomainRow, SettingRow


class StoreOfTwoRows:
    """A store with one domain in a post office, and one setting of that post office."""

    async def domains(self) -> list[Any]:
        return [DomainRow(DomainId(1), "acme.test", "", disabled=False, catch_all="", office="acme")]

    async def settings(self) -> list[SettingRow]:
        return [SettingRow("address.extension_delimiter", "office:acme", "-", "", 0.0)]


async def test_a_domain_inherits_from_its_post_office():
    """What is set for a post office holds in its domains, and nowhere else."""
    settings = await read_settings(StoreOfTwoRows())  # type: ignore[arg-type]
    assert settings.get(EXTENSION_DELIMITER, domain="acme.test") == "-"
    assert settings.get(EXTENSION_DELIMITER, domain="other.test") == "+"
