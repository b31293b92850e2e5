"""The nouns and verbs, run in this process on a real home."""

from __future__ import annotations

import asyncio
import os
import re

import pytest

from posthouse.config.home import Home
from posthouse.toolbox import opened_toolbox
from tests.support.stores import queued


def put(home, *changes) -> None:
    """Commit changes to the home's store."""

    async def action() -> None:
        async with opened_toolbox(Home(home)) as tools:
            await tools.store.commit(*changes)

    asyncio.run(action())


def waiting_message(home) -> str:
    """Queue a message for two recipients; return its queue id as people see it."""
    import time

    from posthouse.core.ids import format_queue_id

    now = time.time()
    entry = queued("y@far.example", "z@far.example", at=now, next_attempt=now + 3600)
    put(home, entry)
    return format_queue_id(entry.queue_id)


def test_accounts_live_through_their_commands(run, tmp_path) -> None:
    """Add, list, show, set, remove; the password is read from a file and shown nowhere."""
    (tmp_path / "password").write_text("battery staple\nsecond line\n")
    added = run("account", "add", "ben@example.test", "--password-file", str(tmp_path / "password"), "--quota", "1G")
    assert (added.code, added.err) == (0, "")
    assert re.search(r"^quota: +1\.0 GiB$", added.out, re.MULTILINE)
    assert "argon2" not in added.out + run("account", "list", "--json").out
    assert [row["address"] for row in run("account", "list", "--json").rows] == ["ann@example.test", "ben@example.test"]
    assert run("account", "set", "ben@example.test", "--disabled", "--json").rows[0]["disabled"] is True
    assert run("account", "show", "ben@example.test", "--json").rows[0]["used"] == 0
    held = run("account", "remove", "ben@example.test", "--yes")
    assert (held.code, "account restore ben@example.test" in held.err) == (0, True)
    assert run("account", "show", "ben@example.test", "--json").rows[0]["state"] == "held"
    assert run("account", "restore", "ben@example.test").code == 0
    assert run("account", "remove", "ben@example.test", "--now", "--yes").err == ""
    assert run("account", "show", "ben@example.test").code == os.EX_DATAERR


def test_a_password_comes_from_standard_input(run) -> None:
    """``-`` reads one line; without a password nobody can sign in, and that is said."""
    assert (
        run(
            "account",
            "add",
            "a@example.test",
            "--password-file",
            "-",
            text="battery staple\n",
        ).code
        == 0
    )
    assert run("account", "show", "a@example.test", "--json").rows[0]["has_password"] is True
    without = run("account", "add", "b@example.test")
    assert "Nobody can sign in yet" in without.err


def test_domains_aliases_and_routes_live_through_their_commands(run) -> None:
    """Each noun has the same verbs."""
    for noun, name, *options in (
        ("domain", "example.net", "--alias-of", "example.test"),
        ("alias", "info@example.test", "ann@example.test", "x@elsewhere.example"),
        ("route", "partner.example", "--host", "gw.partner.example", "--tls", "must"),
    ):
        assert run(noun, "add", name, *options).code == 0
        assert run(noun, "show", name).code == 0
        assert name in run(noun, "list").out
        assert run(noun, "set", name, *options).code == 0
        assert run(noun, "add", name, *options).code == os.EX_DATAERR
        assert run(noun, "remove", name, "--yes").code == 0
        assert name not in run(noun, "list").out


def test_nothing_is_destroyed_without_a_yes(run) -> None:
    """Without a terminal the answer is no, and the remedy is named."""
    refused = run("account", "remove", "ann@example.test")
    assert refused.code == os.EX_USAGE
    assert "--yes" in refused.err
    assert run("account", "show", "ann@example.test").code == 0


def test_settings_live_through_their_commands(run) -> None:
    """Get, set with a scope, explain, unset, list."""
    assert run("setting", "get", "smtp.recipients").out == "1000\n"
    assert run("setting", "set", "smtp.recipients", "500").code == 0
    assert run("setting", "get", "smtp.recipients").out == "500\n"
    assert run("setting", "set", "smtp.sender_must_own", "no", "--scope", "domain:example.test").code == 0
    explained = run("setting", "explain", "smtp.sender_must_own", "--scope", "domain:example.test").out
    assert re.search(r"^source: +domain:example.test$", explained, re.MULTILINE)
    assert run("setting", "unset", "smtp.recipients").code == 0
    assert {"name", "value", "source"} <= set(run("setting", "list", "--json").rows[0])


def test_an_open_relay_needs_force(run) -> None:
    """Refused without, done with, and reported by check ever after."""
    refused = run("setting", "set", "relay.networks", "0.0.0.0/0")
    assert refused.code == os.EX_DATAERR
    assert "open relay" in refused.err
    assert run("setting", "set", "relay.networks", "0.0.0.0/0", "--force").code == 0
    assert run("check").code == os.EX_CONFIG
    assert run("check", "--force").code == 0


