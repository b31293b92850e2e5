"""A message to all users of the server, a post office, a domain, or a group, as an operation (DI-12).

A message that was interrupted goes on where it was: as the same job, or from the command line with the same ``id``.
Tests: ``tests/unit/services/administration/operations/test_notice_operations.py``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import replace
from typing import Any, Final

import orjson
from pydantic import Field

from posthouse.config.definitions.message import NOTICE_RATE
from posthouse.services.administration import words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import AddressText, DomainText, OfficeText, OptionalAddressText
from posthouse.services.administration.messages.post import server_mail
from posthouse.services.administration.messages.sendout import Notice, Sendout
from posthouse.services.administration.operation import Effect, Input, Operation, Output, Rule, on_own, operation
from posthouse.services.administration.operations import reading
from posthouse.store.contract import AlreadyExists

SUBJECT_LONGEST: Final = 300
TEXT_LONGEST: Final = 100_000  # characters
FILE_LONGEST: Final = 4 * TEXT_LONGEST  # octets
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class NoticeInput(Input):
    """To whom, and how."""

    subject: str = Field(min_length=1, max_length=SUBJECT_LONGEST, description="The subject.")
    office: OfficeText | None = Field(None, description='All users of this post office; `""` is the server\'s own.')
    domain: DomainText | None = Field(None, description="All users of this domain.")
    group: AddressText | None = Field(None, description="All members of this group.")
    sender: OptionalAddressText = Field(
        "", description="The address it is from, where answers go; empty: the postmaster of each reader's domain."
    )
    id: str = Field(
        "", max_length=64, description="A name of your own for the message: the same again goes on where it was."
    )


class SendNotice(NoticeInput):
    """A message to many."""

    text: str = Field(min_length=1, max_length=TEXT_LONGEST, description="The text, in paragraphs.")


class SendNoticeFile(NoticeInput):
    """A message to many, whose text is a file."""


class NoticeSent(Output):
    """What came of it."""

    id: str = Field(description="The name of the message, with which it can be gone on with.")
    readers: int = Field(description="How many are to get it.")
    sent: int = Field(description="How many have it.")


@operation(
    "notice", "send", rule=Rule(Role.DOMAIN, on_own()), http="POST /notices", effect=Effect.CHANGE, is_long=True,
    is_resumable=True, arguments=("subject",),
)  # fmt: skip
async def send(call: Call, given: SendNotice) -> NoticeSent:
    """Mail a message to all users of the server, of a post office, a domain or a group.

    Everybody gets it once, even where the server stops in between. A dry run says how many would. Without a post
    office, a domain or a group it goes to all that you administer.
    """
    return await _send(call, await _notice(call, given, given.text))


@operation(
    "notice", "send-file", rule=Rule(Role.DOMAIN, on_own()), http="POST /notices/file", effect=Effect.CHANGE,
    is_long=True, is_resumable=True, upload="text/plain", arguments=("subject",),
)  # fmt: skip
async def send_file(call: Call, given: SendNoticeFile) -> NoticeSent:
    """Mail the text of a file, in UTF-8, as `notice send` does."""
    notice = await _notice(call, given, "-")  # first whether he may, then what
    return await _send(call, replace(notice, text=_written(await _uploaded(call))))


async def _send(call: Call, notice: Notice) -> NoticeSent:
    desk = call.desk
    sendout = Sendout(
        desk.store,
        server_mail(desk),
        notice,
        rate=desk.settings.get(NOTICE_RATE),
        is_cancelled=call.cancelled,
    )
    readers = await sendout.count()
    if not readers:
        raise Refused("nobody would get it: there is no user, or the group leads to none or too many",
                      "Say to whom: --domain, --office or --group.", kind=Kind.NOT_NOW)  # fmt: skip
    fingerprint = _fingerprint(notice)
    point = await sendout.point(fingerprint)
    if call.dry_run:
        return NoticeSent(id=notice.id, readers=readers, sent=point.done if point is not None else 0)
    if point is None:
        await call.commit(
            sendout.beginning(fingerprint, desk.clock.now()),
            subject=f"notice:{notice.id}",
            after=_told(notice, readers),
            place=(notice.office or "", notice.domain or notice.group.rpartition("@")[2]),
        )
    try:
        point = await sendout.run(fingerprint, call.progress, readers, desk.clock.now)
    except AlreadyExists:
        raise Refused(
            f"somebody else is sending {notice.id} at this moment", "Wait until that has ended.", kind=Kind.NOT_NOW
        ) from None
    return NoticeSent(id=notice.id, readers=readers, sent=point.done)


async def _notice(call: Call, given: NoticeInput, text: str) -> Notice:
    """Return the message within the caller's reach. Raises Refused."""
    if sum(each is not None for each in (given.office, given.domain, given.group)) > 1:
        raise Refused("office, domain and group are given together", "Give one of them.", field="group")
    group = ""
    domain, office = await reading.narrowed(call, given.domain, given.office)
    if given.group is not None:
        await reading.within_reach(call, words.own_address(given.group, "group"))
        group = (await reading.group_row(call, given.group, "group")).address
    elif given.domain is not None:
        row = await reading.domain_row(call, given.domain, "domain")
        domain = row.alias_of or row.name
    elif given.office:
        await reading.office_row(call, given.office, "office")
    return Notice(
        id=_id(call, given),
        subject=words.line(given.subject.strip(), SUBJECT_LONGEST, "subject"),
        text=_written(text),
        sender=await _sender(call, given.sender),
        office=office,
        domain="" if group else domain or "",
        group=group,
        owner="" if call.caller.role is Role.SERVER else call.caller.account or call.caller.name,
    )


def _written(text: str) -> str:
    return words.paragraphs(text, TEXT_LONGEST).strip("\n")


async def _sender(call: Call, text: str) -> str:
    if not text:
        return ""
    address = words.own_address(text, "sender")
    await reading.within_reach(call, address)
    await reading.domain_row(call, address.rpartition("@")[2], "sender")
    return address


def _id(call: Call, given: NoticeInput) -> str:
    if given.id and not _ID.fullmatch(given.id):
        raise Refused(
            f"id: {words.shown(given.id)} is not a name", "Use up to 64 letters, digits, dots and hyphens.", field="id"
        )
    return given.id or call.job or secrets.token_hex(8)


async def _uploaded(call: Call) -> str:
    if call.upload is None:
        raise Refused("no file was given", "Name the file with the text.", field="file")
    found = bytearray()
    async for piece in call.upload:
        found += piece
        if len(found) > FILE_LONGEST:
            raise Refused(f"the file has more than {FILE_LONGEST} octets", "Shorten it.", kind=Kind.TOO_MUCH)
    try:
        text = found.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("the file is not text in UTF-8", "Save it in UTF-8.", field="file") from None
    if not text.strip():
        raise Refused("the file is empty", "Write the text into it.", field="file")
    return text


def _fingerprint(notice: Notice) -> str:
    told = [notice.subject, notice.text, notice.sender, notice.office, notice.domain, notice.group]
    return hashlib.sha256(orjson.dumps(told)).hexdigest()


def _told(notice: Notice, readers: int) -> dict[str, Any]:
    to = notice.group or notice.domain or ("everybody" if notice.office is None else f"office:{notice.office}")
    return {"subject": notice.subject, "to": to, "from": notice.sender, "readers": readers}


OPERATIONS: tuple[Operation[Any, Any], ...] = (send, send_file)
