"""Settings of how addresses are read."""

from __future__ import annotations

from typing import Any

from posthouse.config.setting import Setting

SETTINGS: tuple[Setting[Any], ...] = ()
