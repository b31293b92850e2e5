"""Founding a home: folders, ``posthouse.toml``, certificate, store, the first domain and account.

Everything is made in a folder beside the home and renamed into place as the last step, so a failure leaves nothing half
made. Tests: ``tests/unit/test_founding.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from posthouse.config.file import Configuration
from posthouse.config.home import Home
from posthouse.config.settings import Settings
from posthouse.config.write import default_configuration, format_configuration
from posthouse.servers.tls import write_self_signed
from posthouse.services.administration import words
from posthouse.services.administration.call import Call, perform
from posthouse.services.administration.caller import Caller
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.operations import account, domain
from posthouse.services.identity.passwords import hash_password
from posthouse.services.identity.sealing import sealing_of
from posthouse.store.open import open_store
from posthouse.toolbox import SystemClock

POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What a new home starts with.

    Attributes:
        people: further accounts, ``(address, password, name)``.
        listen: addresses to listen on; ``*`` for all.
    """

    hostname: str
    domain: str
    admin: str
    password: bytes | None
    listen: tuple[str, ...] = ("*",)
    port_offset: int = 0
    user: str = ""
    people: tuple[tuple[str, bytes, str], ...] = ()


async def found_home(home: Home, plan: Founding) -> Configuration:
    """Make a home. Raises Refused: where it exists, or a word of the plan cannot be used."""
    hostname, name = words.domain_name(plan.hostname), words.domain_name(plan.domain)
    admin = words.own_address(plan.admin if "@" in plan.admin else f"{plan.admin}@{name}")
    if admin.rpartition("@")[2] != name:
        raise Refused(f"the administrator {admin} is not in the domain {name}")
    if not 0 <= plan.port_offset <= 65535 - 24190:
        raise Refused(f"the port offset {plan.port_offset} leads past 65535", "Give one from 0 to 41345.")
    listen = tuple(map(words.listen_address, plan.listen))
    with _new_folder(home.path) as folder:
        made = Home(folder)
        for path in made.folders():
            path.mkdir(mode=0o700, exist_ok=True)
        configuration = default_configuration(
            folder, hostname, listen=listen, port_offset=plan.port_offset, user=plan.user
        )
        made.file.write_text(format_configuration(configuration))
        certificate, key = configuration.in_home(configuration.certificate), configuration.in_home(configuration.key)
        clock = SystemClock()
        write_self_signed(certificate, key, hostname, clock.now())
        store = open_store(configuration.store_url, worker=0, home=folder, clock=clock)
        await store.open()
        try:
            await _furnish(
                Desk(
                    store=store,
                    clock=clock,
                    settings=Settings(),
                    hostname=hostname,
                    home=folder,
                    hash_password=_hash,
                    sealing=sealing_of(folder),
                ),
                plan,
                name,
                admin,
            )
        finally:
            await store.close()
    return configuration


async def _furnish(desk: Desk, plan: Founding, name: str, admin: str) -> None:
    """Make the first domain and its accounts."""
    caller = Caller.on_this_machine("posthouse init")
    first = domain.add.input.model_validate({"name": name, "allow_lookalike": True})
    await perform(domain.add, Call(caller=caller, desk=desk), first)
    people = [(admin, plan.password, "Administrator", True), *((*each, False) for each in plan.people)]
    for address, password, full_name, is_admin in people:
        secret = SecretStr(password.decode("utf-8", "surrogateescape")) if password is not None else None
        fields = {"address": address, "password": secret, "name": full_name, "admin": is_admin}
        given = account.add.input.model_validate(fields)
        await perform(account.add, Call(caller=caller, desk=desk), given)


async def _hash(password: bytes) -> str:
    return await asyncio.to_thread(hash_password, password)


@contextlib.contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Give a folder that becomes ``target`` when the block ends well, and vanishes when it does not."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refused(
            f"{target} exists already",
            "Choose another --home, or remove it if it is really no longer needed.",
            exit_code=os.EX_CONFIG,
        )
    folder = target.with_name(f".{target.name}.new-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise Refused(
            f"{folder.parent}: {error.strerror}",
            "Choose a --home where you may write, or run this as root.",
            exit_code=os.EX_NOPERM,
        ) from None
    try:
        yield folder
        if target.exists():
            target.rmdir()
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
