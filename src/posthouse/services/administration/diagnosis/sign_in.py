"""An explained sign-in: every step from the name to the mailbox, with what each said, and the real thing at the end.

The last step signs in at our own listener as a mail program does, so that what no service knows is seen as well. The
password goes to the sources and to the listener and nowhere else: no step tells anything of it.
Tests: ``tests/interop/test_check_live.py``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from posthouse.config.file import ListenerConfig
from posthouse.core.address import parse_address
from posthouse.core.errors import Fault, SyntaxFault
from posthouse.services.administration.diagnosis.dialogue import Link, LinkFault, linked, place_of
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.sign_in_steps import Step
from posthouse.services.administration.diagnosis.topics.services import start_tls
from posthouse.services.identity.schemes import is_weak, scheme_of
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import AccountKind, AccountState

PROTOCOLS: Final = ("imap", "pop3", "smtp")


@dataclass(frozen=True, slots=True)
class SignInReport:
    """The steps in order, and whether the sign-in came about."""

    address: str
    protocol: str
    steps: tuple[Step, ...]
    is_signed_in: bool


async def explain_sign_in(parts: DiagnosisParts, login: str, password: bytes, protocol: str) -> SignInReport:
    """Go through a sign-in. ``protocol`` is one of ``PROTOCOLS``. Never raises for what is wrong with it."""
    steps = await _directory_steps(parts, login)
    if parts.explain_sign_in is not None:
        try:
            steps += await parts.explain_sign_in(login, password, protocol)
        except Fault as fault:
            steps.append(_bad("sign-in sources", fault.detail or "they could not be asked", "Try again later."))
    last = await _listener_step(parts, login, password, protocol)
    return SignInReport(login, protocol, (*steps, last), last.is_good is True)


def _good(name: str, text: str) -> Step:
    return Step(name=name, is_good=True, text=text)


def _bad(name: str, text: str, remedy: str = "") -> Step:
    return Step(name=name, is_good=False, text=text, remedy=remedy)


# ---- the directory ------------------------------------------------------------------------------------------------


async def _directory_steps(parts: DiagnosisParts, login: str) -> list[Step]:
    if parts.store is None:
        return [_bad("store", parts.store_fault or "cannot be opened", "See posthouse check --only 'store.*'.")]
    if "@" not in login:
        text = "a name without a domain: it is looked for in the default domain, then in all"
        return [Step(name="name", is_good=None, text=text)]
    try:
        address = parse_address(login)
    except SyntaxFault as fault:
        return [_bad("name", f"is no address: {fault.detail}", "Write it like anna@example.org.")]
    domain = await _domain_step(parts.store, address.domain)
    account = await parts.store.account(address.folded) if domain.is_good else None
    if not domain.is_good:
        return [domain]
    if account is None:
        return [domain, await _missing_step(parts.store, address.folded)]
    return [domain, *_account_steps(account, address.folded)]


async def _domain_step(store: Store, name: str) -> Step:
    row = await store.domain(name)
    if row is None:
        return _bad("domain", f"{name} is no domain of ours", f"posthouse domain add {name}")
    if row.disabled:
        return _bad("domain", f"{name} is disabled", f"posthouse domain set {name} --enabled")
    return _good("domain", f"{name} stands for {row.alias_of}" if row.alias_of else f"{name} is a domain of ours")


async def _missing_step(store: Store, address: str) -> Step:
    local_part, _, name = address.rpartition("@")
    row = await store.domain(name)
    if row is not None and row.alias_of:
        if await store.account(f"{local_part}@{row.alias_of}") is not None:
            return _good("account", f"it is {local_part}@{row.alias_of}")
    if await store.alias(address) is not None:
        return _bad("account", f"{address} is an alias", "People sign in with the address of their account.")
    if await store.group(address) is not None:
        return _bad("account", f"{address} is a group", "People sign in with the address of their account.")
    text = f"there is no account {address} yet; a sign-in source may know the name"
    return Step(name="account", is_good=None, text=text, remedy=f"posthouse account add {address}")


def _account_steps(account: AccountRow, address: str) -> list[Step]:
    name = f"{address} is a further address of {account.address}" if account.address != address else account.address
    if account.kind is AccountKind.SHARED:
        return [_bad("account", f"{name} is a shared mailbox: nobody signs in as it", "Sign in as one of its members.")]
    if not account.may_sign_in:
        verb = "restore" if account.state is AccountState.HELD else "enable"
        remedy = f"posthouse account {verb} {account.address}"
        return [_bad("account", f"{name}: {account.state.value}", remedy)]
    steps = [_good("account", f"{name} is active")]
    if account.source:
        steps.append(Step(name="password", is_good=None, text=f"the sign-in source {account.source} knows it"))
    elif not account.password_hash:
        steps.append(
            _bad("password", "no password is kept here", f"posthouse account set {account.address} --password")
        )
    else:
        scheme = scheme_of(account.password_hash) or "a scheme nobody knows"
        weak = " (weak; replaced at the next sign-in)" if is_weak(account.password_hash) else ""
        steps.append(Step(name="password", is_good=None, text=f"kept as {scheme}{weak}"))
    return steps


# ---- the listener -------------------------------------------------------------------------------------------------


async def _listener_step(parts: DiagnosisParts, login: str, password: bytes, protocol: str) -> Step:
    listener = _listener(parts.configuration.listeners, protocol)
    if listener is None:
        return _bad("listener", f"no listener offers {protocol} to mail programs", "Add one to posthouse.toml.")
    bind = next(iter(listener.bind))
    host, port = place_of(listener, bind)
    if port < 0:
        host = str(parts.configuration.in_home(host))
    name = f"listener {listener.name}"
    try:
        async with linked(host, port, tls=listener.tls == "implicit") as link:
            if listener.tls == "starttls":
                refusal = await start_tls(link, listener.protocol)
                if refusal:
                    return _bad(name, f"{bind} does not start TLS: {refusal}", "See the log; restart the server.")
            answer = await _sign_in(link, login, password, listener)
    except LinkFault as fault:
        return _bad(name, f"{bind}: {fault}", "Is the server running? See the log.")
    signed_in = answer.startswith(("OK", "+OK", "235"))
    what = f"signed in at {bind}: {answer}" if signed_in else f"refused at {bind}: {answer}"
    return Step(
        name=name, is_good=signed_in, text=what, remedy="" if signed_in else "See the steps above, and the log."
    )


def _listener(listeners: Sequence[ListenerConfig], protocol: str) -> ListenerConfig | None:
    """Return the listener a mail program would use: encrypted from the first octet before the others."""
    fitting = [
        each
        for each in listeners
        if each.protocol == protocol and each.bind and (protocol != "smtp" or each.listener_class == "submission")
    ]
    order = {"implicit": 0, "starttls": 1, "off": 2}
    return min(fitting, key=lambda each: order[each.tls], default=None)


async def _sign_in(link: Link, login: str, password: bytes, listener: ListenerConfig) -> str:
    """Sign in by PLAIN (RFC 4616); return the answer. Raises LinkFault."""
    secret = base64.b64encode(b"\0" + login.encode() + b"\0" + password).decode()
    if listener.protocol == "smtp":
        if listener.tls != "starttls":
            await link.reply()
        await link.ask("EHLO check.invalid")
        return (await link.ask(f"AUTH PLAIN {secret}")).text
    if listener.tls != "starttls":
        await link.line()
    return await (_sign_in_imap if listener.protocol == "imap" else _sign_in_pop3)(link, secret)


async def _sign_in_imap(link: Link, secret: str) -> str:
    await link.say("a1 AUTHENTICATE PLAIN")
    line = await link.line()
    if line.startswith("+"):
        await link.say(secret)
        line = await link.line()
    while line.startswith("* "):
        line = await link.line()
    return line.removeprefix("a1 ")


async def _sign_in_pop3(link: Link, secret: str) -> str:
    await link.say("AUTH PLAIN")
    line = await link.line()
    if line.startswith("+ ") or line == "+":
        await link.say(secret)
        line = await link.line()
    return line
