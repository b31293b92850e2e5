"""Commands made from operations: they are all there, and share what every command has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from posthouse.cli.generated import command_for
from posthouse.cli.habits import _HABITS
from posthouse.cli.reference import make_page
from posthouse.cli.root import NOUNS, WRITTEN, root
from posthouse.services.administration.catalogue import all_operations
from posthouse.services.administration.operation import Download, Effect

EVERY = list(all_operations())

# Verbs of nouns that are no operations, because they are about the machine itself; each with its reason.
ON_THE_MACHINE = {
    "completion": "prints a script for the shell that is here",
    "init": "there is no server yet",
    "log": "reads the log files of this machine, and events before anything is permitted",
    "quickstart": "there is no server yet",
    "remote": "is about the user's own configuration",
    "serve": "is the server",
    "store": "works while no server runs, on files",
}


def test_every_operation_has_a_command_and_the_other_way_round() -> None:
    """What is no operation is listed, with a reason."""
    context = click.Context(root)
    found = set()
    for noun in NOUNS:
        command = root.get_command(context, noun)
        if noun in WRITTEN:
            continue
        verbs = command.list_commands(context) if isinstance(command, click.Group) else [""]
        found |= {f"{noun}.{verb}".rstrip(".") for verb in verbs}
    assert found == {each.name for each in EVERY}
    assert set(WRITTEN) == set(ON_THE_MACHINE)
    assert set(_HABITS) <= found, "habits of operations that are gone"


@pytest.mark.parametrize("operation", EVERY, ids=lambda each: each.name)
def test_a_command_has_what_its_effect_wants(operation) -> None:
    """What writes can be rehearsed, what destroys asks, what prints has JSON, what is elsewhere can be reached."""
    command = command_for(operation.noun)
    if isinstance(command, click.Group):
        command = command.commands[operation.verb]
    options = {name for each in command.params for name in each.opts}
    assert ("--dry-run" in options) == operation.writes
    assert ("--yes" in options) == (operation.effect is Effect.DESTROY or operation.output is Download)
    assert ("--json" in options) == (operation.output is not Download)
    assert ("--output" in options) == (operation.output is Download)
    assert {"--home", "--server", "--remote", "--token-file", "--ca"} <= options
    assert command.help
    assert f"\n### posthouse {operation.noun} {operation.verb}".rstrip() in make_page().replace(
        f"\n## posthouse {operation.noun}\n", f"\n### posthouse {operation.noun}\n"
    )


def test_a_dry_run_changes_nothing(run) -> None:
    """It says what would be, and that nothing was changed; it asks nothing."""
    said = run("domain", "add", "new.test", "--dry-run", "--json")
    assert (said.code, said.rows[0]["name"], said.err) == (0, "new.test", "Nothing was changed: this was a dry run.\n")
    assert run("domain", "show", "new.test").code == os.EX_DATAERR
    run("account", "add", "ben@example.test")
    assert run("account", "remove", "ben@example.test", "--now", "--dry-run").code == 0
    assert run("account", "show", "ben@example.test").code == 0


def test_a_change_may_depend_on_a_revision(run) -> None:
    """Two administrators do not overwrite each other."""
    revision = run("account", "show", "ann@example.test", "--json").rows[0]["revision"]
    assert run("account", "set", "ann@example.test", "--name", "A", "--if-revision", str(revision)).code == 0
    refused = run("account", "set", "ann@example.test", "--name", "B", "--if-revision", str(revision))
    assert (refused.code, "somebody has changed it" in refused.err) == (os.EX_TEMPFAIL, True)


def test_lists_walk_all_pages(run, monkeypatch) -> None:
    """Unless somebody says how many; the pages are not seen."""
    monkeypatch.setattr("posthouse.cli.generated.PAGE_MOST", 2)
    for number in range(5):
        run("domain", "add", f"d{number}.test")
    names = [row["name"] for row in run("domain", "list", "--json").rows]
    assert names == [*(f"d{number}.test" for number in range(5)), "example.test"]
    assert len(run("domain", "list", "--limit", "3", "--json").rows) == 3
    assert run("domain", "list", "--limit", "3").out.count(".test") == 3
    assert run("alias", "list").err == "(none)\n"


def test_what_a_command_did_is_in_the_audit_log(run) -> None:
    """With the user of the machine, and without secrets."""
    run("account", "set", "ann@example.test", "--password-file", "-", text="quite another phrase\n")
    (entry,) = run("audit", "list", "--limit", "1", "--json").rows
    assert (entry["door"], entry["operation"], entry["subject"]) == (
        "command line", "account.set", "account:ann@example.test",
    )  # fmt: skip
    assert "quite another phrase" not in json.dumps(entry)
    assert entry["after"]["password"] == "changed"


def test_a_file_is_sent_and_fetched(run, tmp_path) -> None:
    """An import from a file or standard input; an export to one that is not there yet."""
    people = tmp_path / "people.csv"
    people.write_text("a1@example.test,phrase number one,1G\n")
    assert "What would become of" in run("import", "csv", str(people), "--dry-run", "--clear", "quick").out
    assert run("import", "csv", str(people), "--clear", "quick", "--json").rows[0]["counts"]["accounts"] == {"made": 1}
    assert run("import", "csv", "-", "--clear", "quick", text="a2@example.test,phrase number two,1G\n").code == 0
    made = tmp_path / "made.csv"
    assert run("export", "accounts", "--output", str(made)).out == ""
    assert "a2@example.test" in made.read_text()
    assert made.stat().st_mode & 0o077 == 0
    assert run("export", "accounts", "--output", str(made)).code == os.EX_CANTCREAT
    assert run("export", "accounts", "--domain", "example.test", "--output", str(made), "--yes").code == 0
    assert "a1@example.test" in run("export", "accounts").out


def test_a_snapshot_goes_out_and_comes_back(run, tmp_path) -> None:
    """Applied to its own server it changes nothing; a difference is shown."""
    file = tmp_path / "s.toml"
    assert run("snapshot", "--output", str(file)).code == 0
    assert run("apply", str(file), "--yes").out.endswith("0 changed\n")
    run("domain", "set", "example.test", "--note", "changed")
    said = run("apply", str(file), "--dry-run")
    assert ("note" in said.out, "1 would differ" in said.out) == (True, True)
    assert run("apply", str(file)).code == os.EX_USAGE


def test_the_noun_check_is_its_verb_run(run) -> None:
    """With the same options; before another verb they are out of place."""
    assert (
        run("check", "--only", "configuration.*", "--json").rows
        == run("check", "run", "--only", "configuration.*", "--json").rows
    )
    refused = run("check", "--domain", "example.test", "dns")
    assert (refused.code, "--domain goes after dns" in refused.err) == (os.EX_USAGE, True)
    assert "v=spf1" in run("check", "dns", "example.test").out


def test_a_home_that_cannot_be_opened_is_checked(run, home) -> None:
    """That is what check is for."""
    (home / "posthouse.toml").write_text("hostname = 3\n")
    said = run("check")
    assert (said.code, "posthouse.toml" in said.out) == (os.EX_CONFIG, True)


def test_live_events_need_a_server(run) -> None:
    """The remedy is named."""
    said = run("event", "follow")
    assert (said.code, "posthouse serve" in said.err) == (os.EX_TEMPFAIL, True)


@pytest.mark.slow
def test_no_secret_is_seen_by_others_on_the_machine(home, tmp_path) -> None:
    """Neither in the arguments of the process, nor in what it prints, nor in the log."""
    secret = "a phrase nobody sees"
    (tmp_path / "password").write_text(secret + "\n")
    command = [sys.executable, "-m", "posthouse.cli", "--home", str(home), "account", "add", "z@example.test",
               "--password-file", str(tmp_path / "password")]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        seen = Path(f"/proc/{process.pid}/cmdline").read_bytes() + Path(f"/proc/{process.pid}/environ").read_bytes()
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert secret.encode() not in seen + out + err
    assert all(secret.encode() not in path.read_bytes() for path in home.rglob("*") if path.is_file())
