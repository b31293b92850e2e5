"""The texts of messages that the server writes, as operations: list, show, set, take back, preview (DI-12).

A text is set for the server, a post office or a domain, in one language, by whoever administers that. What it may say
is checked before it is kept. Tests: ``tests/unit/services/administration/operations/test_wording_operations.py``.
"""

from __future__ import annotations

import difflib
from typing import Any, Final

from pydantic import Field

from posthouse.config.setting import Scope
from posthouse.services.administration import scopes, words
from posthouse.services.administration.access import outside, reaches, require_role
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.messages.definitions import MESSAGES, ServerMessage
from posthouse.services.administration.messages.post import server_mail
from posthouse.services.administration.messages.wordings import DEFAULT, Wording, languages_for, scopes_for
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
    on_own,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.store.directory_rows import WordingRow
from posthouse.store.directory_values import PutWording

_SCOPE: Final = "`server`, `office:NAME` or `domain:NAME`; empty: all that you administer."
_LANGUAGE: Final = "A language such as `en` or `de-AT`; empty: that of the scope."


class ListWordings(PageInput):
    """Which messages to list."""

    scope: str = Field("", max_length=400, description=_SCOPE)


class OneWording(Input):
    """A message in a scope and language."""

    name: str = Field(max_length=64, description="The message, such as `welcome`.")
    scope: str = Field("", max_length=400, description=_SCOPE)
    language: str = Field("", max_length=40, description=_LANGUAGE)


class SetWording(OneWording):
    """New words."""

    subject: str | None = Field(None, max_length=1_000, description="The subject; without it, the one in force.")
    text: str | None = Field(None, max_length=100_000, description="The text; without it, the one in force.")


class MessageItem(Output):
    """A message that the server writes."""

    name: str = Field(description="Its name.")
    sent: str = Field(description="When it is sent, and to whom.")
    changed: list[str] = Field(description="Where and in which languages it was changed, among what you administer.")


class VariableItem(Output):
    """Something that a text may say."""

    name: str = Field(description="Its name; `{{ name }}` stands for its value.")
    meaning: str = Field(description="What it is.")


class WordingShown(Output):
    """The words of a message."""

    name: str = Field(description="The message.")
    scope: str = Field(description="For whom these words were asked.")
    language: str = Field(description="The language of the words.")
    source: str = Field(description="The scope that changed them, or `default`.")
    subject: str = Field(description="The subject.")
    text: str = Field(description="The text.")


class WordingDetail(WordingShown):
    """The words of a message, and what they may say."""

    sent: str = Field(description="When it is sent, and to whom.")
    variables: list[VariableItem] = Field(description="What the subject and the text may say.")


@operation(
    "wording", "list", rule=Rule(Role.DOMAIN, on_own()), http="GET /wordings", columns=("name", "sent", "changed")
)
async def list_(call: Call, given: ListWordings) -> Page[MessageItem]:
    """List the messages that the server writes, and where their words were changed."""
    place = await _place(call, given.scope)
    after = key_of(given.cursor)
    changed: dict[str, list[str]] = {}
    for row in await call.desk.store.wordings():
        if row.scope == place.text or place.kind is Scope.SERVER:
            changed.setdefault(row.name, []).append(f"{row.scope} {row.language}")
    items = [
        MessageItem(name=name, sent=each.sent, changed=changed.get(name, []))
        for name, each in sorted(MESSAGES.items())
        if name > after
    ]
    return reading.as_page(items, given.limit, lambda item: item.name, lambda item: item)


@operation("wording", "show", rule=Rule(Role.DOMAIN, on_own()), http="GET /wordings/{name}", arguments=("name",))
async def show(call: Call, given: OneWording) -> WordingDetail:
    """Show the words of a message that are in force, and what they may say."""
    message = _message(given.name)
    place = await _place(call, given.scope)
    found = await _in_force(call, message, place, given.language)
    return WordingDetail(
        **dict(_shown(message, place, found)),
        sent=message.sent,
        variables=[VariableItem(name=each.name, meaning=each.meaning) for each in message.all_variables],
    )


