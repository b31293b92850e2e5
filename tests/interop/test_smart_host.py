"""A smart host that wants a name and a password: another server of ours, which accepts relaying from who signed in."""

from __future__ import annotations

import pytest

from posthouse.services.identity.sealing import sealing_of
from posthouse.store.directory_values import PutRoute
from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, until

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return a server that sends through another."""
    folder = tmp_path_factory.mktemp("pair")
    with PosthouseServer(folder / "hub", workers=1) as hub, PosthouseServer(folder / "leaf", workers=1) as leaf:
        yield leaf, hub


def _route(leaf: PosthouseServer, hub: PosthouseServer, password: str, *, is_new: bool) -> None:
    value = PutRoute(
        domain="elsewhere.test",
        host="127.0.0.1",
        port=hub.port(587),
        tls="must",
        login=f"ben@{DOMAIN}",
        sealed_password=sealing_of(leaf.home).seal(password, "route:elsewhere.test"),
        must_be_new=is_new,
    )
    leaf.tools(lambda tools: tools.store.commit(value))


def test_mail_goes_out_signed_in(pair):
    """With a wrong password mail waits and says why; with the right one the hub takes it as from ben."""
    leaf, hub = pair
    hub.set(smtp__sender_must_own="no")
    _route(leaf, hub, "not the password", is_new=True)
    with leaf.submission("anna") as client:
        client.sendmail(f"anna@{DOMAIN}", ["somebody@elsewhere.test"], b"Subject: out\r\n\r\nhello\r\n")

    def refused():
        return [row for row in leaf.rows("queue", "list") if "credentials invalid" in row["last_reply"]]

    (row,) = until(refused, "the refusal of the password")
    assert row["state"] == "waiting"
    _route(leaf, hub, PASSWORD, is_new=False)
    leaf.say("queue", "retry", str(row["queue_id"]))
    until(lambda: not leaf.rows("queue", "list"), "the queue to be empty")
    granted = [event["account"] for event in hub.events("auth.granted")]
    assert granted == [f"ben@{DOMAIN}"]
    assert PASSWORD not in (leaf.home / "log" / "posthouse.log").read_text()
