"""One message to many mailboxes: all users of the server, a post office, a domain, or a group (DI-12).

Mailboxes are filled in steps; a step is one commit that files the message for up to ``STEP`` readers, keeps how far it
is, and claims its number. So whoever does the rest after a worker died begins after the last reader who has it, and
two who would do the same step cannot: nobody is left out and nobody gets it twice. Readers of one domain and language
share one message in the store. Between two steps it waits, as ``message.notice_rate`` says, so that other mail goes on.
Tests: ``tests/unit/services/administration/messages/test_sendout.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import orjson

from posthouse.core.address import parse_address
from posthouse.core.envelope import Recipient
from posthouse.core.errors import Unavailable
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.messages.once import claim
from posthouse.services.administration.messages.post import Place, ServerMail, owned
from posthouse.services.routing.decisions import LocalDelivery, RemoteDelivery, Routed
from posthouse.store.contract import Store, Vanished
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import AccountKind, KeepReply
from posthouse.store.values import Change

STEP: Final = 100  # readers of one commit
PAGE: Final = 200  # accounts read at once, while nobody else has a turn
PURPOSE: Final = "notice"
KEPT: Final = 30 * 86_400.0  # seconds for which it is known how far a message is
ATTEMPTS: Final = 3  # at a step, each without those who are gone
DONE: Final = 200  # the status of what is kept, so that it may be written again
Sleep = Callable[[float], Awaitable[None]]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message to many.

    Attributes:
        id: names it; whoever goes on with it uses the same.
        subject, text: as they were given.
        sender: the address it is from; "" for the postmaster of each reader's domain.
        office: all domains of a post office ("" the server's own); None for any.
        domain: the one domain; "" for any.
        group: the one group; "" for none, then ``office`` and ``domain`` say whose.
        owner: who sends it, where his names of messages are his own; "" for administrators of the server.
    """

    id: str
    subject: str
    text: str
    sender: str = ""
    office: str | None = None
    domain: str = ""
    group: str = ""
    owner: str = ""

    @property
    def kept_as(self) -> str:
        """The name under which it is kept how far it is: nobody meets a message of another customer by its id."""
        return f"{self.owner} {self.id}" if self.owner else self.id


@dataclass(frozen=True, slots=True)
class Reader:
    """One of the many; ``key`` orders them. An address that is not ours has no account."""

    key: tuple[str, str]
    routed: Routed

    @property
    def account(self) -> AccountRow | None:
        """The account, where it is one of ours."""
        return self.routed.local[0].account if self.routed.local else None


@dataclass(frozen=True, slots=True)
class Point:
    """How far a message is: readers who have it, steps done, and the key of the last reader."""

    done: int = 0
    steps: int = 0
    after: tuple[str, str] = ("", "")


