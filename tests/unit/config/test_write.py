"""The annotated posthouse.toml."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig, LogConfig, OutputConfig, parse_configuration
from posthouse.config.write import default_configuration, format_configuration

HOME = Path("/srv/mail")
PATH = HOME / "posthouse.toml"
DEFAULT = default_configuration(HOME, "mail.example.test")
CONFIGURATIONS = {
    "default": DEFAULT,
    "high ports": default_configuration(HOME, "h.test", listen=("127.0.0.1", "::1"), port_offset=20000, user="mail"),
    "none": Configuration(home=HOME, hostname="h.test", listeners=()),
    "several outputs": replace(
        DEFAULT,
        log=LogConfig(
            target="log/a",
            events=("!conversation",),
            outputs=(
                OutputConfig(target="journald", level="error"),
                OutputConfig(target="b", rotate_size=0, keep_days=7),
            ),
        ),
    ),
    "no output of its own": replace(DEFAULT, log=LogConfig(is_output=False, outputs=(OutputConfig(target="syslog"),))),
    "odd text": replace(
        DEFAULT,
        store_url='sqlite:///"quoted" \\ and \t tab é',
        log=LogConfig(format="console", target="stderr", level="debug"),
        workers=7,
        listeners=(
            ListenerConfig(name="u", protocol="lmtp", bind=(Bind("run/lmtp sock", -1),), listener_class="lmtp"),
        ),
    ),
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_what_is_written_is_read_back(configuration) -> None:
    """Loading the written file gives the same values."""
    assert parse_configuration(format_configuration(configuration), PATH) == configuration


def test_the_ports_of_a_new_home() -> None:
    """The offset of the contract puts every door where it says."""
    made = default_configuration(HOME, "h.test", listen=("127.0.0.1",), port_offset=20000)
    ports = {listener.name: [bind.port for bind in listener.bind] for listener in made.listeners}
    assert ports == {
        "mx": [20025],
        "submission": [20587],
        "submissions": [20465],
        "lmtp": [20024],
        "pop3": [20110],
        "pop3s": [20995],
        "imap": [20143],
        "imaps": [20993],
        "http": [20080],
        "https": [20443],
        "metrics": [29290],
    }


def test_lmtp_stays_on_this_machine() -> None:
    """LMTP trusts its peers, so a new home offers it on loopback only."""
    (lmtp,) = [listener for listener in DEFAULT.listeners if listener.protocol == "lmtp"]
    assert [str(bind) for bind in lmtp.bind] == ["127.0.0.1:24"]
