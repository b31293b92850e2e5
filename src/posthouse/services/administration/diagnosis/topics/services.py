"""``services.*``: whether the running server does what it should: workers, greetings, TLS.

Tests: ``tests/interop/test_check_live.py``, ``tests/unit/test_checking.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from posthouse.config.file import Bind, ListenerConfig
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.dialogue import Link, LinkFault, linked, offers, place_of
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning

_GREETINGS: Final = {"smtp": "220", "lmtp": "220", "imap": "* OK", "pop3": "+OK"}
_RESTART: Final = "See the log; restart the server."


async def _workers(examination: Examination, _: str) -> Sequence[Finding]:
    answers = await examination.workers()
    if not answers:
        return [notice("no server runs", "no control socket answers", "posthouse serve")]
    expected = examination.parts.configuration.workers or examination.parts.machine.processors()
    numbers = ", ".join(f"{answer.get('worker')} (process {answer.get('pid')})" for answer in answers[:16])
    draining = [answer for answer in answers if answer.get("draining")]
    if len(answers) - len(draining) < expected:
        return [error(f"{len(answers) - len(draining)} of {expected} workers answer", numbers, _RESTART)]
    return [ok(f"{len(answers)} workers answer", numbers)]


def _binds(examination: Examination) -> list[tuple[ListenerConfig, Bind]]:
    listeners = examination.parts.configuration.listeners
    return [(each, bind) for each in listeners for bind in each.bind if each.protocol in _GREETINGS]


async def _greetings(examination: Examination, _: str) -> Sequence[Finding]:
    return await asyncio.gather(*(_greeting(examination, *pair) for pair in _binds(examination)))


async def _greeting(examination: Examination, listener: ListenerConfig, bind: Bind) -> Finding:
    host, port = _place(examination, listener, bind)
    try:
        async with linked(host, port, tls=listener.tls == "implicit") as link:
            line = await link.line()
    except LinkFault as fault:
        return error(f"{bind} does not greet", str(fault), _RESTART, subject=listener.name)
    if not line.startswith(_GREETINGS[listener.protocol]):
        remedy = "Another program may answer there; see which (posthouse check while the server is stopped)."
        return error(f"{bind} greets strangely", line[:200], remedy, subject=listener.name)
    return ok(f"{bind} greets", line[:200], subject=listener.name)


def _place(examination: Examination, listener: ListenerConfig, bind: Bind) -> tuple[str, int]:
    host, port = place_of(listener, bind)
    return (str(examination.parts.configuration.in_home(host)), port) if port < 0 else (host, port)


async def _tls(examination: Examination, _: str) -> Sequence[Finding]:
    pairs = [(listener, bind) for listener, bind in _binds(examination) if listener.tls != "off"]
    return await asyncio.gather(*(_tls_at(examination, *pair) for pair in pairs)) or [ok("no listener uses TLS")]


async def _tls_at(examination: Examination, listener: ListenerConfig, bind: Bind) -> Finding:
    host, port = _place(examination, listener, bind)
    try:
        async with linked(host, port, tls=listener.tls == "implicit") as link:
            refusal = "" if listener.tls == "implicit" else await start_tls(link, listener.protocol)
            served = link.certificate_digest
    except LinkFault as fault:
        return error(f"{bind}: no TLS", str(fault), _RESTART, subject=listener.name)
    if refusal:
        return error(f"{bind} does not start TLS", refusal[:200], _RESTART, subject=listener.name)
    facts = await examination.certificate()
    if served and facts.digest and served != facts.digest:
        evidence = f"served {served[:16]}..., {facts.path} is {facts.digest[:16]}..."
        what = f"{bind} serves another certificate than the file has"
        return warning(what, evidence, "posthouse reload, or send SIGHUP to the server.", subject=listener.name)
    return ok(f"{bind} starts TLS with our certificate", subject=listener.name)


async def start_tls(link: Link, protocol: str) -> str:
    """Start TLS as the protocol does; return what was said instead where it was refused. Raises LinkFault."""
    refusal = await {"imap": _stls_imap, "pop3": _stls_pop3}.get(protocol, _starttls_smtp)(link, protocol)
    if not refusal:
        await link.start_tls()
    return refusal


async def _starttls_smtp(link: Link, protocol: str) -> str:
    await link.reply()
    hello = await link.ask(f"{'LHLO' if protocol == 'lmtp' else 'EHLO'} check.invalid")
    if not offers(hello.lines, "STARTTLS"):
        return f"STARTTLS is not offered: {hello.text}"
    answer = await link.ask("STARTTLS")
    return "" if answer.code == 220 else answer.text


async def _stls_imap(link: Link, protocol: str) -> str:
    del protocol
    await link.line()
    _, lines = await link.ask_imap("CAPABILITY")
    if not offers(lines, "STARTTLS"):
        return f"STARTTLS is not offered: {' '.join(lines)}"
    answer, _ = await link.ask_imap("STARTTLS")
    return "" if answer.upper().startswith("OK") else answer


async def _stls_pop3(link: Link, protocol: str) -> str:
    del protocol
    await link.line()
    _, lines = await link.ask_pop3("CAPA", many=True)
    if not offers(lines, "STLS"):
        return f"STLS is not offered: {' '.join(lines)}"
    answer, _ = await link.ask_pop3("STLS")
    return "" if answer.startswith("+OK") else answer


CHECKS = (
    Check(
        id="services.workers",
        title="workers",
        explanation="Each worker of a running server answers on its control socket.",
        remedy="See the log; restart the server.",
        look=_workers,
    ),
    Check(
        id="services.greetings",
        title="greetings",
        explanation="Each listener of a running server greets in the words of its protocol.",
        remedy="See the log; restart the server.",
        look=_greetings,
        needs=frozenset({Need.SERVER}),
    ),
    Check(
        id="services.tls",
        title="TLS of the listeners",
        explanation="Each listener with TLS does a handshake, after STARTTLS where that is its way, and serves the "
        "certificate that is in the file: a renewed one is served after a reload only.",
        remedy="Send SIGHUP to the server; see the log.",
        look=_tls,
        needs=frozenset({Need.SERVER, Need.TLS}),
    ),
)
