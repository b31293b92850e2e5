"""Diagnosis of a home: opens what is there and hands it to ``services.administration.diagnosis``.

Works beside a running server and where none runs; where the file or the store cannot be opened that is a finding, and
the rest is looked at as far as it goes. Changes nothing but one row of the store (a commit that proves it writable).
Tests: ``tests/unit/test_checking.py``, ``tests/interop/test_check_live.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from posthouse.config.faults import ConfigFault
from posthouse.config.file import Configuration, load_configuration
from posthouse.config.home import Home
from posthouse.config.settings import Settings
from posthouse.core.errors import Fault
from posthouse.servers.live import LiveServer
from posthouse.services.administration.diagnosis.assemble import make_parts
from posthouse.services.administration.diagnosis.examination import Selection
from posthouse.services.administration.diagnosis.findings import Finding, Severity
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.run import Report, run_checks
from posthouse.services.administration.diagnosis.topics.configuration import FILE
from posthouse.services.identity.inheritance import read_settings
from posthouse.store.contract import Store
from posthouse.toolbox import SystemClock, opened_toolbox


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
        live = LiveServer(home.run)
        parts = make_parts(
            configuration,
            settings,
            SystemClock(),
            lambda: live.ask("status"),
            store=store,
            store_fault=fault_text,
        )
        stack.callback(parts.resolver.close)
        stack.callback(parts.courier_resolver.close)
        yield parts
