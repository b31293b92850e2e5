"""Diagnosis of a home: opens what is there and hands it to ``services.administration.diagnosis``.

Works beside a running server and where none runs; where the file or the store cannot be opened that is a finding, and
the rest is looked at as far as it goes. Changes nothing but one row of the store (a commit that proves it writable).
Tests: ``tests/unit/test_checking.py``, ``tests/interop/test_check_live.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from posthouse.config.definitions import dns as dns_settings
from posthouse.config.faults import ConfigFault
from posthouse.config.file import Configuration, load_configuration
from posthouse.config.home import Home
from posthouse.config.settings import Settings
from posthouse.core.errors import Fault, SyntaxFault
from posthouse.servers.live import LiveServer
from posthouse.services.administration.diagnosis.examination import Selection
from posthouse.services.administration.diagnosis.findings import Finding, Severity
from posthouse.services.administration.diagnosis.machine import SystemMachine
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.policy import PolicyFetcher
from posthouse.services.administration.diagnosis.run import Report, run_checks
from posthouse.services.administration.diagnosis.topics.configuration import FILE
from posthouse.services.identity.inheritance import read_settings
from posthouse.services.resolver.dns import DnsResolver, parse_server, read_hosts, read_resolv_conf
from posthouse.services.resolver.exchange import Server
from posthouse.store.contract import Store
from posthouse.toolbox import SystemClock, opened_toolbox

NAME_PATIENCE = 2.0  # seconds for one answer of a name server: somebody waits for the whole


async def check_home(home: Home, selection: Selection) -> Report:
    """Return what is to be said of a home. Raises Refused: where the selection names nothing there is."""
    try:
        configuration = load_configuration(home.file)
    except ConfigFault as fault:
        return _unreadable(home, fault)
    async with opened_parts(home, configuration) as parts:
        return await run_checks(parts, selection)


def _unreadable(home: Home, fault: ConfigFault) -> Report:
    what, evidence = str(fault), str(home.file)
    finding = Finding(id=FILE, severity=Severity.ERROR, what=what, evidence=evidence, remedy=fault.remedy)
    return Report(findings=(finding,))


@asynccontextmanager
async def opened_parts(home: Home, configuration: Configuration) -> AsyncIterator[DiagnosisParts]:
    """Give diagnosis what it works with, as far as it can be opened."""
    async with AsyncExitStack() as stack:
        store: Store | None = None
        fault_text = ""
        settings = Settings()
        try:
            store = (await stack.enter_async_context(opened_toolbox(home))).store
            settings = await read_settings(store)
        except Fault as fault:
            store, fault_text = None, fault.detail or str(fault)
        parts = make_parts(home, configuration, store, settings, fault_text)
        stack.callback(parts.resolver.close)
        stack.callback(parts.courier_resolver.close)
        yield parts


def make_parts(
    home: Home, configuration: Configuration, store: Store | None, settings: Settings, store_fault: str = ""
) -> DiagnosisParts:
    """Return the parts over an open store; their resolvers are to be closed."""
    servers = name_servers(settings)
    live = LiveServer(home.run)

    async def workers() -> Sequence[Mapping[str, Any]]:
        return await live.ask("status")

    resolver = DnsResolver(servers, timeout=NAME_PATIENCE, attempts=1)
    return DiagnosisParts(
        configuration=configuration,
        store=store,
        store_fault=store_fault,
        settings=settings,
        clock=SystemClock(),
        machine=SystemMachine(),
        resolver=resolver,
        courier_resolver=DnsResolver(servers, timeout=NAME_PATIENCE, attempts=1, hosts=read_hosts()),
        name_servers=tuple(map(str, servers)),
        workers=workers,
        policy=PolicyFetcher(resolver).fetch,
    )


def name_servers(settings: Settings) -> tuple[Server, ...]:
    """Return the name servers that are asked: those that were set, else the machine's."""
    servers = []
    for text in settings.get(dns_settings.SERVERS):
        with suppress(SyntaxFault):
            servers.append(parse_server(text))
    return tuple(servers) or read_resolv_conf()
