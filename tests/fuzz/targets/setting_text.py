"""any bytes give the value of a setting or a named fault, never another exception.

The first octet chooses the setting. A value that was read is printed and read again to the same value.
"""

from __future__ import annotations

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.faults import SettingFault

_ALL = tuple(DEFINITIONS.values())


def target(data: bytes) -> None:
    """Read the data as the value of a setting."""
    if not data:
        return
    setting = _ALL[data[0] % len(_ALL)]
    try:
        value = setting.parse(data[1:].decode("utf-8", "replace"))
    except SettingFault as fault:
        assert "\n" not in str(fault)
        return
    assert setting.parse(setting.format(value)) == value
