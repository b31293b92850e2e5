"""Bans, as operations: networks that may not sign in, with what was counted, and the way back in.

A network is not banned that is wider than anybody has on purpose, that is trusted, or that the caller is in himself.
Tests: ``tests/unit/services/administration/operations/test_ban_operations.py``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import Field

from posthouse.config.definitions.auth import BAN_TIME, TRUSTED_NETWORKS
from posthouse.config.setting import parse_duration
from posthouse.services.administration import words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import NoteText, OptionalAddressText, moment
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Nothing,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    key_of,
    on_server,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.identity.bans import AUTOMATIC
from posthouse.services.identity.networks import (
    Network,
    address_of,
    format_network,
    networks_of,
    parse_network,
    parsed,
)
from posthouse.store.directory_rows import BanRow
from posthouse.store.directory_values import PutBan, RemoveBan

WIDEST_4: Final = 8  # bits
WIDEST_6: Final = 32
LONGEST: Final = 10 * 365 * 86_400.0  # seconds
_NETWORK: Final = "An IP address, or a network such as 192.0.2.0/24. Of IPv6 an address stands for its /64."
_EVERYBODY: Final = "Only for this account; empty: for every account."


class OneBan(Input):
    """A ban."""

    network: str = Field(min_length=1, max_length=64, description=_NETWORK)
    account: OptionalAddressText = Field("", description=_EVERYBODY)


class AddBan(OneBan):
    """A new ban."""

    duration: str = Field("", max_length=20, description="For how long, such as 30m, 12h or 7d; empty: auth.ban_time.")
    reason: NoteText = Field("", description="Why, for other administrators.")
    force: bool = Field(False, description="Ban it though it is wider than /8 (IPv6: /32), or you are in it yourself.")


class ListBans(PageInput):
    """Which bans."""

    address: str = Field("", max_length=64, description="Only those that keep this client out.")
    account: OptionalAddressText = Field("", description="Only those for this account.")
    ended: bool = Field(False, description="Also those that have ended within the last week.")


class Ban(Output):
    """A ban."""

    network: str = Field(description="The clients it is about.")
    account: str = Field(description="The account it is about; empty for all.")
    reason: str = Field(description="What was counted, or what an administrator wrote.")
    since: datetime | None = Field(description="Since when.")
    until: datetime | None = Field(description="Until when.")
    by: str = Field(description="Who set it; (automatic) where counting did.")


class BanExplained(Ban):
    """A ban, with what it means."""

    in_force: bool = Field(description="Whether it has not ended.")
    explanation: str = Field(description="Whom it keeps out, why, and the ways back in.")


@operation(
    "ban", "list", rule=Rule(Role.SERVER, on_server()), http="GET /bans",
    columns=("network", "account", "reason", "until", "by"),
)  # fmt: skip
async def list_(call: Call, given: ListBans) -> Page[Ban]:
    """List the networks that may not sign in."""
    account = words.own_address(given.account, "account") if given.account else ""
    if given.address and address_of(given.address.strip()) is None:
        raise Refused(f"address: {words.shown(given.address)} is no IP address", field="address")
    after, now = key_of(given.cursor), call.desk.clock.now()
    rows = [
        row
        for row in sorted(await call.desk.store.bans(), key=_key)
        if _key(row) > after
        and (given.ended or row.until > now)
        and (not account or row.account == account)
        and (not given.address or _hits(row, given.address.strip()))
    ]
    return reading.as_page(rows, given.limit, _key, _shown)


@operation(
    "ban", "show", rule=Rule(Role.SERVER, on_server()), http="GET /bans/{network}", arguments=("network",)
)  # fmt: skip
async def show(call: Call, given: OneBan) -> BanExplained:
    """Show a ban: what was counted, whom it keeps out, and the ways back in.

    Where an address has no ban of its own, the one of a network around it is shown.
    """
    row = await _around(call, given) or await _row(call, given)
    in_force = row.until > call.desk.clock.now()
    return BanExplained(**dict(_shown(row)), in_force=in_force, explanation=explanation(row, in_force=in_force))


@operation(
    "ban", "add", rule=Rule(Role.SERVER, on_server()), http="POST /bans", effect=Effect.CHANGE, arguments=("network",)
)  # fmt: skip
async def add(call: Call, given: AddBan) -> Ban:
    """Keep a network from signing in for a while; every worker does within a second."""
    network = _network(given.network)
    _check_width(network, force=given.force)
    _check_friends(call, network, force=given.force)
    now = call.desk.clock.now()
    reason = words.line(given.reason, field="reason") or "set by an administrator"
    row = BanRow(
        format_network(network), await _account(call, given.account), reason, now, now + _seconds(call, given.duration),
        call.caller.name,
    )  # fmt: skip
    old = await _find(call, row.network, row.account)
    await call.commit(
        PutBan(
            network=row.network, account=row.account, reason=reason, since=row.since, until=row.until, by=row.by
        ),
        subject=f"ban:{row.network}",
        before=_shown(old).model_dump(mode="json") if old is not None else None,
        after=_shown(row).model_dump(mode="json"),
    )  # fmt: skip
    return _shown(row)


@operation(
    "ban", "remove", rule=Rule(Role.SERVER, on_server()), http="DELETE /bans/{network}", effect=Effect.CHANGE,
    arguments=("network",),
)  # fmt: skip
async def remove(call: Call, given: OneBan) -> Nothing:
    """Lift a ban; what was counted is forgotten too."""
    row = await _row(call, given)
    await call.commit(
        RemoveBan(network=row.network, account=row.account),
        subject=f"ban:{row.network}",
        before=_shown(row).model_dump(mode="json"),
    )
    return Nothing()


def explanation(row: BanRow, *, in_force: bool) -> str:
    """Return in words whom a ban keeps out, why, and the ways back in."""
    whom = f"as {row.account}" if row.account else "as anybody"
    clients = "clients of" if "/" in row.network else "the client"
    ends = moment(row.until)
    when = ends.strftime("%Y-%m-%d %H:%M UTC") if ends else ""
    said = f"{clients} {row.network} may not sign in {whom} until {when}"
    if not in_force:
        said = f"this ban of {row.network} ended {when}"
    if row.by != AUTOMATIC:
        return f"{said[0].upper()}{said[1:]}. {row.by} set it: {row.reason}."
    ways = (
        "Repeating one old password is counted once, so this was guessing, or several programs with different wrong "
        "passwords. Ways back in: the end of the ban, another network, an app password, `posthouse ban remove`"
    )
    if not row.account:
        ways += "; an account whose owner had signed in from there is not kept out"
    return f"{said[0].upper()}{said[1:]}. Counted were {row.reason}. {ways}."


async def _row(call: Call, given: OneBan) -> BanRow:
    network = format_network(_network(given.network))
    row = await _find(call, network, await _account(call, given.account))
    if row is None:
        whom = f" from {given.account}" if given.account else ""
        raise reading.missing(f"ban of {network}{whom}", "`posthouse ban list` shows those there are.", "network")
    return row


async def _around(call: Call, given: OneBan) -> BanRow | None:
    """Return the ban in force that keeps an address out; None where there is none, or a network was named."""
    address = given.network.strip()
    if address_of(address) is None:
        return None
    account, now = await _account(call, given.account), call.desk.clock.now()
    found = [row for row in await call.desk.store.bans() if row.until > now and row.account == account]
    return next((row for row in found if _hits(row, address)), None)


async def _find(call: Call, network: str, account: str) -> BanRow | None:
    for row in await call.desk.store.bans():
        if (row.network, row.account) == (network, account):
            return row
    return None


async def _account(call: Call, text: str) -> str:
    """Return the first address of an account; what is no account stays, since its guessers may be banned too."""
    if not text:
        return ""
    address = words.own_address(text, "account")
    row = await call.desk.store.account(address)
    return row.address if row is not None else address


def _network(text: str) -> Network:
    try:
        return parse_network(text)
    except ValueError:
        raise Refused(
            f"network: {words.shown(text)} is no IP address and no network",
            "Write it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48.",
            field="network",
        ) from None


def _check_width(network: Network, *, force: bool) -> None:
    widest = WIDEST_4 if network.version == 4 else WIDEST_6
    if network.prefixlen < widest and not force:
        raise Refused(
            f"network: {network} holds {network.num_addresses:,} addresses, more than a /{widest}",
            "Ban a narrower one, or say --force.",
            field="network",
        )


def _check_friends(call: Call, network: Network, *, force: bool) -> None:
    """Raise Refused where a ban would do nothing, or would keep out who sets it."""
    for trusted in parsed(call.desk.settings.get(TRUSTED_NETWORKS)):
        if network.version == trusted.version and network.overlaps(trusted):
            raise Refused(
                f"network: {network} is or holds {trusted}, which auth.trusted_networks never lets be banned",
                "Take it off that list first.",
                kind=Kind.NOT_NOW,
                field="network",
            )
    client = address_of(call.caller.address) if call.caller.address else None
    if client is not None and client in network and not force:
        raise Refused(f"network: you are at {client} yourself", "Say --force if you mean it.", field="network")


def _seconds(call: Call, text: str) -> float:
    if not text.strip():
        return call.desk.settings.get(BAN_TIME)
    try:
        seconds = parse_duration(text.strip())
    except ValueError:
        seconds = -1.0
    if not 1 <= seconds <= LONGEST:
        raise Refused(
            f"duration: {words.shown(text)} is no time from a second to ten years",
            "Write it like 30m, 12h or 7d.",
            field="duration",
        )
    return seconds


def _hits(row: BanRow, address: str) -> bool:
    client = address_of(address)
    if row.by == AUTOMATIC or client is None:
        return row.network in networks_of(address)
    return any(client in network for network in parsed((row.network,)))


def _key(row: BanRow) -> str:
    return f"{row.network} {row.account}"


def _shown(row: BanRow) -> Ban:
    return Ban(
        network=row.network,
        account=row.account,
        reason=row.reason,
        since=moment(row.since),
        until=moment(row.until),
        by=row.by,
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (list_, show, add, remove)