def test_check_prints_findings(run) -> None:
    """A table with remedies for people, an object for each finding for programs."""
    found = run("check")
    assert found.code == 0
    assert re.search(r"^WARNING  certificate\.chain: self-signed", found.out, re.MULTILINE)
    assert re.search(r"^0 errors, \d warnings?, \d+ notices?$", found.out, re.MULTILINE)
    fields = {"id", "severity", "subject", "what", "evidence", "remedy", "records"}
    assert set(run("check", "--json").rows[0]) == fields
    assert run("check", "--only", "no.such").code == os.EX_DATAERR


def test_the_queue_is_listed_and_steered(run, home) -> None:
    """Show, hold, release, retry, remove, with one recipient or all of a message."""
    queue_id = waiting_message(home)
    assert queue_id in run("queue", "list").out
    assert {row["to"] for row in run("queue", "list", "--json").rows} == {"y@far.example", "z@far.example"}
    assert run("queue", "list", "--summary", "--json").rows[0]["recipients"] == 2
    assert run("queue", "show", queue_id, "--json").rows[0]["queue_id"] == queue_id
    assert "z@far.example" in run("queue", "show", queue_id).out
    assert run("queue", "hold", queue_id).out == "2 recipients held\n"
    assert run("queue", "release", queue_id, "--recipient", "0").out == "1 recipient released\n"
    assert run("queue", "retry", "--all").out == "1 recipient due now\n"
    assert run("queue", "remove", queue_id, "--recipient", "1", "--yes").out == "1 recipient removed\n"
    assert run("queue", "bounce", queue_id, "--yes").out == "1 recipient returned\n"
    assert run("queue", "show", queue_id).code == os.EX_DATAERR
    story = run("journey", "show", queue_id).out
    assert "held" in story
    assert "removed" in story


@pytest.mark.parametrize("words", [("retry",), ("hold", "ABC"), ("hold", "1K0RD807RWJ0L")])
def test_what_is_no_queue_id_is_refused(run, words) -> None:
    """With what one looks like."""
    refused = run("queue", *words)
    assert (refused.code, "queue" in refused.err) == (os.EX_DATAERR, True)


def test_journeys_are_found_and_shown(run, home) -> None:
    """By address, by time, by queue id."""
    queue_id = waiting_message(home)
    for what in (("z@far.example",), (queue_id,), ("--since", "1h"), ()):
        assert [row["queue_id"] for row in run("journey", "find", *what, "--json").rows] == [queue_id]
    assert run("journey", "find", "nobody@far.example", "--json").rows == []
    assert run("journey", "find", "--since", "2099-01-01").err == "(none)\n"
    assert run("journey", "find", "--since", "yesterday").code == os.EX_DATAERR
    assert run("journey", "show", queue_id, "--json").rows[0]["queue_id"] == queue_id
    assert run("journey", "show", "1K0RD807RWJ01").code == os.EX_DATAERR


def test_a_store_is_verified(run) -> None:
    """A sound one says so in words, and nothing at all to programs."""
    assert run("verify").out == "The store is sound.\n"
    assert run("verify", "--json").out == ""


def test_status_without_a_server(run) -> None:
    """The exit code tells scripts, the text tells people."""
    told = run("status")
    assert told.code == os.EX_UNAVAILABLE
    assert re.search(r"^serving: +no$", told.out, re.MULTILINE)
    assert run("status", "--json").rows[0]["workers"] == []
    assert run("log", "tail").code == os.EX_UNAVAILABLE


def test_init_makes_a_home_once(run, tmp_path) -> None:
    """The second time it is refused and nothing changes."""
    words = (
        "--home", str(tmp_path / "new"), "init", "--hostname", "mail.example.org", "--domain", "example.org",
        "--admin", "ann@example.org", "--password-file", "-", "--listen", "127.0.0.1", "--port-offset", "31000",
    )  # fmt: skip
    made = run(*words, text="battery staple\n")
    assert (made.code, made.err) == (0, "")
    assert run(*words, text="battery staple\n").code == os.EX_CONFIG
    assert run("--home", str(tmp_path / "new"), "domain", "list", "--json").rows[0]["name"] == "example.org"


def test_what_a_peer_wrote_cannot_steer_the_terminal(run, home) -> None:
    """Control characters in addresses are shown as such."""
    put(home, queued("\x1b[2Jy@far.example", at=1_800_000_000.0))
    assert "\x1b" not in run("queue", "list").out
    assert "\x1b" not in run("journey", "find").out
