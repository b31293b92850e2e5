"""Sources asked in order, and what each said; bans, protocols, second factors."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.services.administration.diagnosis.explainer import Explainer
from posthouse.services.administration.diagnosis.sign_in import explain_sign_in
from posthouse.services.administration.diagnosis.sign_in_steps import Step
from posthouse.services.identity import schemes
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.logins import Logins
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.sources.contract import Down, Granted, QuietSource, SourcePerson, Unknown, Wrong
from posthouse.services.identity.sources.kinds import Parts
from posthouse.services.identity.sources.registry import Sources
from posthouse.store.directory_rows import SettingRow, SourceRow
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    CredentialKind,
    PutAccount,
    PutAlias,
    PutBan,
    PutCredential,
    PutDomain,
    PutGroup,
)
from tests.support.stores import StillClock, furnish

ANNA = "anna@house.org"
CLOCK = StillClock(1_770_000_000.0)


class Told(QuietSource):
    """A source that says what it is told."""

    def __init__(self, name: str, answer) -> None:
        super().__init__(name)
        self.answer = answer

    async def check_password(self, login, password):
        """Answer."""
        return self.answer


@pytest.fixture
def make(store):
    """Return what makes an explainer, with sources that say what they are told."""

    def explainer(answers=None, **settings: str) -> Explainer:
        rows = [SettingRow(name.replace("__", "."), "server", value, "", 0.0) for name, value in settings.items()]
        known = Settings(rows)
        answers = answers or {}

        async def load():
            return [SourceRow(name, "test", {}, "", False, 1) for name in answers]

        sources = Sources(
            load,
            known,
            Parts(clock=CLOCK, verify_hash=schemes.verify),
            unseal=lambda _: {},
            make=lambda row: Told(row.name, answers[row.name]),
        )
        directory = Directory(store, CLOCK, known, hostname="mail.house.org")
        passwords = Passwords(CLOCK, bytes(32))
        return Explainer(store, known, CLOCK, Logins(directory, store, known), passwords, sources)

    return explainer


@pytest.fixture
async def anna(store):
    """Return a store with one account, whose password is ``right``."""
    await furnish(store, ANNA)
    await store.commit(PutAccount(address=ANNA, password_hash="{PLAIN}right", must_be_new=False))
    return store


GRANTED = Granted(SourcePerson(address=ANNA))
ORDERS = [
    pytest.param({}, {}, b"right", [("source own", True)], id="own, right"),
    pytest.param({}, {}, b"wrong", [("source own", False), ("sources", False)], id="own, wrong"),
    pytest.param(
        {"ldap": Unknown()}, {"auth__sources": "ldap, own"}, b"right", [("source ldap", None), ("source own", True)],
        id="passed on",
    ),
    pytest.param(
        {"ldap": Wrong("bind refused")}, {"auth__sources": "ldap, own"}, b"right",
        [("source ldap", False), ("sources", False)], id="wrong ends it",
    ),
    pytest.param(
        {"ldap": Wrong("bind refused")}, {"auth__sources": "ldap, own", "auth__next_source_after": "wrong"}, b"right",
        [("source ldap", False), ("source own", True)], id="wrong passes it on",
    ),
    pytest.param(
        {"ldap": Down("no route")}, {"auth__sources": "ldap, own"}, b"right",
        [("source ldap", False), ("sources", False)], id="down ends it",
    ),
    pytest.param({"ldap": GRANTED}, {"auth__sources": "ldap"}, b"x", [("source ldap", True)], id="granted elsewhere"),
    pytest.param({}, {"auth__sources": "gone"}, b"x", [("source gone", False), ("sources", False)], id="not there"),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "settings", "password", "expected"), ORDERS)
async def test_sources_are_asked_in_order(anna, make, answers, settings, password, expected) -> None:  # noqa: PLR0917  (a table row, and fixtures)
    """Each answer is a step; the walk ends as at a real sign-in."""
    steps = await make(answers, **settings).explain(ANNA, password, "imap")
    told = [(step.name, step.is_good) for step in steps if step.name.startswith("source")]
    assert told[1:] == expected
    assert not any("right" in step.text for step in steps)


async def test_bans_of_others_are_counted_alone(anna, make) -> None:
    """Whose guessing kept a network out is not told to whom administers one domain."""
    await anna.commit(
        PutBan(network="192.0.2.0/24", account="", reason="9 for rita@rival.test", since=0.0, until=2e9, by="")
    )
    await anna.commit(PutBan(network="192.0.2.7", account="x@rival.test", reason="9", since=0.0, until=2e9, by=""))
    step = next(step for step in await make().explain(ANNA, b"right", "imap") if step.name == "bans")
    assert (step.is_good, step.text) == (True, "kept out: 1 networks from every account")


async def test_what_else_decides(anna, make) -> None:
    """Bans, the protocol, a second factor, a password to be changed."""
    await anna.commit(PutBan(network="127.0.0.0/8", account=ANNA, reason="guessing", since=0.0, until=2e9, by=""))
    await anna.commit(
        PutCredential(id="1", account=ANNA, kind=CredentialKind.TOTP, name="phone", verifier="x", created=1.0)
    )
    await anna.commit(PutAccount(address=ANNA, must_change_password=True, must_be_new=False))
    steps = await make(auth__protocols="smtp").explain(ANNA, b"right", "imap")
    bad = {step.name: step.text for step in steps if step.is_good is False}
    assert set(bad) == {"bans", "protocol", "password"}
    assert "guessing" in bad["bans"]
    assert any("app password" in step.text for step in steps)


WHO = [
    pytest.param("anna@other.org", "domain", False, "is no domain of ours", id="another domain"),
    pytest.param("anna@off.org", "domain", False, "is disabled", id="a disabled domain"),
    pytest.param("info@house.org", "account", False, "is an alias", id="an alias"),
    pytest.param("team@house.org", "account", False, "is a group", id="a group"),
    pytest.param("shop@house.org", "account", False, "shared mailbox", id="a shared mailbox"),
    pytest.param("held@house.org", "account", False, "disabled", id="a disabled account"),
    pytest.param("empty@house.org", "password", False, "no password is kept", id="no password"),
    pytest.param("new@house.org", "account", None, "there is no account", id="nobody yet"),
    pytest.param("anna@alias.org", "account", True, "it is anna@house.org", id="an alias domain"),
    pytest.param(ANNA, "password", None, "kept as PLAIN (weak", id="a weak scheme"),
    pytest.param("anna", "name", None, "without a domain", id="a short name"),
    pytest.param("@@", "name", False, "is no address", id="no address"),
]


@pytest.mark.parametrize(("login", "name", "is_good", "words"), WHO)
async def test_the_directory_is_explained(anna, make_parts, login, name, is_good, words) -> None:  # noqa: PLR0917  (a table row, and fixtures)
    """Who the name is, and what keeps him out."""
    await anna.commit(PutDomain(name="off.org", disabled=True))
    await anna.commit(PutDomain(name="alias.org", alias_of="house.org"))
    await anna.commit(PutAlias(address="info@house.org", targets=(ANNA,)))
    await anna.commit(PutGroup(address="team@house.org"))
    await anna.commit(PutAccount(address="shop@house.org", kind=AccountKind.SHARED))
    await anna.commit(PutAccount(address="held@house.org", state=AccountState.DISABLED))
    await anna.commit(PutAccount(address="empty@house.org"))
    report = await explain_sign_in(make_parts(store=anna), login, b"right", "pop3")
    step = next(each for each in report.steps if each.name == name and words in each.text)
    assert step.is_good is is_good
    assert not report.is_signed_in
    assert report.steps[-1].text == "no listener offers pop3 to mail programs"


async def test_sources_that_cannot_be_asked_are_a_step(anna, make_parts) -> None:
    """And without a store there is but one."""

    async def away(*_: object) -> list[Step]:
        raise Unavailable("the disk is gone")

    report = await explain_sign_in(make_parts(store=anna, explain_sign_in=away), ANNA, b"right", "pop3")
    assert any(step.text == "the disk is gone" for step in report.steps)
    report = await explain_sign_in(make_parts(store_fault="locked"), ANNA, b"right", "pop3")
    assert report.steps[0].text == "locked"
