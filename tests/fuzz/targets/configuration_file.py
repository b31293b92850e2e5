"""any bytes give a configuration or a named fault with its place and remedy, never another exception.

A configuration that was read is written as an annotated file and read again to the same values.
"""

from __future__ import annotations

from pathlib import Path

from posthouse.config.faults import ConfigFault
from posthouse.config.file import parse_configuration
from posthouse.config.write import format_configuration

_PATH = Path("/home/of/mail/posthouse.toml")


def target(data: bytes) -> None:
    """Read the data as ``posthouse.toml``."""
    try:
        found = parse_configuration(data.decode("utf-8", "replace"), _PATH)
    except ConfigFault as fault:
        assert "\n" not in str(fault)
        assert fault.place
        assert fault.remedy
        return
    assert parse_configuration(format_configuration(found), _PATH) == found
