"""Attacks that only want to know: what others have, who is behind an address, what was answered to somebody else.

And names that would catch what is meant for others. Each test is an attack that must come to nothing.
"""

from __future__ import annotations

import pytest

from posthouse.services.administration.call import Call
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import (
    account,
    account_addresses,
    alias,
    domain,
    event,
    group,
    import_,
    notice,
    shared,
    token,
)
from posthouse.store.directory_values import ChangeMembers, Level, PutAccount, PutAddress, PutDomain, PutGroup
from tests.support.desks import caller_of, do, make_api, make_desk, people

BOSS, ADMIN, ANNA = "boss@acme.test", "admin@acme.test", "anna@acme.test"


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk on two post offices; an administrator of the server has his address in acme.test."""
    await people(store)
    await store.commit(
        PutAccount(address="root@acme.test", level=Level.SERVER),
        PutAddress(address="door@acme.test", account="rita@rival.test"),
    )
    return make_desk(store, store_clock, tmp_path)


async def refused(desk, operation, who: str, kind: Kind = Kind.FORBIDDEN, /, **fields) -> Refused:
    """Return the refusal that an attack comes to."""
    caller = await caller_of(desk.store, who)
    with pytest.raises(Refused) as told:
        await do(desk, operation, caller, **fields)
    assert told.value.kind is kind, told.value
    return told.value


# ---- who is behind it -------------------------------------------------------------------------------------------


async def test_whose_a_further_address_is_is_told_within_reach_alone(desk):
    """Neither to whom the address is refused, nor to whom looks for it."""
    told = await refused(desk, alias.add, ADMIN, Kind.EXISTS, address="door@acme.test", targets=[ANNA])
    assert "rita" not in told.detail
    for who in (ADMIN, BOSS):
        found = await do(desk, account.find, await caller_of(desk.store, who), text="door")
        assert [(each.address, each.account) for each in found.items] == [("door@acme.test", "")]
    known = await do(desk, account.find, text="door")
    assert known.items[0].account == "rita@rival.test"


async def test_groups_of_others_are_not_told(desk):
    """That somebody is in a group of another tenant is that tenant's to know."""
    await desk.store.commit(
        PutGroup(address="watched@rival.test"), ChangeMembers(group="watched@rival.test", add=(ANNA,)),
        PutGroup(address="team@acme.test"), ChangeMembers(group="team@acme.test", add=(ANNA,)),
    )  # fmt: skip
    for who in (BOSS, ADMIN, ANNA):
        shown = await do(desk, account.show, await caller_of(desk.store, who), address=ANNA)
        assert shown.groups == ["team@acme.test"]
    for who in (BOSS, ADMIN):
        listed = await do(desk, group.list_, await caller_of(desk.store, who), member=ANNA)
        assert [each.address for each in listed.items] == ["team@acme.test"]


async def test_nobody_reads_the_note_about_himself(desk):
    """It is between administrators."""
    await do(desk, account.set_, address=ANNA, note="to be let go")
    anna = await caller_of(desk.store, ANNA)
    assert (await do(desk, account.show, anna, address=ANNA)).note == ""
    assert (await do(desk, account.set_, anna, address=ANNA, name="Anna")).note == ""
    assert (await do(desk, account.show, await caller_of(desk.store, ADMIN), address=ANNA)).note == "to be let go"


# ---- what was answered to others ----------------------------------------------------------------------------------


async def test_tokens_of_one_name_do_not_share_answers(desk):
    """The name of a token is its maker's to choose; keys of requests are those of the token itself."""
    api = make_api(desk)
    headers = []
    for name in ("acme.test", "rival.test"):
        made = await do(desk, token.add, name="same", role="domain", domain=name)
        headers.append(f"Bearer {made.token}")
    await desk.store.commit(PutDomain(name="both.test", alias_of="acme.test"))
    body = {"targets": ["x@example.org"]}
    first = await api.as_caller(headers[0]).send(
        "POST", "/api/v1/aliases", json={"address": "info@acme.test", **body}, idempotency_key="k"
    )
    assert first.status == 201
    second = await api.as_caller(headers[1]).send(
        "POST", "/api/v1/aliases", json={"address": "info@rival.test", **body}, idempotency_key="k"
    )
    assert second.status == 201, second.body
    assert second.json["address"] == "info@rival.test"


