"""Whose account a name at sign-in means."""

import pytest

from posthouse.config.settings import Settings
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.logins import Logins
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import PutAccount, PutAddress, PutAlias, PutDomain, PutOffice

LISTENERS = "192.0.2.7=sister.test, 192.0.2.8=office:acme, 2001:db8::7=acme.test"
ALIASES = {"auth.alias_sign_in": "yes"}

NAMES = {
    # name, address of ours, settings, whose account
    "a full address": ("anna@acme.test", "", {}, "anna@acme.test"),
    "in other letters": ("ANNA@Acme.test", "", {}, "anna@acme.test"),
    "a further address": ("a.a@acme.test", "", {}, "anna@acme.test"),
    "in an alias domain": ("anna@also.test", "", {}, "anna@acme.test"),
    "with a detail": ("anna+x@acme.test", "", {}, None),
    "the postmaster by default": ("postmaster@acme.test", "", {}, None),
    "a name in the default domain": ("carl", "", {}, "carl@own.test"),
    "a name that one has": ("zoe", "", {}, "zoe@sister.test"),
    "a name that two have": ("anna", "", {}, None),
    "a name that two have, in the default domain": (
        "anna",
        "",
        {"address.default_domain": "sister.test"},
        "anna@sister.test",
    ),
    "a name in the default post office": ("ben", "", {"address.default_office": "acme"}, "ben@acme.test"),
    "a post office": ("zoe@acme", "", {}, "zoe@sister.test"),
    "a post office in other letters": ("Zoe@ACME", "", {}, "zoe@sister.test"),
    "a post office where two have the name": ("anna@acme", "", {}, None),
    "a post office where nobody has the name": ("rita@acme", "", {}, None),
    "a post office that is disabled": ("rita@rival", "", {}, None),
    "no post office": ("anna@nowhere", "", {}, None),
    "the domain of a listener": ("anna", "192.0.2.7", {}, "anna@sister.test"),
    "the domain of a listener by IPv6": ("anna", "2001:db8::7", {}, "anna@acme.test"),
    "nobody in the domain of a listener": ("carl", "192.0.2.7", {}, None),
    "the post office of a listener": ("zoe", "192.0.2.8", {}, "zoe@sister.test"),
    "nobody in the post office of a listener": ("carl", "192.0.2.8", {}, None),
    "another listener": ("carl", "192.0.2.9", {}, "carl@own.test"),
    "a full address at a listener": ("carl@own.test", "192.0.2.7", {}, "carl@own.test"),
    "an alias, as it comes": ("sales@acme.test", "", {}, None),
    "an alias that leads to one": ("sales@acme.test", "", ALIASES, "anna@acme.test"),
    "an alias of an alias": ("shop@acme.test", "", ALIASES, "anna@acme.test"),
    "an alias that leads to two": ("team@acme.test", "", ALIASES, None),
    "an alias that leads away": ("away@acme.test", "", ALIASES, None),
    "an alias in a ring": ("ring@acme.test", "", ALIASES, None),
    "a disabled domain": ("x@off.test", "", {}, None),
    "nothing": ("", "", {}, None),
    "an at sign alone": ("@", "", {}, None),
    "a control character": ("an\0na@acme.test", "", {}, None),
    "a surrogate": ("\udc80@acme.test", "", {}, None),
}


async def fill(store):
    """Make people of two post offices, and aliases."""
    await store.commit(PutOffice(name="acme"), PutOffice(name="rival", disabled=True))
    for name, office in (("own.test", ""), ("acme.test", "acme"), ("sister.test", "acme"), ("rival.test", "rival")):
        await store.commit(PutDomain(name=name, office=office))
    await store.commit(PutDomain(name="also.test", alias_of="acme.test"), PutDomain(name="off.test", disabled=True))
    for address in (
        "carl@own.test", "anna@acme.test", "ben@acme.test", "anna@sister.test", "zoe@sister.test", "rita@rival.test",
        "x@off.test",
    ):  # fmt: skip
        await store.commit(PutAccount(address=address))
    await store.commit(PutAddress(address="a.a@acme.test", account="anna@acme.test"))
    for name, targets in {
        "sales": ("anna@acme.test",),
        "shop": ("sales@acme.test",),
        "team": ("anna@acme.test", "ben@acme.test"),
        "away": ("x@far.test",),
        "ring": ("ring2@acme.test",),
        "ring2": ("ring@acme.test",),
    }.items():
        await store.commit(PutAlias(address=f"{name}@acme.test", targets=targets))


async def test_each_name_is_one_account_or_nobody(store, store_clock):
    """Names of every form, at every listener, under every setting."""
    await fill(store)
    for name, (login, local_address, given, expected) in NAMES.items():
        values = {"address.domain_of_listener": LISTENERS} | given
        settings = Settings([SettingRow(key, "server", value, "", 0.0) for key, value in values.items()])
        directory = Directory(store, store_clock, settings)
        found = await Logins(directory, store, settings).account(login, local_address)
        directory.close()
        assert (found.address if found is not None else None) == expected, name


@pytest.mark.parametrize(
    ("login", "local_address", "expected"),
    [
        ("a@Far.test", "", "far.test"),
        ("a", "", "own.test"),
        ("a", "192.0.2.7", "sister.test"),
        ("a", "192.0.2.8", ""),
    ],
)
async def test_the_domain_of_a_name(login, local_address, expected, store, store_clock):
    """Sign-in sources are chosen by it."""
    await fill(store)
    settings = Settings([SettingRow("address.domain_of_listener", "server", LISTENERS, "", 0.0)])
    directory = Directory(store, store_clock, settings)
    assert await Logins(directory, store, settings).domain_of(login, local_address) == expected
