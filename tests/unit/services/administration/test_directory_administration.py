"""Domains, accounts, aliases and routes on the real store: what is changed, and what is refused in which words."""

from __future__ import annotations

import pytest

from posthouse.services.administration.directory import DirectoryAdministration
from posthouse.services.administration.faults import Refused

SECRET = b"correct horse\n"


@pytest.fixture
def directory(store) -> DirectoryAdministration:
    """Return the administration of an empty store."""
    return DirectoryAdministration(store)


async def test_domains_are_added_changed_and_removed(directory) -> None:
    """A domain lives through its commands; its name is folded."""
    await directory.add_domain("EXAMPLE.org")
    await directory.add_domain("example.net", alias_of="Example.ORG")
    assert [(row.name, row.alias_of) for row in await directory.domains()] == [
        ("example.net", "example.org"),
        ("example.org", ""),
    ]
    changed = await directory.set_domain("example.org", catch_all="all@example.org", disabled=True)
    assert (changed.catch_all, changed.disabled) == ("all@example.org", True)
    assert (await directory.set_domain("example.org", catch_all="")).catch_all == ""
    await directory.remove_domain("example.net")
    await directory.remove_domain("example.org")
    assert await directory.domains() == []


async def test_an_account_never_shows_its_password(directory) -> None:
    """The password is kept as an Argon2id hash, and only if it was given."""
    await directory.add_domain("example.org")
    row = await directory.add_account("Anna@Example.org", password=SECRET, name="Anna", quota="2G", is_admin=True)
    assert row.address == "anna@example.org"
    assert row.password_hash.startswith("$argon2id$")
    assert (row.quota_bytes, row.is_admin) == (2 << 30, True)
    assert (await directory.add_account("ben@example.org", password=None)).password_hash == ""


async def test_an_account_is_changed_in_parts(directory) -> None:
    """What is not named stays as it was."""
    await directory.add_domain("example.org")
    before = await directory.add_account("anna@example.org", password=SECRET, name="Anna", quota="1M")
    after = await directory.set_account("anna@example.org", disabled=True)
    assert (after.password_hash, after.display_name, after.quota_bytes, after.disabled) == (
        before.password_hash,
        "Anna",
        1 << 20,
        True,
    )
    changed = await directory.set_account("anna@example.org", password=b"another one", quota="0", is_admin=True)
    assert changed.password_hash != before.password_hash
    assert (changed.quota_bytes, changed.is_admin, changed.disabled) == (0, True, True)
    usage = await directory.usage(changed)
    assert (usage.octets, usage.messages) == (0, 0)


async def test_a_removed_account_is_gone(directory) -> None:
    """After removal the address is free again."""
    await directory.add_domain("example.org")
    await directory.add_account("anna@example.org", password=None)
    await directory.remove_account("anna@example.org")
    assert await directory.accounts() == []
    await directory.add_alias("anna@example.org", ("ben@elsewhere.example",))


async def test_lists_go_beyond_one_page(directory, store) -> None:
    """All accounts are listed, in order, however many pages the store needs; a domain's are told apart."""
    from posthouse.store.directory_values import PutAccount, PutDomain

    await store.commit(PutDomain(name="example.org"), PutDomain(name="example.net"))
    await store.commit(*(PutAccount(address=f"u{number:04}@example.org") for number in range(1_050)))
    await store.commit(PutAccount(address="one@example.net"))
    addresses = [row.address for row in await directory.accounts()]
    assert len(addresses) == 1_051
    assert addresses == sorted(addresses)
    assert [row.address for row in await directory.accounts("example.net")] == ["one@example.net"]


async def test_aliases_lead_to_each_target_once(directory) -> None:
    """Targets are checked, repeated ones are dropped, replaced as a whole by set."""
    await directory.add_domain("example.org")
    row = await directory.add_alias("Info@example.org", ("a@b.example", "c@d.example", "a@b.example"))
    assert (row.address, row.targets) == ("info@example.org", ("a@b.example", "c@d.example"))
    await directory.set_alias("info@example.org", ("e@f.example",))
    assert (await directory.show_alias("info@example.org")).targets == ("e@f.example",)
    await directory.remove_alias("info@example.org")
    assert await directory.aliases() == []


