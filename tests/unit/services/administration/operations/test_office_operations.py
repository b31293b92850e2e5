"""Post offices."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import office
from posthouse.store.directory_rows import SettingRow
from tests.support.desks import caller_of, do


async def test_a_post_office_lives_and_ends(desk):
    """Added, changed, shown, and removed while it has no domains."""
    made = await do(desk, office.add, name="Nova", title="Nova Ltd")
    assert (made.name, made.title, made.domains, made.limits) == ("nova", "Nova Ltd", 0, {})
    after = await do(desk, office.set_, name="nova", disabled=True, if_revision=made.revision)
    assert (after.disabled, after.title) == (True, "Nova Ltd")
    await do(desk, office.remove, name="nova")
    assert await desk.store.office("nova") is None


NAMES = ["", "a b", "a@b", "ä", "-a", "a\nb", "x" * 65, "a/b", "*"]


@pytest.mark.parametrize("name", NAMES)
async def test_names_are_checked(name, desk):
    """What cannot be a name is refused."""
    with pytest.raises(Exception, match="name") as caught:
        await do(desk, office.add, name=name)
    assert getattr(caught.value, "field", "name") == "name"


async def test_a_name_is_given_once_and_used_ones_stay(desk):
    """A second of the same name and the removal of one with domains are refused."""
    with pytest.raises(Refused) as caught:
        await do(desk, office.add, name="acme")
    assert caught.value.kind is Kind.EXISTS
    with pytest.raises(Refused, match="has 2 domains"):
        await do(desk, office.remove, name="acme")


async def test_its_administrator_sees_his_own_and_changes_the_title(desk):
    """Nothing else of it, and nothing of others."""
    await do(desk, office.set_, name="acme", note="pays late")
    boss = await caller_of(desk.store, "boss@acme.test")
    desk.settings.load([SettingRow("limit.accounts", "office:acme", "10", "", 0.0)])
    listed = await do(desk, office.list_, boss)
    assert [(each.name, each.note, each.limits) for each in listed.items] == [("acme", "", {"limit.accounts": "10"})]
    assert (await do(desk, office.set_, boss, name="acme", title="Acme")).title == "Acme"
    for fields in ({"name": "acme", "disabled": True}, {"name": "acme", "note": "x"}, {"name": "rival", "title": "x"}):
        with pytest.raises(Refused) as caught:
            await do(desk, office.set_, boss, **fields)
        assert caught.value.kind is Kind.FORBIDDEN
    for name in ("rival", "nowhere"):
        with pytest.raises(Refused, match="outside what you administer"):
            await do(desk, office.show, boss, name=name)


async def test_all_are_listed_to_the_server(desk):
    """In order of name, page by page."""
    first = await do(desk, office.list_, limit=1)
    assert [each.name for each in first.items] == ["acme"]
    second = await do(desk, office.list_, limit=1, cursor=first.next)
    assert ([each.name for each in second.items], second.next) == (["rival"], "")
