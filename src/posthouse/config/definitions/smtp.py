"""Settings of the SMTP and LMTP doors."""

from __future__ import annotations

from typing import Any

from posthouse.config.setting import Setting

SETTINGS: tuple[Setting[Any], ...] = ()