async def test_routes_have_three_kinds_of_keys(directory) -> None:
    """A domain, everything below one, and the smart host."""
    await directory.put_route("Partner.example", host="gw.partner.example", port=2525, tls="must")
    await directory.put_route(".partner.example", host="192.0.2.1", recipients_local=True)
    await directory.put_route("*", host="[2001:db8::1]")
    assert [(row.domain, row.host, row.port) for row in await directory.routes()] == [
        ("*", "2001:db8::1", 25),
        (".partner.example", "192.0.2.1", 25),
        ("partner.example", "gw.partner.example", 2525),
    ]
    await directory.put_route("*", host="smart.example.net", must_be_new=False)
    assert (await directory.show_route("*")).host == "smart.example.net"
    await directory.remove_route("*")
    with pytest.raises(Refused, match="there is no route for"):
        await directory.show_route("*")


REFUSALS = [
    pytest.param("add_domain", ("exa mple",), {}, "is not a domain", id="no domain"),
    pytest.param("add_domain", ("[192.0.2.1]",), {}, "address literal", id="address literal"),
    pytest.param("add_domain", ("example.org",), {}, "exists already", id="domain twice"),
    pytest.param("add_domain", ("x.example",), {"alias_of": "nowhere.example"}, "does not exist", id="alias of none"),
    pytest.param("add_domain", ("x.example",), {"catch_all": "nobody"}, "is not an address", id="bad catch-all"),
    pytest.param("set_domain", ("x.example",), {}, "there is no domain", id="change no domain"),
    pytest.param("remove_domain", ("example.org",), {}, "still has accounts", id="domain in use"),
    pytest.param("remove_domain", ("x.example",), {}, "there is no domain", id="remove no domain"),
    pytest.param("add_account", ("anna@example.org",), {"password": None}, "exists already", id="account twice"),
    pytest.param("add_account", ("info@example.org",), {"password": None}, "exists already", id="alias is there"),
    pytest.param("add_account", ("a@x.example",), {"password": None}, "posthouse domain add", id="domain is missing"),
    pytest.param("add_account", ("a@@x",), {"password": None}, "at character", id="no address"),
    pytest.param("add_account", ("x" * 65 + "@example.org",), {"password": None}, "RFC 5321", id="long local part"),
    pytest.param("add_account", ("b@example.org",), {"password": b"short"}, "fewer than 8", id="short password"),
    pytest.param("add_account", ("b@example.org",), {"password": b"x" * 2000}, "more than", id="long password"),
    pytest.param("add_account", ("b@example.org",), {"password": None, "quota": "1Q"}, "is not a size", id="quota"),
    pytest.param("set_account", ("b@example.org",), {"name": "B"}, "there is no account", id="change no account"),
    pytest.param("remove_account", ("b@example.org",), {}, "there is no account", id="remove no account"),
    pytest.param("add_alias", ("anna@example.org", ("a@b.example",)), {}, "exists already", id="account is there"),
    pytest.param("add_alias", ("x@example.org", ()), {}, "at least one target", id="no target"),
    pytest.param("add_alias", ("x@example.org", ("x@example.org",)), {}, "lead to itself", id="leads to itself"),
    pytest.param("add_alias", ("x@y.example", ("a@b.example",)), {}, "does not exist", id="alias elsewhere"),
    pytest.param("set_alias", ("x@example.org", ("a@b.example",)), {}, "there is no alias", id="change no alias"),
    pytest.param("put_route", ("*",), {"host": "h.example", "recipients_local": True}, "open relay", id="open relay"),
    pytest.param("put_route", ("a.example",), {"host": "h.example", "tls": "maybe"}, "TLS policy", id="policy"),
    pytest.param("put_route", ("a.example",), {"host": "h.example", "port": 0}, "is not a port", id="port"),
    pytest.param("put_route", ("partner.example",), {"host": "h.example"}, "already", id="route twice"),
    pytest.param("remove_route", ("a.example",), {}, "there is no route", id="remove no route"),
]


@pytest.mark.parametrize(("method", "arguments", "options", "words"), REFUSALS)
async def test_what_cannot_be_done_is_refused_in_words(directory, method, arguments, options, words) -> None:
    """Each refusal is one line that says what and where, and nothing is changed."""
    await directory.add_domain("example.org")
    await directory.add_account("anna@example.org", password=None)
    await directory.add_alias("info@example.org", ("a@b.example",))
    await directory.put_route("partner.example", host="gw.example")
    before = (
        await directory.domains(),
        await directory.accounts(),
        await directory.aliases(),
        await directory.routes(),
    )
    with pytest.raises(Refused, match=words) as refused:
        await getattr(directory, method)(*arguments, **options)
    assert "\n" not in refused.value.detail
    assert before == (
        await directory.domains(),
        await directory.accounts(),
        await directory.aliases(),
        await directory.routes(),
    )
