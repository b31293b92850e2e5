"""The end of held accounts."""

from posthouse.services.administration.holding import ACTOR, purge_expired
from posthouse.services.administration.operations import account_stages
from posthouse.telemetry.log import null_telemetry
from tests.support.desks import do, make_desk, people


async def test_accounts_whose_time_is_over_are_destroyed(store, store_clock, tmp_path):
    """Not before; each leaves a trace of the server's own hand; who was restored stays."""
    await people(store)
    desk = make_desk(store, store_clock, tmp_path)
    for name in ("anna", "ben"):
        await do(desk, account_stages.remove, address=f"{name}@acme.test")
    assert await purge_expired(store, store_clock, null_telemetry()) == 0
    await do(desk, account_stages.restore, address="ben@acme.test")
    store_clock.advance(31 * 86_400)
    assert await purge_expired(store, store_clock, null_telemetry()) == 1
    assert await store.account("anna@acme.test") is None
    assert await store.account("ben@acme.test") is not None
    entry = (await store.audit(subject="account:anna@acme.test"))[0]
    assert (entry.actor, entry.office, entry.domain) == (ACTOR, "acme", "acme.test")
