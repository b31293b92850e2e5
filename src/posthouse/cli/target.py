"""Where a command goes: a home on this machine, or a server elsewhere over its API.

The command line decides before the environment: ``--home``, or one of ``--server`` and ``--remote``; then
``POSTHOUSE_SERVER``; then ``POSTHOUSE_HOME``; then the usual home. A token comes from a file or the environment, never
from an argument, which everybody on the machine could read. Tests: ``tests/unit/cli/test_target.py``.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from posthouse.config.home import DEFAULT_HOME, HOME_VARIABLE, Home

SERVER_VARIABLE: Final = "POSTHOUSE_SERVER"
TOKEN_VARIABLE: Final = "POSTHOUSE_TOKEN"
TOKEN_FILE_VARIABLE: Final = "POSTHOUSE_TOKEN_FILE"
CA_VARIABLE: Final = "POSTHOUSE_CA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says of where to go; None where it says nothing."""

    home: str | None = None
    server: str | None = None
    remote: str | None = None
    token_file: str | None = None
    ca: str | None = None

    def over(self, other: Wish) -> Wish:
        """Return this with what it leaves open from another."""
        mine = {each.name: getattr(self, each.name) for each in fields(self)}
        return Wish(**{name: value if value is not None else getattr(other, name) for name, value in mine.items()})

    @property
    def is_remote(self) -> bool:
        """Whether the command line itself names a server."""
        return self.server is not None or self.remote is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """A server elsewhere.

    Attributes:
        url: such as ``https://mail.example.org``.
        token: of the API. Not shown when this is printed.
        ca: a file with the authorities to trust; "" for the system's.
    """

    url: str
    token: str
    ca: str = ""

    def __repr__(self) -> str:
        """Say where, and nothing of the token."""
        return f"There({self.url})"


TARGET_OPTIONS: Final = (
    ("home", "--home", "DIR", "The server's home."),
    ("server", "--server", "URL", "Do it on that server, over its API."),
    ("remote", "--remote", "NAME", "Do it on a server that `posthouse remote add` saved."),
    ("token_file", "--token-file", "FILE", "The token for --server; - reads standard input."),
    ("ca", "--ca", "FILE", "Trust the authorities, or the certificate, in this file."),
)


def target_options(*, hidden: bool) -> list[click.Option]:
    """Return the options that say where to go; hidden on commands, because the root's help tells of them."""
    return [
        click.Option(
            [f"_{name}", text],
            metavar=metavar,
            help=explained,
            hidden=hidden,
            shell_complete=_complete_remote if name == "remote" else None,
        )
        for name, text, metavar, explained in TARGET_OPTIONS
    ]


def _complete_remote(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from posthouse.cli.remotes import read_remotes

    try:
        return [name for name in read_remotes() if name.startswith(incomplete)]
    except Exception:  # a completion that fails says nothing
        return []


def wish_of(values: Mapping[str, object]) -> Wish:
    """Take the options of ``target_options`` from what click gave."""
    found = {name: values.get(f"_{name}") for name, *_ in TARGET_OPTIONS}
    return Wish(**{name: value for name, value in found.items() if isinstance(value, str)})


def said_in(context: click.Context) -> Wish:
    """Return the wish of a command with those of the commands around it."""
    wish = Wish()
    around: click.Context | None = context
    while around is not None:
        wish = wish.over(wish_of(around.params))
        around = around.parent
    return wish


def home_of(wish: Wish) -> Home:
    """Return the home: the option, else the environment, else the usual one."""
    return Home(Path(wish.home or os.environ.get(HOME_VARIABLE) or DEFAULT_HOME).absolute())


def target_of(wish: Wish) -> Home | There:
    """Return where a command goes. Raises click.UsageError, Refused."""
    if wish.home is not None and wish.is_remote:
        raise click.UsageError("--home is on this machine; it does not go with --server and --remote")
    if wish.server is not None and wish.remote is not None:
        raise click.UsageError("Give either --server or --remote")
    if wish.remote is not None:
        from posthouse.cli.remotes import saved_remote

        saved = saved_remote(wish.remote)
        token = _token(wish) or saved.token
        return There(url=saved.url, token=token, ca=wish.ca or saved.ca)
    url = wish.server or ("" if wish.home is not None else os.environ.get(SERVER_VARIABLE, ""))
    if not url:
        if wish.token_file is not None or wish.ca is not None:
            raise click.UsageError("--token-file and --ca go with --server or --remote")
        return home_of(wish)
    token = _token(wish)
    if not token:
        raise _refused(
            f"there is no token for {url}",
            f"Give --token-file FILE, or set {TOKEN_FILE_VARIABLE}. `posthouse token add` makes one.",
        )
    return There(url=checked_url(url), token=token, ca=wish.ca or os.environ.get(CA_VARIABLE, ""))


def checked_url(url: str) -> str:
    """Return an address to which a token may be sent. Raises Refused: where it would go in the clear."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _refused(f"{url!r} is not the address of a server", "Write it like https://mail.example.org.")
    if parts.username or parts.password:
        raise _refused("an address with a name or a password in it", "Use a token: --token-file FILE.")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise _refused(f"{url} would take the token in the clear", "Use https://.")
    return parts.geturl().rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_token(path: str) -> str:
    """Return the token in a file, ``-`` for standard input. Raises Refused."""
    from posthouse.cli.files import first_line

    token = first_line(path, "token").decode("utf-8", "replace").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise _refused(f"{path} holds no token", "Its first line should be what `posthouse token add` printed.")
    return token


def _token(wish: Wish) -> str:
    if wish.token_file is not None:
        return read_token(wish.token_file)
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    file = os.environ.get(TOKEN_FILE_VARIABLE, "")
    return token or (read_token(file) if file else "")


def _refused(detail: str, remedy: str) -> Exception:
    from posthouse.services.administration.faults import Refused

    return Refused(detail, remedy, exit_code=os.EX_USAGE)
