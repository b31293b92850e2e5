"""Requests with a key: done once, answered alike, never with a secret twice."""

import asyncio

import pytest

from posthouse.store.directory_values import KeepReply
from posthouse.web.rest.idempotency import REPLAYED

BASE = "/api/v1"


async def test_the_same_request_is_done_once(root) -> None:
    """The second answer is the first one, and says that it was kept."""
    first, second = [
        await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, idempotency_key="k1") for _ in range(2)
    ]
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert second.headers["location"] == first.headers["location"]
    assert (REPLAYED in first.headers, second.headers[REPLAYED]) == (False, "true")


async def test_many_at_once_are_done_once(root) -> None:
    """Each either has the answer or is told to ask again."""
    answers = await asyncio.gather(
        *(root.send("POST", f"{BASE}/domains", {"name": "new.test"}, idempotency_key="k1") for _ in range(8))
    )
    assert sum(answer.status == 201 and REPLAYED not in answer.headers for answer in answers) == 1
    assert {answer.status for answer in answers} <= {201, 409}
    entries = (await root.send("GET", f"{BASE}/audit?subject=domain:new.test")).json["items"]
    assert len(entries) == 1


async def test_another_request_with_the_key_is_refused(root) -> None:
    """422 says that the key was used."""
    await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, idempotency_key="k1")
    answer = await root.send("POST", f"{BASE}/domains", {"name": "other.test"}, idempotency_key="k1")
    assert (answer.status, answer.json["type"]) == (422, f"{BASE}/docs#key-reused")


async def test_keys_of_different_callers_have_nothing_to_do_with_each_other(root, admin) -> None:
    """A key belongs to its caller."""
    await root.send("POST", f"{BASE}/aliases", {"address": "a@acme.test", "targets": ["b@c.test"]}, idempotency_key="k")
    answer = await admin.send(
        "POST", f"{BASE}/aliases", {"address": "b@acme.test", "targets": ["b@c.test"]}, idempotency_key="k"
    )
    assert answer.status == 201


async def test_a_refusal_is_not_kept(root) -> None:
    """It did nothing; the same request may succeed later."""
    body = {"address": "x@later.test", "name": "X"}
    refused = await root.send("POST", f"{BASE}/accounts", body, idempotency_key="k1")
    await root.send("POST", f"{BASE}/domains", {"name": "later.test"})
    done = await root.send("POST", f"{BASE}/accounts", body, idempotency_key="k1")
    assert (refused.status, done.status) == (404, 201), refused.body


async def test_a_secret_is_not_shown_again(root, store) -> None:
    """A token that was made stands in the first answer only, and nowhere in the store."""
    first, second = [await root.send("POST", f"{BASE}/tokens", {"name": "t"}, idempotency_key="k1") for _ in range(2)]
    assert first.json["token"].startswith("ph_")
    assert (second.json["token"], second.json["id"]) == ("", first.json["id"])
    kept = await store.kept_reply("root@own.test", "k1")
    assert first.json["token"].encode() not in kept.body


@pytest.mark.parametrize(("age", "words"), [(1, "being worked on"), (600, "was carried out")])
async def test_a_claim_without_an_answer(root, store, store_clock, age, words) -> None:
    """A fresh one is under way; an old one is of a worker that died after the commit."""
    made = await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, idempotency_key="k1")
    kept = await store.kept_reply("root@own.test", "k1")
    await store.commit(
        KeepReply(caller="root@own.test", key="k2", fingerprint=kept.fingerprint, at=store_clock.now() - age)
    )
    answer = await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, idempotency_key="k2")
    assert (made.status, answer.status) == (201, 409)
    assert words in answer.json["detail"]


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 129])
async def test_a_key_that_is_none(root, key) -> None:
    """An empty one is as if it were not there; any other is refused."""
    answer = await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, idempotency_key=key)
    assert answer.status == (400 if key.strip() or key else 201)
