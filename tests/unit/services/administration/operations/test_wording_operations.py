"""The words of the server's messages as administrators change them: what is checked, who may, and how to go back."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.messages.definitions import MESSAGES
from posthouse.services.administration.operations import snapshot, wording
from tests.support.desks import caller_of, do

ACME = "domain:acme.test"


async def test_a_text_is_set_shown_previewed_and_taken_back(desk) -> None:
    """For one scope and language; the rest of the message stays as it was."""
    made = await do(desk, wording.set_, name="welcome", scope=ACME, language="de-AT", text="Servus {{ name }}!\r\n")
    assert (made.language, made.source, made.subject) == ("de-at", ACME, "Willkommen bei {{ title }}")
    shown = await do(desk, wording.show, name="welcome", scope=ACME, language="de-AT")
    assert shown.text == "Servus {{ name }}!\n"
    assert {each.name for each in shown.variables} >= {"quota", "name", "title"}
    seen = await do(desk, wording.preview, name="welcome", scope=ACME, language="de-AT")
    assert (seen.subject, seen.text) == ("Willkommen bei Example Ltd", "Servus Anna Example!\n")
    assert (await do(desk, wording.show, name="welcome", scope=ACME, language="de")).source == "default"
    listed = {each.name: each.changed for each in (await do(desk, wording.list_)).items}
    assert set(listed) == set(MESSAGES)
    assert listed["welcome"] == [f"{ACME} de-at"]
    await do(desk, wording.unset, name="welcome", scope=ACME, language="de-AT")
    assert (await do(desk, wording.show, name="welcome", scope=ACME, language="de-AT")).source == "default"


async def test_scopes_inherit(desk) -> None:
    """A domain shows what its post office set, and says whose it is."""
    await do(desk, wording.set_, name="welcome", scope="office:acme", subject="Hi {{ name }}")
    shown = await do(desk, wording.show, name="welcome", scope=ACME)
    assert (shown.subject, shown.source) == ("Hi {{ name }}", "office:acme")
    assert (await do(desk, wording.show, name="welcome", scope="domain:rival.test")).source == "default"


REFUSED = {
    "no such message": ({"name": "welcom"}, Kind.MISSING, "name"),
    "no such variable": ({"text": "{{ password }}"}, Kind.INVALID, "text"),
    "a broken text": ({"text": "{% if %}"}, Kind.INVALID, "text"),
    "a subject of two lines": ({"subject": "a\nb"}, Kind.INVALID, "subject"),
    "no subject": ({"subject": " "}, Kind.INVALID, "subject"),
    "control characters": ({"text": "a\x1b[2Jb"}, Kind.INVALID, ""),
    "no language": ({"language": "Deutsch!"}, Kind.INVALID, "language"),
    "an account": ({"scope": "account:anna@acme.test"}, Kind.INVALID, "scope"),
    "no scope": ({"scope": "acme.test"}, Kind.INVALID, "scope"),
    "a domain that is not there": ({"scope": "domain:nothing.test"}, Kind.MISSING, "scope"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused(desk, name) -> None:
    """One error names the field, and nothing is kept."""
    changes, kind, field = REFUSED[name]
    with pytest.raises(Refused) as caught:
        await do(desk, wording.set_, **{"name": "welcome", "text": "Hello", **changes})
    assert (caught.value.kind, caught.value.field) == (kind, field)
    assert not await desk.store.wordings()


async def test_a_near_name_is_offered(desk) -> None:
    """Of a message that is misspelt."""
    with pytest.raises(Refused) as caught:
        await do(desk, wording.show, name="quota-waring")
    assert "quota-warning" in caught.value.remedy


REACH = {
    # who, scope asked for, scope it is or None where he may not
    "server": ("root@own.test", "", "server"),
    "server, of a domain": ("root@own.test", ACME, ACME),
    "office": ("boss@acme.test", "", "office:acme"),
    "office, of its domain": ("boss@acme.test", "domain:sister.test", "domain:sister.test"),
    "office, of another": ("boss@acme.test", "office:rival", None),
    "office, of the server": ("boss@acme.test", "server", None),
    "domain": ("admin@acme.test", "", ACME),
    "domain, of its office": ("admin@acme.test", "office:acme", None),
    "domain, of a sister": ("admin@acme.test", "domain:sister.test", None),
    "a person": ("anna@acme.test", ACME, None),
}


@pytest.mark.parametrize("name", REACH)
async def test_each_administrator_changes_his_own(desk, name) -> None:
    """Whoever administers a scope changes and reads its words; nobody else does."""
    address, scope, expected = REACH[name]
    caller = await caller_of(desk.store, address)
    for operation, more in ((wording.set_, {"text": "Hello {{ name }}"}), (wording.show, {}), (wording.preview, {})):
        if expected is None:
            with pytest.raises(Refused) as caught:
                await do(desk, operation, caller, name="welcome", scope=scope, **more)
            assert caught.value.kind is Kind.FORBIDDEN
        else:
            shown = await do(desk, operation, caller, name="welcome", scope=scope, **more)
            assert (shown.scope, shown.source) == (expected, expected)


async def test_a_dry_run_checks_and_keeps_nothing(desk) -> None:
    """What it would be is the answer."""
    made = await do(desk, wording.set_, name="welcome", text="Hello", dry_run=True)
    assert made.text == "Hello"
    assert not await desk.store.wordings()


async def test_a_change_is_traced_and_can_be_undone(desk) -> None:
    """The audit log holds the words before and after; ``undo`` brings the former back."""
    await do(desk, wording.set_, name="welcome", scope=ACME, text="One")
    await do(desk, wording.set_, name="welcome", scope=ACME, text="Two")
    await do(desk, wording.set_, name="welcome", scope=ACME, text="Two")  # changes nothing
    entries = await desk.store.audit(limit=10)
    assert [(each.before or {}).get("text") for each in entries[:2]] == ["One", None]
    assert entries[0].subject == f"wording:{ACME}:welcome:en"
    assert (entries[0].office, entries[0].domain) == ("acme", "acme.test")
    await do(desk, snapshot.undo, number=entries[0].number)
    assert (await do(desk, wording.show, name="welcome", scope=ACME)).text == "One"


async def test_taking_back_what_was_not_changed(desk) -> None:
    """Says so."""
    with pytest.raises(Refused, match="was not changed in server for en"):
        await do(desk, wording.unset, name="welcome")


async def test_words_that_came_broken_are_told(desk) -> None:
    """Such are not used; the preview says what to do."""
    from posthouse.store.directory_values import PutWording

    await desk.store.commit(
        PutWording(scope="server", name="welcome", language="en", subject="x", text="{{ nothing }}")
    )
    with pytest.raises(Refused, match="cannot be filled in"):
        await do(desk, wording.preview, name="welcome")
