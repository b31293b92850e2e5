"""posthouse.toml: what it gives, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from posthouse.config.faults import ConfigFault
from posthouse.config.file import Bind, load_configuration, parse_bind, parse_configuration

PATH = Path("/home/mail/posthouse.toml")
GOOD = """
hostname = "Mail.Example.org"
user = "posthouse"

[store]
url = "sqlite:///s.db"

[workers]
count = 3

[log]
format = "postfix"
target = "stdout"
level = "debug"

[tls]
certificate = "/etc/c.pem"
key = "k.pem"

[[listener]]
name = "mx"
protocol = "smtp"
bind = ["0.0.0.0:25", "[::1]:25"]
tls = "starttls"
class = "mx"

[[listener]]
name = "local"
protocol = "lmtp"
bind = ["unix:run/lmtp"]
plaintext_auth = "never"
"""


def test_everything_is_read() -> None:
    """Each key reaches its value; defaults fill the rest."""
    configuration = parse_configuration(GOOD, PATH)
    assert configuration.hostname == "mail.example.org"
    assert configuration.home == Path("/home/mail")
    assert (configuration.user, configuration.store_url, configuration.workers) == ("posthouse", "sqlite:///s.db", 3)
    assert (configuration.log.format, configuration.log.target, configuration.log.level) == (
        "postfix",
        "stdout",
        "debug",
    )
    assert configuration.in_home(configuration.certificate) == Path("/etc/c.pem")
    assert configuration.in_home(configuration.key) == Path("/home/mail/k.pem")
    mx, local = configuration.listeners
    assert (mx.bind, mx.tls, mx.listener_class, mx.plaintext_auth) == (
        (Bind("0.0.0.0", 25), Bind("::1", 25)),
        "starttls",
        "mx",
        "loopback",
    )
    assert (local.bind, local.listener_class, local.tls) == ((Bind("run/lmtp", -1),), "lmtp", "off")
    assert local.bind[0].is_unix
    assert configuration.needs_tls


def test_the_least_there_can_be() -> None:
    """A host name is all that is needed."""
    configuration = parse_configuration('hostname = "h.test"', PATH)
    assert configuration.listeners == ()
    assert not configuration.needs_tls


LISTENER = '[[listener]]\nname = "a"\nprotocol = "imap"\nbind = ["127.0.0.1:1"]\n'
BAD = {
    "no host name": ("", "hostname is missing", 0),
    "no TOML": ("hostname = ", "is not TOML", 0),
    "deep": ("a = " + "[" * 5000, "is not TOML", 0),
    "unknown key": ('hostname = "h.test"\nhostnam = "x"', "hostnam is no key of this file", 2),
    "unknown key in a table": ('hostname = "h.test"\n[log]\n\nlevle = "x"', "log.levle is no key of this file", 4),
    "unknown table": ('hostname = "h.test"\n[logs]\nlevel = "info"', "logs.level is no key of this file", 3),
    "wrong type": ("hostname = 5", "hostname is 5; it takes a host name", 1),
    "no host": ('hostname = "a b"', "hostname is 'a b'", 1),
    "wrong word": ('hostname = "h.test"\n[log]\nlevel = "loud"', "log.level is 'loud'; it takes one of debug", 3),
    "output level": (
        'hostname = "h.test"\n[[log.output]]\ntarget = "a"\nlevel = "loud"',
        "log.output.level is 'loud'; it takes one of debug",
        4,
    ),
    "outputs that are none": ('hostname = "h.test"\n[log]\noutput = 5', "log.output is not a list of tables", 3),
    "log that is no table": ('hostname = "h.test"\nlog = 5', "log is 5; it takes a table", 2),
    "one file for two": (
        'hostname = "h.test"\n[log]\ntarget = "a"\n[[log.output]]\ntarget = "a"',
        "log.output.target 'a' is used twice",
        5,
    ),
    "syslog by name": (
        'hostname = "h.test"\n[log]\ntarget = "syslog:udp://log.test:514"',
        "log.target is 'syslog:udp://log.test:514'",
        3,
    ),
    "no events": ('hostname = "h.test"\n[log]\nevents = ["No Event"]', "log.events is ['No Event']", 3),
    "size": ('hostname = "h.test"\n[log]\nrotate_size = true', "log.rotate_size is True; it takes a size", 3),
    "files": ('hostname = "h.test"\n[log]\nkeep_files = -1', "log.keep_files is -1", 3),
    "flag": ('hostname = "h.test"\n[log]\ncompress = 1', "log.compress is 1; it takes true or false", 3),
    "metrics under TLS": (
        'hostname = "h.test"\n' + LISTENER.replace("imap", "metrics") + 'tls = "implicit"',
        "listener.tls is given; it takes off",
        6,
    ),
    "wrong count": ('hostname = "h.test"\n[workers]\ncount = true', "workers.count is True", 3),
    "negative count": ('hostname = "h.test"\n[workers]\ncount = -1', "workers.count is -1", 3),
    "not tables": ('hostname = "h.test"\nlistener = 5', "listener is not a list of tables", 2),
    "no name": ('hostname = "h.test"\n[[listener]]\nprotocol = "imap"', "listener.name is missing", 2),
    "bad port": (
        'hostname = "h.test"\n' + LISTENER.replace("127.0.0.1:1", "127.0.0.1:99999"),
        "listener.bind is ['127.0.0.1:99999']",
        5,
    ),
    "host name to bind": ('hostname = "h.test"\n' + LISTENER.replace("127.0.0.1", "mail.test"), "listener.bind is", 5),
    "empty bind": ('hostname = "h.test"\n' + LISTENER.replace('["127.0.0.1:1"]', "[]"), "listener.bind is []", 5),
    "same name": (
        'hostname = "h.test"\n' + LISTENER + LISTENER.replace(":1", ":2"),
        "listener.name 'a' is used twice",
        7,
    ),
    "same address": (
        'hostname = "h.test"\n' + LISTENER + LISTENER.replace('"a"', '"b"'),
        "listener.bind 127.0.0.1:1 is taken by the listener 'a'",
        9,
    ),
    "smtp without class": ('hostname = "h.test"\n' + LISTENER.replace("imap", "smtp"), "listener.class is missing", 2),
    "class for imap": ('hostname = "h.test"\n' + LISTENER + 'class = "mx"', "listener.class is given", 6),
    "unknown listener key": ('hostname = "h.test"\n' + LISTENER + "port = 5", "listener.port is no key", 6),
    "second listener": ('hostname = "h.test"\n' + LISTENER + "[[listener]]\nname = 5", "listener.name is 5", 7),
}


@pytest.mark.parametrize(("text", "words", "line"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_with_its_place(text, words, line) -> None:
    """One line: file, line where it can be told, key and what is allowed; then a remedy."""
    with pytest.raises(ConfigFault) as caught:
        parse_configuration(text, PATH)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert message.startswith(f"{PATH}:{line}: " if line else f"{PATH}: ")
    assert caught.value.remedy
    assert caught.value.exit_code == 78


def test_a_file_that_is_not_there(tmp_path) -> None:
    """The remedy says how to make one."""
    with pytest.raises(ConfigFault, match="no such file") as caught:
        load_configuration(tmp_path / "posthouse.toml")
    assert "posthouse init" in caught.value.remedy


def test_a_file_that_is_no_text(tmp_path) -> None:
    """Bytes that are no UTF-8 are a fault of the file."""
    path = tmp_path / "posthouse.toml"
    path.write_bytes(b'hostname = "\xff"')
    with pytest.raises(ConfigFault, match="not UTF-8"):
        load_configuration(path)
    with pytest.raises(ConfigFault, match="cannot be read"):
        load_configuration(tmp_path)


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("*:25", Bind("*", 25)),
        ("[::]:25", Bind("::", 25)),
        ("[2001:DB8::0]:0", Bind("2001:db8::", 0)),
        ("unix:/run/x", Bind("/run/x", -1)),
    ],
)
def test_addresses_to_bind(text, bind) -> None:
    """Each form of address is read, and written so that it is read again."""
    assert parse_bind(text) == bind
    assert parse_bind(str(bind)) == bind


@pytest.mark.parametrize(
    "text", ["", "25", ":25", "1.2.3.4", "1.2.3.4:", "::1:25", "[1.2.3.4]:5", "1.2.3.4:²", "unix:"]
)
def test_what_is_no_address(text) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError):
        parse_bind(text)
