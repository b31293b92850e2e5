"""Settings: who may read and set what, what explanation says, history and undo."""

import pytest

from posthouse.config.definitions.auth import FAILURE_LIMIT, FAILURE_WINDOW
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import setting
from tests.support.desks import ON_MACHINE, caller_of, do

DELIMITER = "address.extension_delimiter"
LIMIT = "limit.accounts"


async def test_a_setting_is_set_explained_and_taken_back(desk):
    """Set, get, explain and unset agree on the value and on where it comes from."""
    made = await do(desk, setting.set_, name=DELIMITER, scope="office:acme", value="-")
    assert (made.value, made.source) == ("-", "office:acme")
    inherited = await do(desk, setting.get, name=DELIMITER, scope="account:anna@acme.test")
    assert (inherited.value, inherited.source) == ("-", "office:acme")
    told = await do(desk, setting.explain, name=DELIMITER, scope="domain:acme.test")
    assert told.set_in == ["office:acme"]
    assert told.default == "+"
    back = await do(desk, setting.unset, name=DELIMITER, scope="office:acme")
    assert (back.value, back.source) == ("+", "default")


async def test_explanation_names_what_acts_together():
    """Settings that name each other in their explanations are told, from both sides."""
    assert "auth.failure_limit" in setting.related(FAILURE_WINDOW)
    assert FAILURE_WINDOW.name in setting.related(FAILURE_LIMIT)


async def test_setting_the_same_value_leaves_no_trace(desk):
    """What is already so is not written again."""
    await do(desk, setting.set_, name=DELIMITER, scope="office:acme", value="-")
    before = len(await desk.store.audit())
    await do(desk, setting.set_, name=DELIMITER, scope="office:acme", value="-")
    assert len(await desk.store.audit()) == before


WHO = {
    "the server for the server": (ON_MACHINE, "smtp.message_size", "server", True),
    "a domain its own affairs": ("admin@acme.test", DELIMITER, "domain:acme.test", True),
    "a domain its own limit": ("admin@acme.test", LIMIT, "domain:acme.test", False),
    "an office the limit of its domain": ("boss@acme.test", LIMIT, "domain:acme.test", True),
    "an office its own limit": ("boss@acme.test", LIMIT, "office:acme", False),
    "an office its own affairs": ("boss@acme.test", DELIMITER, "office:acme", True),
    "an office another's": ("boss@acme.test", DELIMITER, "office:rival", False),
    "an office another's domain": ("boss@acme.test", DELIMITER, "domain:rival.test", False),
    "an office the server": ("boss@acme.test", "smtp.message_size", "server", False),
    "a domain its sister": ("admin@acme.test", DELIMITER, "domain:sister.test", False),
    "an account its domain": ("anna@acme.test", DELIMITER, "domain:acme.test", False),
    "an account its own protocols": ("anna@acme.test", "auth.protocols", "account:anna@acme.test", False),
    "a domain an account's protocols": ("admin@acme.test", "auth.protocols", "account:anna@acme.test", True),
    "what is not there": ("admin@acme.test", DELIMITER, "domain:none.test", False),
}
VALUES = {DELIMITER: "-", LIMIT: "5", "smtp.message_size": "30 MiB", "auth.protocols": "imap"}


@pytest.mark.parametrize("name", WHO)
async def test_who_may_set_what(desk, name: str):
    """Everybody sets his own affairs where the definition says so, nobody his own limits or another's anything."""
    who, definition, scope, allowed = WHO[name]
    caller = who if who is ON_MACHINE else await caller_of(desk.store, who)
    if allowed:
        assert (await do(desk, setting.set_, caller, name=definition, scope=scope, value=VALUES[definition])).source
    else:
        with pytest.raises(Refused) as refused:
            await do(desk, setting.set_, caller, name=definition, scope=scope, value=VALUES[definition])
        assert refused.value.kind is Kind.FORBIDDEN


