"""Numbers of credentials that only rise: what counts once counts for one of many writers."""

import asyncio

import pytest

from posthouse.store.contract import NotAllowed, Vanished
from posthouse.store.directory_values import AdvanceCredential, CredentialKind, PutCredential, PutDomain
from tests.support.stores import furnish

ANN = "ann@example.org"


def advance(to, **fields):
    """Return the value that raises ``step`` of Ann's authenticator."""
    given = {"id": "t1", "account": ANN, "kind": CredentialKind.TOTP, "field": "step", "to": to}
    return AdvanceCredential(**(given | fields))


@pytest.fixture
async def details(store):
    """Make Ann with an authenticator; return what reads its details."""
    await furnish(store, ANN)
    await store.commit(
        PutCredential(
            id="t1", account=ANN, kind=CredentialKind.TOTP, name="n", verifier="v", details={"a": 1, "b": "x"}
        )
    )

    async def read():
        return (await store.credentials(ANN, CredentialKind.TOTP))[0].details

    return read


async def test_a_number_rises_and_others_are_set_with_it(store, details):
    """Details that are not named stay; None takes one away; the directory's version does not move."""
    version = await store.directory_version()
    await store.commit(advance(7, details={"b": None, "c": True}))
    assert await details() == {"a": 1, "c": True, "step": 7}
    await store.commit(advance(8))
    assert (await details())["step"] == 8
    assert await store.directory_version() == version


@pytest.mark.parametrize("to", [7, 6, 0, -1])
async def test_it_never_falls_and_never_stays(store, details, to):
    """Nothing of the commit is written then."""
    await store.commit(advance(7))
    with pytest.raises(NotAllowed):
        await store.commit(PutDomain(name="more.org"), advance(to))
    assert await store.domain("more.org") is None
    assert (await details())["step"] == 7


@pytest.mark.parametrize("wrong", [{"id": "t2"}, {"account": "bob@example.org"}, {"kind": CredentialKind.TOKEN}])
async def test_a_credential_that_is_not_there(store, details, wrong):
    """Its id, owner and kind must all be right."""
    with pytest.raises(Vanished):
        await store.commit(advance(7, **wrong))
    assert await details() == {"a": 1, "b": "x"}


async def test_of_many_at_once_one_succeeds(store, details):
    """Whatever is gathered into one transaction."""
    answers = await asyncio.gather(*(store.commit(advance(9)) for _ in range(20)), return_exceptions=True)
    assert sum(not isinstance(answer, NotAllowed) for answer in answers) == 1


async def test_a_rehearsal_leaves_it(store, details):
    """It is refused or not as in earnest, and kept as it was."""
    await store.commit(advance(7), rehearse=True)
    assert "step" not in await details()