async def test_the_secret_of_an_authenticator_is_not_kept_with_the_answer(desk):
    """In none of its forms."""
    made = await do(desk, token.add, account=ANNA, name="x")
    api = make_api(desk).as_caller(f"Bearer {made.token}")
    first = await api.send("POST", "/api/v1/second-factor/start", json={}, idempotency_key="k")
    again = await api.send("POST", "/api/v1/second-factor/start", json={}, idempotency_key="k")
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json["address"].startswith("otpauth:")
    assert (again.json["secret"], again.json["address"]) == ("", "")
    row = await desk.store.kept_reply(ANNA, "k")
    assert first.json["secret"].encode() not in row.body


async def test_the_name_of_a_message_is_no_way_to_that_of_another_tenant(desk):
    """Two may call their messages the same; neither learns of the other's nor goes on with it."""
    for who, place in (("chief@rival.test", "rival.test"), (ADMIN, "acme.test")):
        caller = await caller_of(desk.store, who)
        sent = await do(desk, notice.send, caller, subject="Hello", text="All.", domain=place, id="same")
        assert sent.sent == sent.readers > 0


async def test_a_stream_forgets_within_a_second_whose_a_domain_was(desk, store_clock):
    """A domain that goes to another post office takes its events along."""
    boss = await caller_of(desk.store, BOSS)
    reach = event._Narrowed(Call(caller=boss, desk=desk))
    told = {"event": "auth.granted", "account": "zoe@sister.test"}
    assert await reach.shows(told)
    await desk.store.commit(PutDomain(name="sister.test", office="rival", must_be_new=False))
    store_clock.advance(1.0)
    assert not await reach.shows(told)


# ---- names that catch what is meant for others ----------------------------------------------------------------------

CATCHING = {
    "alias": (alias.add, {"address": "root+bank@acme.test", "targets": ["x@example.org"]}),
    "account": (account.add, {"address": "root+bank@acme.test"}),
    "group": (group.add, {"address": "Root+Bank@ACME.test"}),
    "shared mailbox": (shared.add, {"address": "root+@acme.test"}),
    "further address": (account_addresses.add_address, {"address": ANNA, "further": "root+bank@acme.test"}),
    "new address": (account_addresses.rename, {"address": ANNA, "new_address": "root+bank@acme.test"}),
}


@pytest.mark.parametrize("name", CATCHING)
async def test_nobody_catches_mail_of_those_above_by_a_detail(desk, name):
    """An address with a detail is its owner's; an exact one would be found first."""
    operation, fields = CATCHING[name]
    await refused(desk, operation, ADMIN, **fields)


async def test_nor_by_an_import(desk):
    """The same for what stands in a file."""

    async def upload():
        yield b"address,aliases\r\nroot+a@acme.test,\r\nnew@acme.test,root+b@acme.test\r\n"

    report = await do(desk, import_.csv, await caller_of(desk.store, ADMIN), upload=upload())
    assert len(report.problems) == 2
    assert await desk.store.account("root+a@acme.test") is None
    assert await desk.store.account("root+b@acme.test") is None


@pytest.mark.parametrize("name", ["mx.example.test", "MX.Example.Test", "mail.rival.test", "a.b.own.test"])
async def test_a_post_office_takes_no_name_that_is_the_servers_or_below_anothers(desk, name):
    """Reports to the host would go to it, and mail of the other's hosts."""
    await refused(desk, domain.add, BOSS, name=name, allow_lookalike=True)
    assert await do(desk, domain.add, await caller_of(desk.store, BOSS), name="mail.acme.test")


async def test_a_domain_is_no_name_of_anothers(desk):
    """Neither new nor changed, in whatever form the other's name is written."""
    for theirs in ("rival.test", "RIVAL.test", "none.test", "rival.test@acme.test", "anna@acme.test", "own.test"):
        for operation in (domain.add, domain.set_):
            new = {"name": "new.test"} if operation is domain.add else {"name": "sister.test"}
            with pytest.raises(Refused):
                await do(desk, operation, await caller_of(desk.store, BOSS), alias_of=theirs, **new)
    assert (await desk.store.domain("sister.test")).alias_of == ""