BAD = {
    "no such setting": ({"name": "smtp.mesage_size", "value": "1"}, Kind.MISSING, "smtp.message_size"),
    "no such scope": ({"name": DELIMITER, "value": "-", "scope": "host:x"}, Kind.INVALID, "server, office:acme"),
    "no such domain": ({"name": DELIMITER, "value": "-", "scope": "domain:none.test"}, Kind.MISSING, ""),
    "wrong kind of scope": (
        {"name": DELIMITER, "value": "-", "scope": "account:anna@acme.test"},
        Kind.INVALID,
        "domain",
    ),
    "no size": ({"name": "smtp.message_size", "value": "large"}, Kind.INVALID, "setting explain"),
    "out of range": ({"name": "smtp.message_size", "value": "1"}, Kind.INVALID, "setting explain"),
    "an open relay": ({"name": "relay.networks", "value": "0.0.0.0/0"}, Kind.INVALID, "--force"),
    "two lines": ({"name": "smtp.banner", "value": "a\r\nb"}, Kind.INVALID, "setting explain"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_set_is_refused(desk, name: str):
    """Each refusal has its kind and a remedy, and nothing is written."""
    given, kind, remedy = BAD[name]
    with pytest.raises(Refused) as refused:
        await do(desk, setting.set_, **given)
    assert refused.value.kind is kind
    assert remedy in refused.value.remedy
    assert await desk.store.settings() == []


async def test_force_sets_an_open_relay(desk):
    """Whoever insists gets it."""
    made = await do(desk, setting.set_, name="relay.networks", value="0.0.0.0/0", force=True)
    assert made.value == "0.0.0.0/0"


async def test_dry_run_changes_nothing(desk):
    """A dry run says the value and keeps nothing."""
    told = await do(desk, setting.set_, name=DELIMITER, scope="office:acme", value="-", dry_run=True)
    assert told.value == "-"
    assert await desk.store.settings() == []
    assert await desk.store.audit() == []


async def test_history_and_undo(desk):
    """Every change is listed, newest first, and the last or a certain one is taken back."""
    for value in ("-", "_", "="):
        await do(desk, setting.set_, name=DELIMITER, scope="office:acme", value=value)
    told = await do(desk, setting.history, name=DELIMITER, scope="office:acme")
    assert [(row.before, row.after) for row in told.items] == [("_", "="), ("-", "_"), (None, "-")]
    assert (await do(desk, setting.undo, name=DELIMITER, scope="office:acme")).value == "_"
    first = told.items[2].number
    with pytest.raises(Refused, match="has changed since"):
        await do(desk, setting.undo, name=DELIMITER, scope="office:acme", number=first)
    assert (await do(desk, setting.undo, name=DELIMITER, scope="office:acme", number=first, force=True)).value == "+"
    with pytest.raises(Refused, match="no such change"):
        await do(desk, setting.undo, name=DELIMITER, scope="office:acme", number=first + 10_000)


async def test_undo_of_the_first_change_takes_the_setting_back(desk):
    """Before the first change nothing was set, so undoing it unsets."""
    await do(desk, setting.set_, name=DELIMITER, scope="office:acme", value="-")
    assert (await do(desk, setting.undo, name=DELIMITER, scope="office:acme")).source == "default"
    assert await desk.store.settings() == []


async def test_lists_are_paged_and_searched(desk):
    """All settings come in pages in order of name; a word narrows them."""
    names: list[str] = []
    cursor = ""
    while True:
        page = await do(desk, setting.list_, limit=7, cursor=cursor)
        names += [row.name for row in page.items]
        cursor = page.next
        if not cursor:
            break
    assert names == sorted(set(names))
    assert DELIMITER in names
    found = await do(desk, setting.list_, text="delimiter", limit=1000)
    assert 0 < len(found.items) < len(names)
    with pytest.raises(Refused, match="cursor"):
        await do(desk, setting.list_, cursor="!!")


async def test_a_tenant_reads_his_own_scope_alone(desk):
    """An administrator of a domain sees what holds there, not the server's nor a sister's settings."""
    admin = await caller_of(desk.store, "admin@acme.test")
    assert (await do(desk, setting.get, admin, name=DELIMITER, scope="domain:acme.test")).value == "+"
    for scope in ("server", "domain:sister.test", "office:acme", "account:zoe@sister.test"):
        with pytest.raises(Refused) as refused:
            await do(desk, setting.get, admin, name=DELIMITER, scope=scope)
        assert refused.value.kind is Kind.FORBIDDEN
    assert (await do(desk, setting.explain, admin, name=DELIMITER, scope="domain:acme.test")).set_in == []
