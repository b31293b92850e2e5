"""Fields of requests: from path, query and body, and everything that can be wrong with them."""

import pytest

BASE = "/api/v1"
DEEP = b'{"name":' + b"[" * 2_000 + b"]" * 2_000 + b"}"

BODIES = [
    ("not JSON", b"{", 400, ""),
    ("not UTF-8", b'{"name": "\xff"}', 400, ""),
    ("a lone surrogate", b'{"name": "\\ud800"}', 400, ""),
    ("NaN", b'{"name": NaN}', 400, ""),
    ("no object", b"[1]", 400, ""),
    ("nested without end", DEEP, 400, ""),
    ("nested too deep", b'{"name":' + b"[" * 80 + b"]" * 80 + b"}", 400, ""),
    ("a name twice", b'{"name": "a.test", "name": "b.test"}', 422, "name"),
    ("a number too large", b'{"name": 99999999999999999999999}', 422, "name"),
    ("a float too large", b'{"name": 1e300}', 422, "name"),
    ("a wrong type", b'{"name": 7}', 422, "name"),
    ("nothing needed is there", b"{}", 422, "name"),
    ("an unknown field", b'{"name": "a.test", "nam": 1}', 422, "nam"),
    ("too long", b'{"name": "' + b"a" * 3_000 + b'"}', 422, "name"),
    ("a control character", b'{"name": "a\\u0000.test"}', 422, ""),
]


@pytest.mark.parametrize(("body", "status", "name"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
async def test_a_bad_body_is_one_clear_answer(root, body, status, name) -> None:
    """Nothing is done; the answer names the field where one is to blame."""
    answer = await root.send("POST", f"{BASE}/domains", body=body, content_type="application/json")
    assert answer.status == status, answer.body
    assert answer.json["detail"]
    assert not name or answer.json["field"] == name


@pytest.mark.parametrize(
    ("query", "status", "name"),
    [
        ("limit=0", 422, "limit"),
        ("limit=many", 422, "limit"),
        ("limit=5&limit=6", 422, "limit"),
        ("cursor=%21%21", 422, "cursor"),
        ("lmit=5", 422, "lmit"),
        ("domain=%ff", 400, ""),
        ("domain=" + "a" * 20_000, 414, ""),
        ("&&limit=5&", 200, ""),
    ],
)
async def test_a_bad_query_is_one_clear_answer(root, query, status, name) -> None:
    """The field is named."""
    answer = await root.send("GET", f"{BASE}/accounts?{query}")
    assert answer.status == status, answer.body
    assert not name or answer.json["field"] == name


async def test_several_fields_are_all_named(root) -> None:
    """One request tells everything that is wrong with it."""
    answer = await root.send("POST", f"{BASE}/accounts", {"address": 1, "nonsense": 2, "quota": "much"})
    assert {each["field"] for each in answer.json["fields"]} >= {"address", "nonsense"}


async def test_a_field_of_the_path_is_not_taken_from_the_body(root) -> None:
    """It would be unclear which of the two counts."""
    answer = await root.send("PATCH", f"{BASE}/accounts/anna@acme.test", {"address": "ben@acme.test"})
    assert (answer.status, answer.json["field"]) == (422, "address")


async def test_a_write_takes_no_fields_from_the_query(root) -> None:
    """A field in the wrong place is not silently lost."""
    answer = await root.send("POST", f"{BASE}/domains?note=hello", {"name": "new.test"})
    assert (answer.status, answer.json["field"]) == (422, "note")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_only_json_is_taken(root, kind) -> None:
    """What a form of a foreign page can send is 415."""
    answer = await root.send("POST", f"{BASE}/domains", body=b'{"name": "new.test"}', content_type=kind)
    assert (answer.status, answer.headers["accept"]) == (415, "application/json")


@pytest.mark.parametrize(
    ("accept", "status"),
    [("", 200), ("*/*", 200), ("application/*", 200), ("text/html, application/json;q=0.5", 200), ("text/html", 406),
     ("application/json;q=0", 406)],
)  # fmt: skip
async def test_what_the_client_accepts(root, accept, status) -> None:
    """406 where JSON is not among it."""
    assert (await root.send("GET", f"{BASE}/accounts", accept=accept)).status == status


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(root) -> None:
    """413 names the setting."""
    body = b'{"name": "' + b"a" * 2_000_000 + b'"}'
    answer = await root.send("POST", f"{BASE}/domains", body=body, content_type="application/json")
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert "rest.body_size" in answer.json["remedy"]


async def test_a_part_of_the_path_that_is_not_utf_8(root) -> None:
    """422 names the field."""
    answer = await root.send("GET", f"{BASE}/accounts/%ff@acme.test")
    assert (answer.status, answer.json["field"]) == (422, "address")


@pytest.mark.parametrize("path", ["audit/99999999999999999999", "audit?cursor=&limit=99999999999999999999"])
async def test_a_number_that_no_database_holds(root, path) -> None:
    """422, wherever it stands."""
    assert (await root.send("GET", f"{BASE}/{path}")).status == 422


async def test_a_dry_run_is_true_or_false(root) -> None:
    """Anything else could be meant either way."""
    answer = await root.send("POST", f"{BASE}/domains?dry_run=1", {"name": "new.test"})
    assert (answer.status, answer.json["field"]) == (422, "dry_run")
