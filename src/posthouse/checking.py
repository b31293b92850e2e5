"""Looks at the machine for ``posthouse check``: files, disk, ports, names; the judging is done in ``administration``.

Changes nothing but one row of the store (a commit that proves it writable). Bounded: names 5 seconds, each port 3,
all at once. Tests: ``tests/unit/test_checking.py``.
"""

from __future__ import annotations

import asyncio
import errno
import os
import pwd
import shutil
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from posthouse.config.definitions import dns as dns_settings
from posthouse.config.definitions import relay as relay_settings
from posthouse.config.faults import ConfigFault
from posthouse.config.file import Bind, Configuration, ListenerConfig, load_configuration
from posthouse.config.home import Home
from posthouse.config.settings import Settings
from posthouse.core.errors import Fault
from posthouse.servers.tls import make_server_context, read_certificate
from posthouse.services.administration.diagnosis import check
from posthouse.services.administration.diagnosis.check import CertificateFacts, MachineFacts, PortFacts, PortState
from posthouse.services.administration.diagnosis.check_names import check_names
from posthouse.services.administration.diagnosis.findings import Finding, error, warning
from posthouse.services.identity.inheritance import read_settings
from posthouse.services.resolver.dns import DnsResolver, parse_server, read_hosts, read_resolv_conf
from posthouse.store.directory_rows import AccountRow
from posthouse.store.values import TakeDuty
from posthouse.toolbox import SystemClock, Toolbox, opened_toolbox

NAMES_PATIENCE = 5.0  # seconds for everything that is looked up
PORT_PATIENCE = 3.0  # seconds for one listener to greet
_EVERYONE = 0o004
Probe: TypeAlias = Callable[[ListenerConfig, Bind], Coroutine[Any, Any, tuple[PortState, str]]]


async def check_home(home: Home, *, serving: bool, forced: bool = False) -> list[Finding]:
    """Return what is to be said of a home.

    Args:
        home: the home.
        serving: whether its server runs, so that its listeners must answer; else their ports must be free.
        forced: an open relay is meant, and is a warning only.
    """
    try:
        configuration = load_configuration(home.file)
    except ConfigFault as fault:
        return [error("configuration", str(fault), str(home.file), fault.remedy)]
    machine = machine_facts(home, configuration)
    findings = list(check.check_configuration(configuration, machine))
    if configuration.needs_tls:
        findings += check.check_certificate(certificate_facts(configuration), configuration.hostname, SystemClock.now())
    probe = port_answers if serving else port_is_free
    findings += check.check_ports(await _all_ports(configuration, probe))
    try:
        async with opened_toolbox(home) as tools:
            findings += await _check_inside(tools, machine, forced=forced)
    except Fault as fault:
        findings += check.check_store(configuration.store_url, machine.free, fault.detail)
    return findings


async def _check_inside(tools: Toolbox, machine: MachineFacts, *, forced: bool) -> list[Finding]:
    settings = await read_settings(tools.store)
    findings = list(check.check_store(tools.configuration.store_url, machine.free, await _write_fault(tools)))
    domains = await tools.store.domains()
    findings += check.check_directory(domains, await _administrators(tools))
    findings += check.check_settings(settings.problems, settings.outdated_defaults())
    networks = settings.get(relay_settings.NETWORKS)
    findings += check.check_relay(networks, local_sender=settings.get(relay_settings.LOCAL_SENDER), forced=forced)
    findings += check.check_routes(await tools.store.routes(), tools.configuration)
    return findings + await _names(tools.configuration, settings, [row.name for row in domains])


async def _write_fault(tools: Toolbox) -> str:
    now = tools.clock.now()
    try:
        await tools.store.commit(TakeDuty(name="check", owner=f"check-{os.getpid()}", now=now, until=now))
    except Fault as fault:
        return fault.detail or str(fault)
    return ""


async def _administrators(tools: Toolbox) -> list[AccountRow]:
    found: list[AccountRow] = []
    after = ""
    while not any(row.password_hash and not row.disabled for row in found):
        rows = await tools.store.accounts(after=after)
        if not rows:
            break
        found += [row for row in rows if row.is_admin]
        after = rows[-1].address
    return found