class Sendout:
    """Sends one notice.

    Args:
        rate: mailboxes in a second, at most.
        is_cancelled: whether to stop after the step at hand.
        sleep: waits; tests hand in their own.
    """

    def __init__(
        self,
        store: Store,
        mail: ServerMail,
        notice: Notice,
        *,
        rate: int,
        is_cancelled: Callable[[], bool] = lambda: False,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store = store
        self._mail = mail
        self._notice = notice
        self._rate = rate
        self._is_cancelled = is_cancelled
        self._sleep = sleep
        self._places: dict[str, Place] = {}

    async def count(self) -> int:
        """Return how many would get it."""
        count = 0
        async for _ in self.readers(("", "")):
            count += 1
        return count

    async def point(self, fingerprint: str) -> Point | None:
        """Return how far it is; None where it was not begun.

        Raises Refused: where the same name was given to another message, of which ``fingerprint`` is none; Unavailable.
        """
        row = await self._store.kept_reply(f"({PURPOSE})", self._notice.kept_as)
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise Refused(f"{self._notice.id} is the name of another message", "Choose another.", field="id")
        kept = orjson.loads(row.body)
        return Point(kept["done"], kept["steps"], (kept["after"][0], kept["after"][1]))

    def beginning(self, fingerprint: str, now: float) -> KeepReply:
        """Return the value that says that it was begun."""
        return self._kept(Point(), fingerprint, now)

    async def run(self, fingerprint: str, progress: Progress, total: int, now: Callable[[], float]) -> Point:
        """Send the rest, or what of it is done when it is cancelled; return how far it is.

        Raises AlreadyExists: somebody else is at it; Unavailable.
        """
        point = await self.point(fingerprint) or Point()
        waiting: list[Reader] = []
        async for reader in self.readers(point.after):
            waiting.append(reader)
            if len(waiting) >= STEP:
                point = await self._step(point, waiting, fingerprint, now())
                waiting = []
                progress(point.done, total, f"{point.done} mailboxes")
                if self._is_cancelled():
                    return point
                await self._sleep(STEP / self._rate)
        if waiting:
            point = await self._step(point, waiting, fingerprint, now())
            progress(point.done, total, f"{point.done} mailboxes")
        return point

    # ---- one step ---------------------------------------------------------------------------------------------

    async def _step(self, point: Point, readers: list[Reader], fingerprint: str, now: float) -> Point:
        """Commit one step. An account that was destroyed since it was read is left out."""
        last = readers[-1].key
        for _ in range(ATTEMPTS):
            following = Point(point.done + len(readers), point.steps + 1, last)
            once = claim(PURPOSE, f"{self._notice.kept_as} {following.steps}", now)
            try:
                await self._store.commit(
                    once, self._kept(following, fingerprint, now), *await self._deliveries(readers)
                )
            except Vanished:
                readers = [each for each in readers if await self._is_there(each)]
            else:
                return following
        raise Unavailable("accounts go faster than a message reaches them", where="administration.sendout")

    async def _is_there(self, reader: Reader) -> bool:
        return reader.account is None or await self._store.account_by_id(reader.account.id) is not None

    async def _deliveries(self, readers: list[Reader]) -> list[Change]:
        """Return one delivery for each domain and language."""
        changes: list[Change] = []
        alike: dict[tuple[str, str], list[Reader]] = {}
        for each in readers:
            spoken = each.account.language if each.account is not None else ""
            alike.setdefault((each.key[0], spoken), []).append(each)
        for (domain, language), some in alike.items():
            content = await self._content(domain, language)
            changes.append(self._mail.planner.planned(content, [each.routed for each in some], kind="notice"))
        return changes

    def _kept(self, point: Point, fingerprint: str, now: float) -> KeepReply:
        return KeepReply(
            caller=f"({PURPOSE})",
            key=self._notice.kept_as,
            fingerprint=fingerprint,
            at=now + KEPT,
            status=DONE,
            body=orjson.dumps({"done": point.done, "steps": point.steps, "after": point.after}),
        )

    async def _content(self, domain: str, language: str) -> bytes:
        notice = self._notice
        home = notice.group.rpartition("@")[2] or domain
        if home not in self._places:
            self._places[home] = await self._mail.place_of(home)
        tag = hashlib.sha256(f"{home} {language}".encode()).hexdigest()[:12]
        return await self._mail.written(
            "notice",
            self._places[home],
            {"subject": notice.subject, "text": notice.text},
            language=language,
            audience=notice.group or home,
            sender=notice.sender,
            message_id=f"{notice.id}.{tag}.notice@{self._mail.hostname}",
        )

    # ---- who gets it ------------------------------------------------------------------------------------------

    def readers(self, after: tuple[str, str]) -> AsyncIterator[Reader]:
        """Yield who gets it, in order of domain and address, from after a key. Raises Unavailable."""
        return self._in_group(after) if self._notice.group else self._in_domains(after)

    async def _in_domains(self, after: tuple[str, str]) -> AsyncIterator[Reader]:
        for domain in await self._domains():
            if domain < after[0]:
                continue
            last = after[1] if domain == after[0] else ""
            while page := await self._store.accounts(domain=domain, after=last, limit=PAGE):
                last = page[-1].address
                for row in page:
                    if not row.disabled and row.kind is AccountKind.PERSON:
                        yield Reader((domain, row.address), owned(row))
                await asyncio.sleep(0)  # the store of one machine answers at once; others get their turn here

    async def _domains(self) -> list[str]:
        if self._notice.domain:
            return [self._notice.domain]
        rows = await self._store.domains(office=self._notice.office)
        return [row.name for row in rows if not row.alias_of and not row.disabled]

    async def _in_group(self, after: tuple[str, str]) -> AsyncIterator[Reader]:
        """Everybody behind a group, found through other groups and aliases too."""
        group = parse_address(self._notice.group)
        routed = await self._mail.planner.route(group)
        if routed is None:
            return
        ways: list[LocalDelivery | RemoteDelivery] = [*routed.local, *routed.remote]
        found = {
            ("", str(each.address)): Routed(
                Recipient(parse_address(str(each.address))),
                (each,) if isinstance(each, LocalDelivery) else (),
                (each,) if isinstance(each, RemoteDelivery) else (),
            )
            for each in ways
        }
        for key in sorted(found):
            if key > after:
                yield Reader(key, found[key])
