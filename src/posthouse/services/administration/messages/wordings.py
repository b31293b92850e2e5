"""Which words a message of the server has for a reader: his language first, then the nearest scope that changed them.

For each language, the reader's own (``de-AT``, then ``de``), that of his domain, and English, in this order: the text
that his domain, its post office or the server changed, else ours. So a text changed in one language does not reach
those who read another. Texts that were changed are read anew when the directory's version moved.
Tests: ``tests/unit/services/administration/messages/test_wordings.py``.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from posthouse.config.definitions.account import LANGUAGE
from posthouse.config.settings import Settings
from posthouse.services.administration.messages.definitions import MESSAGES, Values
from posthouse.services.administration.messages.texts import FALLBACK, LANGUAGES, texts_in
from posthouse.store.contract import Store
from posthouse.store.directory_rows import WordingRow

DEFAULT: Final = "default"
_ENGINES: Final = tuple(f"{__package__}.{name}" for name in ("template", "compose"))


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a message; ``source`` is the scope that changed them, or ``default``."""

    subject: str
    text: str
    language: str
    source: str


async def prepare() -> None:
    """Load what fills in texts and makes messages of them, in a thread: it takes longer than others should wait."""
    for name in _ENGINES:
        if name not in sys.modules:
            await asyncio.to_thread(importlib.import_module, name)


def languages_for(settings: Settings, chosen: str, domain: str) -> tuple[str, ...]:
    """Return the languages to try for a reader, best first; each is followed by what it is a kind of."""
    found: dict[str, None] = {}
    for tag in (chosen, settings.get(LANGUAGE, domain=domain), FALLBACK):
        found.update(dict.fromkeys(_wider(tag.lower())))
    return tuple(found)


def _wider(tag: str) -> Iterator[str]:
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def scopes_for(domain: str, office: str) -> tuple[str, ...]:
    """Return the scopes whose changes hold in a domain, the nearest first."""
    found = [f"domain:{domain}"] if domain else []
    return (*found, *([f"office:{office}"] if office else []), "server")


class Wordings:
    """The words of one store's messages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = -1
        self._changed: dict[tuple[str, str, str], WordingRow] = {}

    async def find(self, name: str, languages: Sequence[str], scopes: Sequence[str]) -> list[Wording]:
        """Return the words to try for a message, best first; the last is our own. Raises Unavailable."""
        await self._read()
        found = []
        for language in languages:
            for scope in scopes:
                row = self._changed.get((scope, name, language))
                if row is not None:
                    found.append(Wording(row.subject, row.text, language, scope))
            if language in LANGUAGES:
                return [*found, Wording(*texts_in(language)[name], language, DEFAULT)]
        return found

    async def filled(
        self, name: str, languages: Sequence[str], scopes: Sequence[str], values: Values
    ) -> tuple[str, str, str]:
        """Return subject, text and language of a message, filled in. Raises Unavailable.

        Words that cannot be filled in, such as those that came with a snapshot of another version, are passed over.
        """
        await prepare()
        from posthouse.services.administration.messages.template import UNFILLABLE, fill

        assert values.keys() >= MESSAGES[name].samples.keys(), "every variable of a message has a value"
        for each in await self.find(name, languages, scopes):
            try:
                return (*fill(each.subject, each.text, values), each.language)
            except UNFILLABLE:
                continue
        raise AssertionError("our own words can be filled in")

    async def _read(self) -> None:
        version = await self._store.directory_version()
        if version != self._version:
            rows = await self._store.wordings()
            self._changed = {(row.scope, row.name, row.language.lower()): row for row in rows}
            self._version = version
