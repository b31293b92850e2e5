"""``configuration.*``: what ``posthouse.toml`` and the settings say.

Tests: ``tests/unit/services/administration/diagnosis/test_check_machine.py``.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence

from posthouse.config.settings import Settings
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, ok, warning


async def _file(examination: Examination, _: str) -> Sequence[Finding]:
    return [ok("posthouse.toml can be used", str(examination.parts.configuration.home / "posthouse.toml"))]


async def _listeners(examination: Examination, _: str) -> Sequence[Finding]:
    configuration = examination.parts.configuration
    file = str(configuration.home / "posthouse.toml")
    if not configuration.listeners:
        return [error("no listener", file, "Add a [[listener]] to posthouse.toml; `posthouse init` shows how.")]
    count = len(configuration.listeners)
    found = [ok(f"{count} listener{'' if count == 1 else 's'}", file)]
    if not any(listener.listener_class == "mx" for listener in configuration.listeners):
        remedy = (
            'Add a [[listener]] with protocol = "smtp" and class = "mx", unless another host receives for this one.'
        )
        found.append(warning("no listener takes mail from other servers", 'none has class = "mx"', remedy))
    return found


async def _user(examination: Examination, _: str) -> Sequence[Finding]:
    user, machine = examination.parts.configuration.user, examination.parts.machine
    if user and not machine.has_user(user):
        remedy = f"Make it (adduser --system {user}), or take the line out."
        return [error(f"there is no user {user!r}", "user in posthouse.toml", remedy)]
    if machine.is_root() and not user:
        remedy = 'Make a system user and set user = "posthouse" in posthouse.toml.'
        return [warning("the server would keep running as root", "no user in posthouse.toml", remedy)]
    return [ok("the server does not run as root", user)]


async def _plaintext(examination: Examination, _: str) -> Sequence[Finding]:
    found = [
        warning(
            "takes passwords in the clear from anywhere",
            'plaintext_auth = "always"',
            'Set plaintext_auth = "loopback" unless every path to that listener is private.',
            subject=listener.name,
        )
        for listener in examination.parts.configuration.listeners
        if listener.plaintext_auth == "always" and listener.tls != "implicit"
    ]
    return found or [ok("no listener takes passwords in the clear from anywhere")]


async def _home(examination: Examination, _: str) -> Sequence[Finding]:
    configuration = examination.parts.configuration
    home = configuration.home
    if not home.stat().st_mode & (stat.S_IRWXO | stat.S_IRWXG):
        return [ok("the home is private", str(home))]
    paths = [home, home / "posthouse.toml", configuration.in_home(configuration.key), *sorted(home.glob("*.db"))]
    found = []
    for path in paths:
        try:
            mode = (await asyncio.to_thread(path.stat)).st_mode
        except OSError:
            continue  # other checks say what is missing
        if mode & (stat.S_IRWXO | stat.S_IWGRP):
            whom = "other users of this machine can" if mode & stat.S_IRWXO else "its group can"
            what = f"{whom} {'write to' if mode & (stat.S_IWOTH | stat.S_IWGRP) else 'look into'} {path.name}"
            make = error if mode & stat.S_IWOTH else warning
            found.append(
                make(what, f"{path}, mode {stat.S_IMODE(mode):04o}", f"chmod {'700' if path == home else '600'} {path}")
            )
    return found or [ok("the home is private", str(home))]


async def _settings(examination: Examination, _: str) -> Sequence[Finding]:
    settings = Settings(await examination.store.settings())  # anew: a row that was skipped is told by this load
    found = [
        error("a setting cannot be used and is passed over", problem, "posthouse setting unset NAME")
        for problem in settings.problems
    ]
    return found or [ok("every setting can be used")]


async def _defaults(examination: Examination, _: str) -> Sequence[Finding]:
    found = [
        warning(
            "keeps the default of an earlier version",
            "server.compatibility_level",
            f"See `posthouse setting explain {name}`, then raise server.compatibility_level.",
            subject=name,
        )
        for name in examination.parts.settings.outdated_defaults()
    ]
    return found or [ok("all defaults are those of this version")]


FILE = "configuration.file"
CHECKS = (
    Check(
        id=FILE,
        title="posthouse.toml",
        explanation="The file has to be there and to be understood; where it is not, nothing else can be looked at.",
        remedy="Mend the line that is named; docs/configuration.md lists every key.",
        look=_file,
    ),
    Check(
        id="configuration.listeners",
        title="listeners",
        explanation="A server without a listener does nothing, and one without a listener of class mx receives "
        "nothing from other servers.",
        remedy="Add a [[listener]] to posthouse.toml.",
        look=_listeners,
    ),
    Check(
        id="configuration.user",
        title="user",
        explanation="The server opens its ports as root and then becomes another user, who has to exist.",
        remedy="Make a system user and name it as `user` in posthouse.toml.",
        look=_user,
    ),
    Check(
        id="configuration.plaintext",
        title="passwords in the clear",
        explanation="A listener that takes passwords without TLS from anywhere gives them to whoever listens.",
        remedy='Set plaintext_auth = "loopback" or "never" for that listener.',
        look=_plaintext,
    ),
    Check(
        id="configuration.home",
        title="permissions of the home",
        explanation="Whoever may look into the home reads all mail; whoever may write to it is the administrator.",
        remedy="chmod 700 the home, 600 what is in it.",
        look=_home,
    ),
    Check(
        id="configuration.settings",
        title="unknown and unusable settings",
        explanation="A setting with an unknown name, a wrong scope or a value out of range is passed over when the "
        "server starts, so that it starts at all; what was meant by it does not hold.",
        remedy="`posthouse setting unset NAME`, or set it to what it takes.",
        look=_settings,
        needs=frozenset({Need.STORE}),
    ),
    Check(
        id="configuration.defaults",
        title="defaults of an earlier version",
        explanation="A server keeps the defaults of the version it was made with until its compatibility level is "
        "raised.",
        remedy="Read `posthouse setting explain NAME`, then raise server.compatibility_level.",
        look=_defaults,
        needs=frozenset({Need.STORE}),
    ),
)
