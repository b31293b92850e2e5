"""Writes an annotated ``posthouse.toml``: each key with its explanation; loading it gives the same values back.

Also the listeners that a new home starts with. Tests: ``tests/unit/config/test_write.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import tomlkit

from posthouse.config.file import (
    CLASSES,
    FILE_KEYS,
    LISTENER_KEYS,
    Bind,
    Configuration,
    ListenerConfig,
    LogConfig,
    OutputConfig,
)
from posthouse.config.setting import format_size

_Value: TypeAlias = str | int | list[str]

# name, protocol, port, tls, class
_DEFAULT_LISTENERS: Final = (
    ("mx", "smtp", 25, "starttls", "mx"),
    ("submission", "smtp", 587, "starttls", "submission"),
    ("submissions", "smtp", 465, "implicit", "submission"),
    ("lmtp", "lmtp", 24, "off", "lmtp"),
    ("pop3", "pop3", 110, "starttls", ""),
    ("pop3s", "pop3", 995, "implicit", ""),
    ("imap", "imap", 143, "starttls", ""),
    ("imaps", "imap", 993, "implicit", ""),
    ("http", "http", 80, "off", ""),
    ("https", "http", 443, "implicit", ""),
    ("metrics", "metrics", 9290, "off", ""),
)
_LOOPBACK: Final = ("127.0.0.1",)
_ON_LOOPBACK: Final = frozenset({"lmtp", "metrics"})  # LMTP trusts its peers, metrics tell what happens here


def default_configuration(
    home: Path, hostname: str, *, listen: tuple[str, ...] = ("*",), port_offset: int = 0, user: str = ""
) -> Configuration:
    """Return what a new home starts with.

    Args:
        home: its directory.
        hostname: the server's name, folded.
        listen: IP addresses (``*``: all) for every listener but LMTP and metrics, which stay on loopback.
        port_offset: added to every port, so that no privilege is needed.
        user: whom the server becomes.
    """
    listeners = tuple(
        ListenerConfig(
            name=name,
            protocol=protocol,
            bind=tuple(Bind(host, port + port_offset) for host in (_LOOPBACK if protocol in _ON_LOOPBACK else listen)),
            tls=tls,
            listener_class=listener_class,
        )
        for name, protocol, port, tls, listener_class in _DEFAULT_LISTENERS
    )
    return Configuration(
        home=home, hostname=hostname, listeners=listeners, user=user, log=LogConfig(target="log/posthouse.log")
    )


def format_configuration(configuration: Configuration) -> str:
    """Return the text of the annotated file."""
    return "\n".join(_lines(configuration)) + "\n"


def _lines(configuration: Configuration) -> Iterator[str]:
    yield "# What Posthouse needs to know before it can open its store. Everything else is a setting:"
    yield "# see `posthouse setting list`. Relative paths are below the directory of this file."
    yield ""
    yield from _key("hostname", configuration.hostname)
    if configuration.user:
        yield from _key("user", configuration.user)
    else:
        yield from (f"# {line.removeprefix('# ')}" for line in _key("user", "posthouse"))
    tables: dict[str, dict[str, _Value]] = {
        "store": {"url": configuration.store_url, "upgrade": configuration.store_upgrade},
        "workers": {"count": configuration.workers},
        "log": _output(configuration.log) if configuration.log.is_output else {},
        "tls": {"certificate": configuration.certificate, "key": configuration.key},
    }
    for table, values in tables.items():
        if values:
            yield ""
            yield f"[{table}]"
            for name, value in values.items():
                yield from _key(f"{table}.{name}", value)
        if table == "log":
            for output in configuration.log.outputs:
                yield from ("", "[[log.output]]")
                yield from (f"{name} = {tomlkit.item(value).as_string()}" for name, value in _output(output).items())
    yield ""
    yield "# Each listener is one door. Its keys:"
    for name, key in LISTENER_KEYS.items():
        yield f"#   {name}: {key.explanation} It takes {key.allowed}."
    for listener in configuration.listeners:
        yield ""
        yield from _listener(listener)


def _output(output: OutputConfig) -> dict[str, _Value]:
    return {
        "format": output.format,
        "target": output.target,
        "level": output.level,
        "events": list(output.events),
        "rotate_size": format_size(output.rotate_size),
        "rotate_daily": output.rotate_daily,
        "keep_files": output.keep_files,
        "keep_days": output.keep_days,
        "compress": output.compress,
    }


def _key(name: str, value: _Value) -> Iterator[str]:
    yield f"# {FILE_KEYS[name].explanation}"
    yield f"{name.rpartition('.')[2]} = {tomlkit.item(value).as_string()}"


def _listener(listener: ListenerConfig) -> Iterator[str]:
    yield "[[listener]]"
    values: dict[str, str | list[str]] = {
        "name": listener.name,
        "protocol": listener.protocol,
        "bind": [str(bind) for bind in listener.bind],
        "tls": listener.tls,
    }
    if listener.listener_class in CLASSES:
        values["class"] = listener.listener_class
    values["plaintext_auth"] = listener.plaintext_auth
    for name, value in values.items():
        yield f"{name} = {tomlkit.item(value).as_string()}"