async def _names(configuration: Configuration, settings: Settings, domains: Sequence[str]) -> list[Finding]:
    named = settings.get(dns_settings.SERVERS)
    servers = tuple(map(parse_server, named)) or read_resolv_conf()
    resolver = DnsResolver(servers, timeout=2.0, attempts=1, hosts=read_hosts())
    try:
        async with asyncio.timeout(NAMES_PATIENCE):
            return await check_names(resolver, configuration.hostname, domains)
    except TimeoutError:
        return [
            warning(
                "dns",
                f"looking names up took more than {NAMES_PATIENCE:.0f} seconds",
                ", ".join(map(str, servers)),
                "See whether the name servers are well; posthouse setting set dns.servers ADDRESS names others.",
            )
        ]
    finally:
        resolver.close()


# ---- the machine ----------------------------------------------------------------------------------------------


def machine_facts(home: Home, configuration: Configuration) -> MachineFacts:
    """Return who we are and what there is."""
    return MachineFacts(
        is_root=os.geteuid() == 0,
        user_exists=_user_exists(configuration.user),
        home_is_public=bool(home.path.stat().st_mode & _EVERYONE),
        free=shutil.disk_usage(home.path).free,
    )


def _user_exists(user: str) -> bool:
    try:
        return bool(user and pwd.getpwnam(user))
    except KeyError:
        return False


def certificate_facts(configuration: Configuration) -> CertificateFacts:
    """Return what is to be known of the certificate and its key."""
    certificate, key = configuration.in_home(configuration.certificate), configuration.in_home(configuration.key)
    try:
        make_server_context(certificate, key)
        found = read_certificate(certificate)
    except ConfigFault as fault:
        return CertificateFacts(path=str(certificate), fault=fault.detail, remedy=fault.remedy)
    return CertificateFacts(
        path=str(certificate),
        names=found.names,
        expires=found.expires,
        self_signed=found.self_signed,
        key_is_public=bool(key.stat().st_mode & _EVERYONE),
    )


# ---- ports ----------------------------------------------------------------------------------------------------


async def _all_ports(configuration: Configuration, probe: Probe) -> list[PortFacts]:
    pairs = [
        (listener, Bind(str(configuration.in_home(bind.host)), -1) if bind.is_unix else bind)
        for listener in configuration.listeners
        for bind in listener.bind
    ]
    seen = await asyncio.gather(*(probe(listener, bind) for listener, bind in pairs))
    return [
        PortFacts(listener.name, str(bind), state, detail)
        for (listener, bind), (state, detail) in zip(pairs, seen, strict=True)
    ]


async def port_answers(listener: ListenerConfig, bind: Bind) -> tuple[PortState, str]:
    """Connect to a listener of a running server and wait for its greeting."""
    context: ssl.SSLContext | None = None
    if listener.tls == "implicit":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is asked whether it answers
    try:
        async with asyncio.timeout(PORT_PATIENCE):
            reader, writer = await _connect(bind, context)
            try:
                greeting = await reader.readline()
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError) as fault:
        return PortState.SILENT, str(fault) or "no greeting"
    text = greeting.decode("utf-8", "replace").strip()
    return (PortState.ANSWERS if text else PortState.SILENT), text or "closed without a greeting"


async def _connect(bind: Bind, context: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if bind.is_unix:
        return await asyncio.open_unix_connection(bind.host, ssl=context)
    host = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host)
    return await asyncio.open_connection(host, bind.port, ssl=context)


async def port_is_free(_: ListenerConfig, bind: Bind) -> tuple[PortState, str]:
    """Try whether the server could listen there."""
    if bind.is_unix:
        return PortState.FREE, ""
    for host in ("0.0.0.0", "::") if bind.host == "*" else (bind.host,):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as link:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                link.bind((host, bind.port))
        except OSError as fault:
            if bind.host == "*" and host == "::" and fault.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                continue  # a kernel without IPv6
            return _STATES.get(fault.errno or 0, PortState.NO_ADDRESS), fault.strerror or str(fault)
    return PortState.FREE, ""


_STATES = {errno.EADDRINUSE: PortState.TAKEN, errno.EACCES: PortState.NO_RIGHT, errno.EPERM: PortState.NO_RIGHT}