@operation(
    "wording", "set", rule=Rule(Role.DOMAIN, on_own()), http="PUT /wordings/{name}", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def set_(call: Call, given: SetWording) -> WordingShown:
    """Set the words of a message in a scope and language; what they may say is checked.

    A line break stays one; a paragraph is one long line, which mail programs break as they need.
    """
    from posthouse.services.administration.messages.template import check  # loads the engine of templates

    message = _message(given.name)
    place = await _place(call, given.scope)
    now = await _in_force(call, message, place, given.language)
    language = _tag(given.language) or now.language
    subject = now.subject if given.subject is None else given.subject
    text = now.text if given.text is None else words.paragraphs(given.text)
    check(message, subject, text)
    old = await _row(call, place, message, language)
    if old is None or (old.subject, old.text) != (subject, text):
        await _commit(call, place, old, WordingRow(place.text, message.name, language, subject, text))
    return _shown(message, place, Wording(subject, text, language, place.text))


@operation(
    "wording", "unset", rule=Rule(Role.DOMAIN, on_own()), http="DELETE /wordings/{name}", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def unset(call: Call, given: OneWording) -> Nothing:
    """Take the words of a message back to what the scope inherits."""
    message = _message(given.name)
    place = await _place(call, given.scope)
    language = _tag(given.language) or (await _in_force(call, message, place, "")).language
    old = await _row(call, place, message, language)
    if old is None:
        raise Refused(
            f"{message.name} was not changed in {place.text} for {language}",
            "`posthouse wording list` shows what was.",
            kind=Kind.MISSING,
            field="name",
        )
    await _commit(call, place, old, None)
    return Nothing()


@operation(
    "wording", "preview", rule=Rule(Role.DOMAIN, on_own()), http="GET /wordings/{name}/preview", arguments=("name",)
)
async def preview(call: Call, given: OneWording) -> WordingShown:
    """Show a message as it would be read, with samples in place of its variables."""
    from posthouse.services.administration.messages.template import UNFILLABLE, fill

    message = _message(given.name)
    place = await _place(call, given.scope)
    found = await _in_force(call, message, place, given.language)
    try:
        subject, text = fill(found.subject, found.text, message.samples)
    except UNFILLABLE:
        raise Refused(
            f"the words of {message.name} in {found.source} cannot be filled in, so those behind them are used",
            "Set them anew: posthouse wording set.",
            kind=Kind.NOT_NOW,
            field="name",
        ) from None
    return _shown(message, place, Wording(subject, text, found.language, found.source))


# -- common ---------------------------------------------------------------------------------------------------------


def _message(name: str) -> ServerMessage:
    message = MESSAGES.get(name.strip().lower())
    if message is None:
        near = difflib.get_close_matches(name, MESSAGES, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`posthouse wording list` shows those there are."
        raise Refused(f"there is no message {words.shown(name)}", hint, kind=Kind.MISSING, field="name")
    return message


def _tag(language: str) -> str:
    """Return a language as texts are kept by it. Raises Refused."""
    return words.language(language).lower()


async def _place(call: Call, text: str) -> scopes.Place:
    """Return a scope whose words the caller may read and change. Raises Refused."""
    place = scopes.place_of(text) if text.strip() else _whole_of(call)
    if place.kind is Scope.ACCOUNT:
        raise Refused(
            "words cannot be set for one account", "Set them for server, office:NAME or domain:NAME.", field="scope"
        )
    require_role(call.caller, scopes.OWN_ROLES[place.kind], f"changing the words of {place.text}")
    if not await reaches(call.desk.store, call.caller, place.target):
        raise outside(place.target)
    return await scopes.existing(call.desk.store, place)


def _whole_of(call: Call) -> scopes.Place:
    caller = call.caller
    if caller.role is Role.SERVER:
        return scopes.Place(Scope.SERVER)
    if caller.role is Role.OFFICE:
        return scopes.Place(Scope.OFFICE, caller.office)
    return scopes.Place(Scope.DOMAIN, caller.domain)


async def _in_force(call: Call, message: ServerMessage, place: scopes.Place, language: str) -> Wording:
    domain = place.domain
    row = await call.desk.store.domain(domain) if domain else None
    office = row.office if row is not None else place.office
    languages = languages_for(call.desk.settings, _tag(language), domain)
    found = await server_mail(call.desk).wordings.find(message.name, languages, scopes_for(domain, office))
    return found[0]


async def _row(call: Call, place: scopes.Place, message: ServerMessage, language: str) -> WordingRow | None:
    for row in await call.desk.store.wordings():
        if (row.scope, row.name, row.language.lower()) == (place.text, message.name, language):
            return row
    return None


async def _commit(call: Call, place: scopes.Place, old: WordingRow | None, new: WordingRow | None) -> None:
    row = new or old
    assert row is not None, "something is changed"
    value = PutWording(
        scope=row.scope,
        name=row.name,
        language=old.language if old is not None else row.language,
        subject=row.subject,
        text=new.text if new is not None else None,
    )
    office = place.office
    if place.domain:
        home = await call.desk.store.domain(place.domain)
        office = home.office if home is not None else ""
    await call.commit(
        value,
        subject=f"wording:{row.scope}:{row.name}:{value.language}",
        before=_told(old),
        after=_told(new),
        place=(office, place.domain),
    )


def _told(row: WordingRow | None) -> dict[str, Any] | None:
    return {"subject": row.subject, "text": row.text} if row is not None else None


def _shown(message: ServerMessage, place: scopes.Place, found: Wording) -> WordingShown:
    return WordingShown(
        name=message.name,
        scope=place.text,
        language=found.language,
        source=found.source if found.source != DEFAULT else DEFAULT,
        subject=found.subject,
        text=found.text,
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (list_, show, set_, unset, preview)
