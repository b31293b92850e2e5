"""What is wrong with a configuration, said so that a person can mend it: what and where on one line, then the remedy.

Tests: ``tests/unit/config``.
"""

from __future__ import annotations

from posthouse.core.errors import Fault


class ConfigFault(Fault):
    """Something in ``posthouse.toml`` or in a setting cannot be used.

    Attributes:
        detail: one line: what is wrong, with the key and what would be allowed.
        place: file and, where known, line; ``""`` for a setting.
        remedy: what to do about it, one or more sentences.
        exit_code: for a command that ends because of it (EX_CONFIG of sysexits.h).
    """

    exit_code = 78

    def __init__(self, detail: str, *, place: str = "", key: str = "", remedy: str = "") -> None:
        super().__init__(detail, where=key)
        self.place = place
        self.key = key
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}" if self.place else self.detail


class SettingFault(ConfigFault):
    """A value does not fit its setting (EX_DATAERR); ``detail`` names the setting and what is allowed."""

    exit_code = 65
