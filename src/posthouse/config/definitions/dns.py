"""Settings of name look-ups."""

from __future__ import annotations

from typing import Any

from posthouse.config.setting import Setting

SETTINGS: tuple[Setting[Any], ...] = ()
