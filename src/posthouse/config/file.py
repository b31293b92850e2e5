"""``posthouse.toml``: what is needed before the store can be opened, as typed values.

The keys are listed in ``FILE_KEYS`` with their explanations, from which the annotated file and the manual are made.
Whatever is wrong raises ConfigFault with one line that names file, line (where it can be told), key and what is
allowed. Loading reads one file; it opens no socket and looks nothing up. Relative paths are below the home.

Tests: ``tests/unit/config/test_file.py``.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from posthouse.config.faults import ConfigFault
from posthouse.config.setting import parse_size
from posthouse.core.address import fold_domain
from posthouse.core.errors import SyntaxFault

FILE_NAME: Final = "posthouse.toml"
PROTOCOLS: Final = ("smtp", "lmtp", "pop3", "imap", "metrics", "http")
TLS_MODES: Final = ("off", "starttls", "implicit")
CLASSES: Final = ("mx", "submission", "lmtp")
STORE_UPGRADES: Final = ("auto", "ask")
PLAINTEXT_AUTH: Final = ("never", "loopback", "always")
LOG_FORMATS: Final = ("json", "console", "postfix", "w3c", "activity", "awstats")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_SERVICES: Final = ("syslog", "journald")  # log targets that are no files; a file of that name is written ./syslog


@dataclass(frozen=True, slots=True)
class Bind:
    """One address to listen on: host (``*``: all of them) and port, or the path of a UNIX socket (``port`` is -1)."""

    host: str
    port: int

    @property
    def is_unix(self) -> bool:
        """Whether ``host`` is the path of a UNIX socket."""
        return self.port < 0

    def __str__(self) -> str:
        if self.is_unix:
            return f"unix:{self.host}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerConfig:
    """One ``[[listener]]``. ``listener_class`` is its ``class``: what the peers of an SMTP listener are to us."""

    name: str
    protocol: str
    bind: tuple[Bind, ...]
    tls: str = "off"
    listener_class: str = ""
    plaintext_auth: str = "loopback"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputConfig:
    """One place where the log goes.

    Attributes:
        target: ``stdout``, ``stderr``, ``journald``, ``journald:PATH``, ``syslog``, ``syslog:ADDRESS`` or a path.
        events: beginnings of the names of events that go there, or with ``!`` that do not; empty for all.
        rotate_size: octets that a file may have, 0 for any number; the other four are about files as well.
    """

    format: str = "json"
    target: str = "stderr"
    level: str = "info"
    events: tuple[str, ...] = ()
    rotate_size: int = 256 << 20
    rotate_daily: bool = True
    keep_files: int = 30
    keep_days: int = 0
    compress: bool = True

    @property
    def is_file(self) -> bool:
        """Whether the target is the path of a file."""
        return self.target not in {"stdout", "stderr"} and not self.target.startswith(_SERVICES)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig(OutputConfig):
    """``[log]``: an output and, in ``[[log.output]]``, further ones.

    Attributes:
        outputs: the further ones.
        is_output: whether ``[log]`` describes an output itself; not where it holds nothing but ``[[log.output]]``.
    """

    outputs: tuple[OutputConfig, ...] = ()
    is_output: bool = True

    @property
    def all_outputs(self) -> tuple[OutputConfig, ...]:
        """Every place where the log goes."""
        return (self, *self.outputs) if self.is_output else self.outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that ``posthouse.toml`` says; paths are as written (see ``in_home``).

    Attributes:
        home: the directory that holds the file.
        user: whom the server becomes after it has opened its listeners; "" stays who it is.
        store_upgrade: ``auto`` or ``ask``: what the server does on starting with a store of an older version.
        workers: how many processes; 0 is one for each core.
    """

    home: Path
    hostname: str
    listeners: tuple[ListenerConfig, ...]
    store_url: str = "sqlite:///store.db"
    store_upgrade: str = "auto"
    workers: int = 0
    log: LogConfig = field(default_factory=LogConfig)
    certificate: str = "tls/certificate.pem"
    key: str = "tls/key.pem"
    user: str = ""

    def in_home(self, path: str) -> Path:
        """Return a path of the file made absolute: below the home unless it is absolute already."""
        return self.home / path

    @property
    def needs_tls(self) -> bool:
        """Whether any listener needs a certificate."""
        return any(listener.tls != "off" for listener in self.listeners)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file: how it is checked and what it means."""

    check: Callable[[Any], Any]
    allowed: str
    explanation: str


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or "\n" in value or "\x00" in value:
        raise ValueError
    return value


def _text_or_nothing(value: Any) -> str:
    return "" if value == "" else _text(value)


def _hostname(value: Any) -> str:
    try:
        name = fold_domain(_text(value))
    except SyntaxFault:
        raise ValueError from None
    if name.startswith("["):
        raise ValueError
    return name


def _word(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return check


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1024:
        raise ValueError
    return value


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _name(value: Any) -> str:
    if not _NAME.fullmatch(_text(value)):
        raise ValueError
    return str(value)


def parse_bind(value: Any) -> Bind:
    """Return the address of ``0.0.0.0:25``, ``[::]:25``, ``*:25`` or ``unix:path``. Raises ValueError."""
    text = _text(value)
    if text.startswith("unix:") and len(text) > len("unix:"):
        return Bind(text[len("unix:") :], -1)
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(text)
    if host == "*":
        return Bind("*", int(port))
    if host.startswith("[") and host.endswith("]"):
        return Bind(str(ipaddress.IPv6Address(host[1:-1])), int(port))
    return Bind(str(ipaddress.IPv4Address(host)), int(port))


def log_target(value: Any) -> str:
    """Return a log target that can be used. Raises ValueError."""
    text = _text(value)
    kind, colon, address = text.partition(":")
    if not colon or kind not in _SERVICES or address.startswith("/"):
        return text
    scheme, _, place = address.partition("://")
    if kind != "syslog" or scheme not in {"udp", "tcp"} or parse_bind(place).host == "*":
        raise ValueError(text)
    return text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _size(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return parse_size(str(value))


def _files(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100_000:
        raise ValueError
    return value


_EVENTS = re.compile(r"!?[a-z][a-z0-9_.]{0,63}")


def _events(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and _EVENTS.fullmatch(each) for each in value):
        raise ValueError
    return tuple(value)


def _binds(value: Any) -> tuple[Bind, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError
    return tuple(parse_bind(item) for item in value)


_BIND_ALLOWED = 'a list of addresses such as ["0.0.0.0:25", "[::]:25"] or ["unix:run/lmtp"]'

FILE_KEYS: Final[dict[str, Key]] = {
    "hostname": Key(
        _hostname, "a host name such as mail.example.org", "The name of this server, as greetings and HELO say it."
    ),
    "user": Key(
        _text_or_nothing,
        "the name of a system user",
        "Whom the server becomes once it has opened its listeners, where it is started as root.",
    ),
    "store.url": Key(
        _text,
        "an address such as sqlite:///store.db",
        "Where mail is kept: sqlite:///NAME below the home, sqlite:////PATH elsewhere.",
    ),
    "store.upgrade": Key(
        _word(*STORE_UPGRADES),
        "one of " + ", ".join(STORE_UPGRADES),
        "What the server does with a store of an older version: upgrade it and keep a copy, or refuse to start until"
        " `posthouse store upgrade` was run.",
    ),
    "workers.count": Key(_count, "a number from 0 to 1024", "How many processes serve; 0 makes one for each core."),
    "log.format": Key(
        _word(*LOG_FORMATS),
        "one of " + ", ".join(LOG_FORMATS),
        "JSON Lines for programs, lines for a terminal, lines as Postfix writes them, or forms for tools of others.",
    ),
    "log.target": Key(
        log_target,
        "stdout, stderr, a path, journald, syslog, syslog:/PATH, syslog:udp://ADDRESS:PORT or syslog:tcp://ADDRESS:PORT",
        "Where the log goes.",
    ),
    "log.level": Key(_word(*LOG_LEVELS), "one of " + ", ".join(LOG_LEVELS), "The least important events logged."),
    "log.events": Key(
        _events,
        'a list of beginnings of names such as ["message", "relay."] or ["!conversation"]',
        "Which events go there; with ! which do not. Empty: all.",
    ),
    "log.rotate_size": Key(
        _size, "a size such as 256 MiB, or 0", "How large a log file grows before it is rotated; 0: that is no reason."
    ),
    "log.rotate_daily": Key(_flag, "true or false", "Whether each day begins a log file."),
    "log.keep_files": Key(_files, "a number up to 100000", "How many rotated log files are kept; 0: any number."),
    "log.keep_days": Key(_files, "a number up to 100000", "For how many days rotated log files are kept; 0: for ever."),
    "log.compress": Key(_flag, "true or false", "Whether rotated log files are compressed."),
    "tls.certificate": Key(_text, "a path", "PEM file with the certificate and its chain."),
    "tls.key": Key(_text, "a path", "PEM file with the private key."),
}
OUTPUT_KEYS: Final[dict[str, Key]] = {
    name.removeprefix("log."): key for name, key in FILE_KEYS.items() if name.startswith("log.")
}
LISTENER_KEYS: Final[dict[str, Key]] = {
    "name": Key(_name, "a word that no other listener has", "What logs call the listener."),
    "protocol": Key(_word(*PROTOCOLS), "one of " + ", ".join(PROTOCOLS), "What is spoken there."),
    "bind": Key(_binds, _BIND_ALLOWED, "The addresses it listens on; * stands for all of them."),
    "tls": Key(
        _word(*TLS_MODES),
        "one of " + ", ".join(TLS_MODES),
        "Whether TLS is off, offered by STARTTLS, or there from the first byte.",
    ),
    "class": Key(
        _word(*CLASSES),
        "one of " + ", ".join(CLASSES),
        "For SMTP: whether it takes mail from other servers (mx) or from our own users (submission).",
    ),
    "plaintext_auth": Key(
        _word(*PLAINTEXT_AUTH),
        "one of " + ", ".join(PLAINTEXT_AUTH),
        "Who may send a password without TLS: nobody, programs on this machine, or everybody.",
    ),
}


def load_configuration(path: Path) -> Configuration:
    """Read the file. Raises ConfigFault."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise ConfigFault(
            "there is no such file",
            place=str(path),
            remedy="Run `posthouse init` to make a home, or name an existing one with --home.",
        ) from error
    except OSError as error:
        fault = ConfigFault(
            f"cannot be read: {error.strerror}", place=str(path), remedy="It must be readable for this user."
        )
        if isinstance(error, PermissionError):
            fault.exit_code = 77  # EX_NOPERM
        raise fault from error
    except UnicodeDecodeError as error:
        raise ConfigFault("is not UTF-8 text", place=str(path), remedy="Save it as UTF-8.") from error
    return parse_configuration(text, path)


