"""The words of every server message, a file for each language; what is not in a language is said in English.

Each file has ``TEXTS``: name of the message -> subject and text. Most end with the name of the post office, which is
added here. Tests: ``tests/unit/services/administration/messages/test_texts.py``.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
FALLBACK: Final = "en"
SIGNATURE: Final = "\n-- \n{{ title }}\n"
_UNSIGNED: Final = frozenset({"daily-summary", "delivery-confirmed", "delivery-delayed", "delivery-failed", "notice"})


@functools.lru_cache(maxsize=len(LANGUAGES))
def texts_in(language: str) -> Mapping[str, tuple[str, str]]:
    """Return the subject and text of each message in one of ``LANGUAGES``."""
    module = importlib.import_module(f"{__name__}.{language}")
    return {
        name: (subject, text if name in _UNSIGNED else text + SIGNATURE)
        for name, (subject, text) in module.TEXTS.items()
    }
