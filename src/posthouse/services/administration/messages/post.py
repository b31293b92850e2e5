"""Messages of the server on their way: written in the reader's words, and planned as the value that delivers them.

Planning writes nothing: what comes back is committed together with what it tells of, or alone. Such a message has the
null reverse-path, so that nobody is ever told that it could not be delivered, and it ranks over quota.
Tests: ``tests/unit/services/administration/messages/test_post.py``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from posthouse.config.definitions.message import FROM, SEND
from posthouse.config.settings import Settings
from posthouse.core.address import Address, parse_address
from posthouse.core.clock import Clock
from posthouse.core.envelope import Recipient
from posthouse.core.errors import SyntaxFault
from posthouse.core.ids import format_queue_id
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.messages.definitions import MESSAGES, Value
from posthouse.services.administration.messages.wordings import Wordings, languages_for, prepare, scopes_for
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.routing.decisions import LocalDelivery, Routed
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import AccountKind
from posthouse.store.values import Delivery

if TYPE_CHECKING:
    from posthouse.services.delivery.notice import NoticePlanner

PART: Final = "server-mail"  # of a desk
_UNITS: Final = ("octets", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailParts:
    """What messages are made with."""

    store: Store
    settings: Settings
    clock: Clock
    hostname: str
    planner: NoticePlanner
    queue_ids: QueueIds


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is: his domain, its post office, and what the office is called."""

    domain: str
    office: str
    title: str


class ServerMail:
    """Writes messages of the server; one for each process."""

    def __init__(self, parts: MailParts) -> None:
        self._parts = parts
        self.wordings = Wordings(parts.store)

    @property
    def hostname(self) -> str:
        """The name of this server."""
        return self._parts.hostname

    @property
    def planner(self) -> NoticePlanner:
        """What plans deliveries."""
        return self._parts.planner

    def wants(self, name: str, address: str) -> bool:
        """Whether a message is sent on its occasion to an address of ours."""
        domain = address.rpartition("@")[2]
        return not MESSAGES[name].is_occasional or name in self._parts.settings.get(SEND, domain=domain)

    async def to_owner(self, name: str, account: AccountRow, values: Mapping[str, Value]) -> Delivery | None:
        """Return what delivers a message to an account; None where it is not sent, or nobody reads it.

        Raises Unavailable.
        """
        if not self.wants(name, account.address) or account.disabled or account.kind is not AccountKind.PERSON:
            return None
        place = await self.place_of(account.address.rpartition("@")[2])
        content = await self.written(name, place, values, to=account)
        return self.planner.planned(content, [owned(account)], kind=name)

    async def to_address(self, name: str, address: str, values: Mapping[str, Value]) -> Delivery | None:
        """Return what delivers a message to any address; None where it is not sent, or reaches nobody.

        Raises Unavailable.
        """
        if not self.wants(name, address):
            return None
        try:
            to = parse_address(address)
        except SyntaxFault:
            return None
        routed = await self.planner.route(to)
        if routed is None:
            return None
        reader = routed.local[0].account if len(routed.local) == 1 and not routed.remote else None
        place = await self.place_of(to.domain)
        content = await self.written(name, place, values, to=reader, address=to)
        return self.planner.planned(content, [routed], kind=name)

    async def place_of(self, domain: str) -> Place:
        """Return where readers of a domain are; the name of this server stands for itself. Raises Unavailable."""
        store = self._parts.store
        row = await store.domain(domain)
        if row is not None and row.alias_of:
            row = await store.domain(row.alias_of)
        if row is None:
            return Place(domain, "", domain)
        office = await store.office(row.office) if row.office else None
        return Place(row.name, row.office, (office.title if office is not None else "") or row.name)

    async def written(
        self,
        name: str,
        place: Place,
        values: Mapping[str, Value],
        *,
        to: AccountRow | None = None,
        address: Address | None = None,
        language: str = "",
        audience: str = "",
        sender: str = "",
        message_id: str = "",
    ) -> bytes:
        """Return a message.

        Args:
            name: which.
            place: where its readers are.
            values: its own variables.
            to: its reader, where he has an account here.
            address: how he is addressed, where not by his own address.
            language: the reader's, where ``to`` is not given; "" for that of the domain.
            audience: who its readers are, where there are many.
            sender: the address it is from; "" for that of the place.
            message_id: without brackets; "" for a new one.
        """
        await prepare()
        from posthouse.services.administration.messages.compose import Letter, compose

        parts = self._parts
        whom = address or (parse_address(to.address) if to is not None else None)
        languages = languages_for(parts.settings, to.language if to is not None else language, place.domain)
        known: dict[str, Value] = {**values, **self._common(place, to, whom)}
        scopes = scopes_for(place.domain, place.office)
        subject, text, spoken = await self.wordings.filled(name, languages, scopes, known)
        letter = Letter(
            sender=parse_address(sender) if sender else self.sender_of(place),
            sender_name=place.title if place.title != place.domain else "",
            to=whom,
            audience=audience,
            subject=subject,
            text=text,
            language=spoken,
            date=parts.clock.now(),
            message_id=message_id or f"{format_queue_id(parts.queue_ids.next())}.{name}@{parts.hostname}",
        )
        return compose(letter)

    def sender_of(self, place: Place) -> Address:
        """Return whom messages to a place are from."""
        for text in self._parts.settings.get(FROM, domain=place.domain):
            try:
                return parse_address(text)
            except SyntaxFault:
                continue
        return Address("postmaster", place.domain)

    def _common(self, place: Place, to: AccountRow | None, whom: Address | None) -> dict[str, Value]:
        address = str(whom) if whom is not None else ""
        return {
            "address": address,
            "name": (to.display_name if to is not None else "") or address,
            "domain": place.domain,
            "title": place.title,
            "hostname": self._parts.hostname,
            "postmaster": str(self.sender_of(place)),
        }


def owned(account: AccountRow) -> Routed:
    """Return the way into an account's own mailbox."""
    return Routed(Recipient(parse_address(account.address)), (LocalDelivery(account, account.address),))


def server_mail(desk: Desk) -> ServerMail:
    """Return what writes messages of the server for a desk; made once."""
    if PART not in desk.parts:
        from posthouse.services.delivery.notice import NoticePlanner
        from posthouse.services.identity.directory import Directory
        from posthouse.services.routing.router import Router

        queue_ids = QueueIds(desk.clock, os.getpid())
        directory = Directory(desk.store, desk.clock, desk.settings, hostname=desk.hostname)
        planner = NoticePlanner(Router(directory, desk.settings), queue_ids, desk.settings, desk.clock)
        made = ServerMail(
            MailParts(
                store=desk.store,
                settings=desk.settings,
                clock=desk.clock,
                hostname=desk.hostname,
                planner=planner,
                queue_ids=queue_ids,
            )
        )
        desk.parts[PART] = lambda: made
    found: Any = desk.part(PART)
    assert isinstance(found, ServerMail)
    return found


def moment_text(seconds: float) -> str:
    """Return a moment as messages write it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def size_text(octets: int) -> str:
    """Return a size as messages write it: ``820.0 MiB``; "" for 0."""
    if not octets:
        return ""
    size, unit = float(octets), 0
    while size >= 1024 and unit + 1 < len(_UNITS):
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{octets} {_UNITS[0]}"