def parse_configuration(text: str, path: Path) -> Configuration:
    """Read the text of the file at ``path``. Raises ConfigFault."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigFault(
            f"is not TOML: {error}", place=str(path), remedy="Mend that place; the format is described at toml.io."
        ) from error
    return _Reader(text, path).configuration(document)


class _Reader:
    """Turns the parsed document into values; knows the text, to tell lines."""

    def __init__(self, text: str, path: Path) -> None:
        self._lines = text.splitlines()
        self._path = path

    def configuration(self, document: Mapping[str, Any]) -> Configuration:
        listeners = self._listeners(document.get("listener", []))
        log = self._log(document.get("log", {}))
        values = self._values({key: value for key, value in document.items() if key not in {"listener", "log"}})
        if "hostname" not in values:
            raise self._fault("hostname", "is missing", FILE_KEYS["hostname"].allowed)
        given = {
            "store_url": values.get("store.url"),
            "store_upgrade": values.get("store.upgrade"),
            "workers": values.get("workers.count"),
            "certificate": values.get("tls.certificate"),
            "key": values.get("tls.key"),
            "user": values.get("user"),
        }
        return Configuration(
            home=self._path.parent,
            hostname=values["hostname"],
            listeners=listeners,
            log=log,
            **{name: value for name, value in given.items() if value is not None},
        )

    def _log(self, table: Any) -> LogConfig:
        if not isinstance(table, dict):
            raise self._fault("log", f"is {_shown(table)}", "a table that begins with [log]")
        given = table.get("output", [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            raise self._fault("log.output", "is not a list of tables", "tables that begin with [[log.output]]")
        outputs = tuple(
            OutputConfig(**{name: self._checked(OUTPUT_KEYS, name, value) for name, value in each.items()})
            for each in given
        )
        own = {
            name: self._checked(FILE_KEYS, f"log.{name}", value) for name, value in table.items() if name != "output"
        }
        log = LogConfig(outputs=outputs, is_output=bool(own) or not outputs, **own)
        seen: set[str] = set()
        for each in log.all_outputs:
            if each.is_file and each.target in seen:
                raise self._fault("log.output.target", f"{each.target!r} is used twice", "a file of its own for each")
            seen.add(each.target)
        return log

    def _values(self, document: Mapping[str, Any]) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for name, value in document.items():
            if isinstance(value, dict):
                flat.update({f"{name}.{inner}": inner_value for inner, inner_value in value.items()})
            else:
                flat[name] = value
        return {name: self._checked(FILE_KEYS, name, value) for name, value in flat.items()}

    def _checked(self, keys: Mapping[str, Key], name: str, value: Any, block: int = 0) -> Any:
        key = keys.get(name)
        shown = {id(LISTENER_KEYS): "listener.", id(OUTPUT_KEYS): "log.output."}.get(id(keys), "") + name
        if key is None:
            known = ", ".join(keys)
            raise self._fault(shown, "is no key of this file", f"one of {known}", block=block)
        try:
            return key.check(value)
        except (ValueError, TypeError):
            raise self._fault(shown, f"is {_shown(value)}", key.allowed, block=block) from None

    def _listeners(self, tables: Any) -> tuple[ListenerConfig, ...]:
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self._fault("listener", "is not a list of tables", "tables that begin with [[listener]]")
        listeners = [self._listener(table, number) for number, table in enumerate(tables, 1)]
        names: set[str] = set()
        binds: dict[Bind, str] = {}
        for number, listener in enumerate(listeners, 1):
            if listener.name in names:
                raise self._fault("listener.name", f"{listener.name!r} is used twice", "another name", block=number)
            names.add(listener.name)
            for bind in listener.bind:
                if bind in binds and bind.port:
                    detail = f"{bind} is taken by the listener {binds[bind]!r}"
                    raise self._fault("listener.bind", detail, "another address or port", block=number)
                binds[bind] = listener.name
        return tuple(listeners)

    def _listener(self, table: Mapping[str, Any], number: int) -> ListenerConfig:
        values = {name: self._checked(LISTENER_KEYS, name, value, number) for name, value in table.items()}
        for name in ("name", "protocol", "bind"):
            if name not in values:
                raise self._fault(f"listener.{name}", "is missing", LISTENER_KEYS[name].allowed, block=number)
        if values["protocol"] == "smtp" and "class" not in values:
            raise self._fault("listener.class", "is missing", "mx or submission, for SMTP", block=number)
        if "class" in values and values["protocol"] not in {"smtp", "lmtp"}:
            raise self._fault("listener.class", "is given", "a class for smtp only", block=number)
        if values["protocol"] == "metrics" and values.get("tls", "off") != "off":
            raise self._fault("listener.tls", "is given", "off, for metrics: put a proxy before it", block=number)
        if values["protocol"] == "http" and values.get("tls") == "starttls":
            raise self._fault("listener.tls", "is starttls", "off or implicit, for http", block=number)
        listener_class = values.pop("class", "lmtp" if values["protocol"] == "lmtp" else "")
        return ListenerConfig(listener_class=listener_class, **values)

    def _fault(self, key: str, problem: str, allowed: str, *, block: int = 0) -> ConfigFault:
        line = self._line_of(key, block)
        place = f"{self._path}:{line}" if line else str(self._path)
        return ConfigFault(
            f"{key} {problem}; it takes {allowed}", place=place, key=key, remedy=f"Change {key} in {self._path}."
        )

    def _line_of(self, key: str, block: int) -> int:
        """Return the line where a key is set (from 1), 0 where it cannot be told; ``block`` counts [[listener]]."""
        table, _, name = key.rpartition(".")
        current, blocks = "", 0
        for number, line in enumerate(self._lines, 1):
            stripped = line.strip()
            if stripped.startswith("["):
                current = stripped.strip("[] \t")
                blocks += current == "listener"
                if block and blocks == block and current == "listener":
                    found = number
            elif current == table and (not block or blocks == block):
                if re.match(rf"{re.escape(name)}\s*=", stripped):
                    return number
        return found if block and blocks >= block else 0


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
