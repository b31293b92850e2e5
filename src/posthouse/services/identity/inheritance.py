"""Settings as the store holds them, with the post office of each domain, through which they inherit.

Tests: ``tests/unit/services/identity/test_inheritance.py``.
"""

from __future__ import annotations

from posthouse.config.settings import Settings
from posthouse.store.contract import Store


async def load_settings(store: Store, settings: Settings) -> list[str]:
    """Renew settings in place; return what could not be used, one line each. Raises Unavailable."""
    offices = {row.name: row.office for row in await store.domains() if row.office}
    return settings.load(await store.settings(), offices)


async def read_settings(store: Store) -> Settings:
    """Return the settings in force. Raises Unavailable."""
    settings = Settings()
    await load_settings(store, settings)
    return settings
