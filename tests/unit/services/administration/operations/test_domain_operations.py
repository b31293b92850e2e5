"""Domains: made, changed, moved, removed, destroyed."""

import asyncio

import pytest
from pydantic import ValidationError

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account_stages, alias, domain, domain_purge, group, office
from posthouse.store.directory_rows import SettingRow
from tests.support.desks import caller_of, do

HOSTILE = {
    "empty": ("", "name"),
    "a label of 64": ("a" * 64 + ".test", "name"),
    "254 octets": (".".join(["a" * 49] * 5) + ".abcd", "name"),
    "two dots": ("a..test", "name"),
    "a space": ("a b.test", "name"),
    "an address": ("a@b.test", "name"),
    "an address literal": ("[192.0.2.1]", "name"),
    "a control character": ("a\x00.test", "name"),
    "a line end": ("a.test\n.b", "name"),
    "a hyphen in front": ("-a.test", "name"),
    "a wildcard": ("*.test", "name"),
    "mixed scripts": ("раypal.test", "name"),
    "looks like one of ours": ("acrne.test", "name"),
    "one of ours": ("ACME.test", "name"),
    "one of ours in A-labels": ("xn--bcher-kva.test", "name"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_bad_names_are_refused(name, desk):
    """A name that cannot be, or that is taken for another, is refused and named."""
    await do(desk, domain.add, name="bücher.test")
    text, field = HOSTILE[name]
    with pytest.raises((Refused, ValidationError)) as caught:
        await do(desk, domain.add, name=text)
    assert getattr(caught.value, "field", field) == field
    assert len(await desk.store.domains()) == 5


async def test_a_lookalike_is_made_where_it_is_meant(desk):
    """The refusal says which domain it looks like, and how to have it."""
    with pytest.raises(Refused, match=r"looks like acme\.test") as caught:
        await do(desk, domain.add, name="acrne.test")
    assert "--allow-lookalike" in caught.value.remedy
    assert (await do(desk, domain.add, name="acrne.test", allow_lookalike=True)).name == "acrne.test"


async def test_a_lookalike_of_a_stranger_is_not_named(desk):
    """Who does not administer the other domain does not learn which it is."""
    boss = await caller_of(desk.store, "boss@acme.test")
    with pytest.raises(Refused) as caught:
        await do(desk, domain.add, boss, name="riva1.test")
    assert caught.value.detail == "riva1.test looks like another domain of this server"


async def test_an_office_administrator_adds_to_his_own(desk):
    """None named is his own; another is outside."""
    boss = await caller_of(desk.store, "boss@acme.test")
    made = await do(desk, domain.add, boss, name="new.test")
    assert made.office == "acme"
    for other in ("rival", ""):
        with pytest.raises(Refused) as caught:
            await do(desk, domain.add, boss, name="more.test", office=other)
        assert caught.value.kind is Kind.FORBIDDEN
    with pytest.raises(Refused):
        await do(desk, domain.set_, boss, name="new.test", office="rival")
    assert (await do(desk, domain.set_, name="new.test", office="rival")).office == "rival"


async def test_alias_domains(desk):
    """They stand for a domain within reach, are of its post office, and never in a ring."""
    boss = await caller_of(desk.store, "boss@acme.test")
    made = await do(desk, domain.add, boss, name="also.test", alias_of="Sister.test")
    assert (made.alias_of, made.office) == ("sister.test", "acme")
    for name, alias_of in (("b.test", "also.test"), ("b.test", "b.test"), ("sister.test", "also.test")):
        operation = domain.set_ if name == "sister.test" else domain.add
        with pytest.raises(Refused) as caught:
            await do(desk, operation, name=name, alias_of=alias_of)
        assert caught.value.field in {"alias_of", ""}
    with pytest.raises(Refused) as caught:
        await do(desk, domain.add, boss, name="b.test", alias_of="rival.test")
    assert caught.value.kind is Kind.FORBIDDEN


async def test_a_domain_administrator_changes_where_mail_goes(desk):
    """Catch-all, postmaster and abuse are his, whether the domain serves is not."""
    admin = await caller_of(desk.store, "admin@acme.test")
    after = await do(
        desk, domain.set_, admin, name="acme.test", catch_all="anna@acme.test", postmaster="ben@acme.test",
        abuse="abuse@far.test",
    )  # fmt: skip
    assert (after.catch_all, after.postmaster, after.abuse) == ("anna@acme.test", "ben@acme.test", "abuse@far.test")
    assert (await do(desk, domain.set_, admin, name="acme.test", catch_all="")).catch_all == ""
    for fields in ({"disabled": True}, {"alias_of": "sister.test"}, {"office": ""}):
        with pytest.raises(Refused) as caught:
            await do(desk, domain.set_, admin, name="acme.test", **fields)
        assert caught.value.kind is Kind.FORBIDDEN
    with pytest.raises(Refused) as caught:
        await do(desk, domain.set_, admin, name="acme.test", catch_all="nobody")
    assert caught.value.field == "catch_all"


async def test_lists_show_each_his_own(desk):
    """A domain's administrator sees his domain and its other names."""
    await do(desk, domain.add, name="also.test", alias_of="acme.test")
    admin = await caller_of(desk.store, "admin@acme.test")
    assert [each.name for each in (await do(desk, domain.list_, admin)).items] == ["acme.test", "also.test"]
    boss = await caller_of(desk.store, "boss@acme.test")
    listed = [each.name for each in (await do(desk, domain.list_, boss)).items]
    assert listed == ["acme.test", "also.test", "sister.test"]
    assert len((await do(desk, domain.list_, office="rival")).items) == 1


async def test_limits_of_a_post_office_hold_when_calls_cross(desk):
    """Ten calls at once for the last place: one domain is made."""
    desk.settings.load([SettingRow("limit.domains", "office:acme", "3", "", 0.0)])
    results = await asyncio.gather(
        *(do(desk, domain.add, name=f"n{number}.test", office="acme") for number in range(10)), return_exceptions=True
    )
    assert sum(isinstance(each, Refused) and each.kind is Kind.LIMIT for each in results) == 9
    assert (await desk.store.office("acme")).domains == 3


async def test_a_used_domain_is_not_removed(desk):
    """The refusal counts what is there, held accounts included; nobody removes his own."""
    await do(desk, account_stages.remove, address="zoe@sister.test")
    with pytest.raises(Refused, match="has 1 accounts"):
        await do(desk, domain.remove, name="sister.test")
    await do(desk, account_stages.purge, address="zoe@sister.test")
    await do(desk, domain.remove, name="sister.test")
    assert await desk.store.domain("sister.test") is None
    boss = await caller_of(desk.store, "boss@acme.test")
    with pytest.raises(Refused, match="domain of your own account"):
        await do(desk, domain.remove, boss, name="acme.test")


async def test_purge_destroys_a_disabled_domain_with_everything(desk):
    """It must be disabled first; a rehearsal counts and keeps all; each thing has its trace."""
    await do(desk, alias.add, address="a@rival.test", targets=["rita@rival.test"])
    await do(desk, group.add, address="g@rival.test", members=["rita@rival.test", "anna@acme.test"])
    await do(desk, domain.add, name="rival2.test", alias_of="rival.test")
    with pytest.raises(Refused, match="is in use"):
        await do(desk, domain_purge.purge, name="rival.test")
    await do(desk, domain.set_, name="rival.test", disabled=True)
    told = await do(desk, domain_purge.purge, name="rival.test", dry_run=True)
    assert (told.accounts, told.aliases, told.groups, told.names) == (2, 1, 1, 1)
    assert await desk.store.account("rita@rival.test") is not None
    assert await do(desk, domain_purge.purge, name="rival.test") == told
    for name in ("rival.test", "rival2.test"):
        assert await desk.store.domain(name) is None
    assert await desk.store.account("anna@acme.test") is not None
    assert (await desk.store.audit(subject="account:rita@rival.test"))[0].operation == "domain.purge"
    await do(desk, office.remove, name="rival")


async def test_purge_stops_at_somebody_above(desk):
    """A post office's administrator does not destroy a domain that holds a server's."""
    await do(desk, domain.set_, name="sister.test", disabled=True)
    from posthouse.services.administration.operations import account

    await do(desk, account.set_, address="zoe@sister.test", admin=True)
    boss = await caller_of(desk.store, "boss@acme.test")
    with pytest.raises(Refused, match="administers more"):
        await do(desk, domain_purge.purge, boss, name="sister.test")
    assert await desk.store.account("zoe@sister.test") is not None
