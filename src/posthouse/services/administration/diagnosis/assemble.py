"""Putting the parts of diagnosis together, for whoever composes a process: a command, or a worker. Decides nothing.

Tests: ``tests/unit/test_checking.py``.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from posthouse.config.definitions import dns as dns_settings
from posthouse.config.file import Configuration
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.core.errors import SyntaxFault
from posthouse.services.administration.diagnosis.explainer import Explainer
from posthouse.services.administration.diagnosis.machine import SystemMachine
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.policy import PolicyFetcher
from posthouse.services.identity import schemes
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.logins import Logins
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.sealing import sealing_of
from posthouse.services.identity.sources.kinds import Parts
from posthouse.services.identity.sources.registry import Sources
from posthouse.services.resolver.dns import DnsResolver, parse_server, read_hosts, read_resolv_conf
from posthouse.services.resolver.exchange import Server
from posthouse.store.contract import Store

NAME_PATIENCE: Final = 2.0  # seconds for one answer of a name server: somebody waits for the whole
Workers = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]


def make_parts(
    configuration: Configuration,
    settings: Settings,
    clock: Clock,
    workers: Workers,
    *,
    store: Store | None,
    store_fault: str = "",
    sources: Sources | None = None,
) -> DiagnosisParts:
    """Return the parts. ``sources`` are those of a worker; without them they are made anew, and asked nothing yet."""
    servers = name_servers(settings)
    resolver = DnsResolver(servers, timeout=NAME_PATIENCE, attempts=1)
    explainer = _explainer(configuration, settings, clock, store, sources) if store is not None else None
    return DiagnosisParts(
        configuration=configuration,
        store=store,
        store_fault=store_fault,
        settings=settings,
        clock=clock,
        machine=SystemMachine(),
        resolver=resolver,
        courier_resolver=DnsResolver(servers, timeout=NAME_PATIENCE, attempts=1, hosts=read_hosts()),
        name_servers=tuple(map(str, servers)),
        workers=workers,
        policy=PolicyFetcher(resolver).fetch,
        explain_sign_in=explainer.explain if explainer is not None else None,
    )


def _explainer(
    configuration: Configuration, settings: Settings, clock: Clock, store: Store, sources: Sources | None
) -> Explainer:
    made = sources or Sources(
        store.sources,
        settings,
        Parts(clock=clock, verify_hash=schemes.verify),
        # the key is read when a source is asked: a home without sources needs none
        unseal=lambda row: sealing_of(configuration.home).open_source(row),
    )
    directory = Directory(store, clock, settings, hostname=configuration.hostname)
    passwords = Passwords(clock, secrets.token_bytes(32))
    return Explainer(store, settings, clock, Logins(directory, store, settings), passwords, made)


def name_servers(settings: Settings) -> tuple[Server, ...]:
    """Return the name servers that are asked: those that were set, else the machine's."""
    servers = []
    for text in settings.get(dns_settings.SERVERS):
        with suppress(SyntaxFault):
            servers.append(parse_server(text))
    return tuple(servers) or read_resolv_conf()
