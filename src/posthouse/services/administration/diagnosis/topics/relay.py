"""``relay.*``: who may send through us without signing in, by the settings and by trying it.

Tests: ``tests/unit/services/administration/diagnosis/test_relay_test.py``,
and with a server that is open ``tests/interop/test_check_live.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from posthouse.config.definitions.relay import LOCAL_SENDER, NETWORKS
from posthouse.config.file import Bind, ListenerConfig
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.dialogue import LinkFault, linked, place_of
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning
from posthouse.services.administration.diagnosis.relay_safety import review_networks
from posthouse.services.administration.diagnosis.relay_test import (
    RelayTest,
    literals_of,
    run_relay_test,
    source_for,
    strangers,
    tricks,
)

_NETWORKS_REMEDY: Final = "posthouse setting set relay.networks with the networks of your own machines only."


async def _networks(examination: Examination, _: str) -> Sequence[Finding]:
    settings = examination.parts.settings
    networks, local_sender = settings.get(NETWORKS), settings.get(LOCAL_SENDER)
    review = review_networks(networks)
    make = warning if examination.selection.forced else error
    found = [
        make(
            "open relay: anyone may send to anywhere through this server",
            f"relay.networks has {text}",
            _NETWORKS_REMEDY,
        )
        for text in review.open
    ]
    found += [
        warning("a wide network may send to anywhere", f"relay.networks has {text}", _NETWORKS_REMEDY)
        for text in review.wide
    ]
    found += [
        error("not a network, so it trusts nobody", f"relay.networks has {text}", _NETWORKS_REMEDY)
        for text in review.unreadable
    ]
    if local_sender:
        what = "anyone who knows one of your addresses may send to anywhere"
        found.append(warning(what, "relay.local_sender is yes", "posthouse setting unset relay.local_sender"))
    well = "relay.networks is narrow" if networks else "only who signs in may send to anywhere"
    return found or [ok(well, ", ".join(networks))]


async def _relay_domains(examination: Examination, _: str) -> Sequence[Finding]:
    found = [
        error(
            "open relay: strangers may send to a whole top-level domain",
            f"{row.domain} -> {row.host}:{row.port}",
            f"posthouse route set '{row.domain}' --host {row.host} (without --recipients-local)",
            subject=row.domain,
        )
        for row in await examination.routes()
        if row.recipients_local and row.domain.count(".") <= (1 if row.domain.startswith(".") else 0)
    ]
    return found or [ok("no route lets strangers send to half the world")]


async def _self_test(examination: Examination, _: str) -> Sequence[Finding]:
    pairs = [
        (listener, bind)
        for listener in examination.parts.configuration.listeners
        if listener.protocol == "smtp"
        and listener.listener_class in {"mx", "submission"}
        and listener.tls != "implicit"
        for bind in listener.bind
        if not bind.is_unix
    ]
    if not pairs:
        return [ok("no listener takes mail from others")]
    return await asyncio.gather(*(self_test_of(examination, listener, bind) for listener, bind in pairs))


async def self_test_of(examination: Examination, listener: ListenerConfig, bind: Bind) -> Finding:
    """Try every trick on one address of a listener."""
    host, port = place_of(listener, bind)
    networks = examination.parts.settings.get(NETWORKS)
    source = source_for(host, networks)
    if source is None and not review_networks(networks).open:
        evidence = f"relay.networks has {', '.join(networks)}"
        remedy = "Ask somebody outside to try it, or take this machine out of relay.networks."
        what = f"{bind}: this machine is trusted, so the test from here shows nothing"
        return notice(what, evidence, remedy, subject=listener.name)
    far, ours = await _names(examination)
    literals = literals_of(await _own_addresses(host, port))
    test = await run_relay_test(host, port, source or "", list(tricks(ours, literals, far)))
    return _judged(examination, listener, test, has_catch_all=await _has_catch_all(examination, ours))


async def _names(examination: Examination) -> tuple[tuple[str, str], str]:
    """Return two strange domains, and one of ours: without a catch-all where there is one."""
    domains = [row for row in await examination.domains() if not row.disabled]
    routes = [row.domain.removeprefix(".") for row in await examination.routes() if row.recipients_local]
    far = strangers([row.name for row in domains] + routes)
    chosen = next((row for row in domains if not row.catch_all), next(iter(domains), None))
    return far, chosen.name if chosen is not None else ""


async def _has_catch_all(examination: Examination, ours: str) -> bool:
    row = await examination.store.domain(ours) if ours else None
    return row is not None and bool(row.catch_all)


async def _own_addresses(host: str, port: int) -> list[str]:
    try:
        async with linked(host, port) as link:
            return [link.source.partition("%")[0]] if link.source else []
    except LinkFault:
        return []


def _judged(examination: Examination, listener: ListenerConfig, test: RelayTest, *, has_catch_all: bool) -> Finding:
    """Say what the test means. What ends in a domain of ours with a catch-all is taken in, and not relayed."""
    let = [each for each in test.accepted if not (each.trick.is_local_looking and has_catch_all)]
    if let:
        names = "; ".join(f"{each.trick.name} (<{each.trick.forward_path}>: {each.reply})" for each in let[:5])
        make = warning if examination.selection.forced else error
        what = f"{test.place} is an open relay: {len(let)} of {len(test.attempts)} tricks were let through"
        remedy = f"{_NETWORKS_REMEDY} See relay.local_sender and the routes too."
        return make(what, names, remedy, subject=listener.name)
    if test.fault:
        what = f"{test.place}: the test could not be ended"
        return warning(what, test.fault, "See that the listener is well (services.greetings).", subject=listener.name)
    deferred = sum(attempt.verdict.value == "deferred" for attempt in test.attempts)
    evidence = f"from {test.source or 'this machine'}"
    if deferred:
        what = f"{test.place} refused or put off all {len(test.attempts)} tricks ({deferred} put off)"
        return notice(what, evidence, "Try again later: what was put off may be let through.", subject=listener.name)
    return ok(f"{test.place} refused all {len(test.attempts)} tricks", evidence, subject=listener.name)


CHECKS = (
    Check(
        id="relay.networks",
        title="who may send without signing in",
        explanation="Whoever is in relay.networks may send to anywhere. A wide network there makes an open relay, "
        "which is found within hours, and whose mail is then refused everywhere.",
        remedy=_NETWORKS_REMEDY,
        look=_networks,
        needs=frozenset({Need.STORE}),
    ),
    Check(
        id="relay.domains",
        title="routes that strangers may use",
        explanation="A route with --recipients-local lets strangers send to its domain. For a whole top-level domain "
        "that is an open relay.",
        remedy="posthouse route set DOMAIN without --recipients-local.",
        look=_relay_domains,
        needs=frozenset({Need.STORE}),
    ),
    Check(
        id="relay.self_test",
        title="relay self-test",
        explanation="Talks to our own listeners as a stranger who writes to a stranger, in every way in which servers "
        "have been talked into relaying: forged senders, percent and bang paths, quoted addresses, source routes, "
        "address literals. All must be refused. No message is sent.",
        remedy=_NETWORKS_REMEDY,
        look=_self_test,
        needs=frozenset({Need.STORE, Need.SERVER}),
    ),
)
