"""Messages that a running server writes, as mail programs find them: greetings, warnings, reports, notices to many.

A worker is killed in the middle of a notice to two thousand mailboxes; in the end each has it once.
"""

from __future__ import annotations

import os
import signal
from email import message_from_bytes, policy

import orjson
import pytest

from posthouse.services.administration.messages.sendout import PURPOSE
from posthouse.store.directory_values import PutAccount, PutJob
from posthouse_client import Client
from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("server_messages")]

MANY = 2_000
MESSAGE = b"From: x@far.test\r\nTo: ben@example.test\r\nSubject: %d\r\n\r\n" + b"x" * 70 * 140 + b"\r\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server of two workers that greets, and that reports at once."""
    server = PosthouseServer(tmp_path_factory.mktemp("messages") / "home", people=("anna", "ben"), workers=2).found()
    server.set(report__daily_at="00:00", message__send="welcome, quota-warning, quota-full, password-changed")
    with server.start():
        yield server


def read(house, name):
    """Return the messages in an inbox, parsed."""
    if not house.count(name):
        return []
    return [message_from_bytes(each, policy=policy.default) for each in house.messages(name)]


def subjects(house, name):
    """Return the subjects in an inbox."""
    return [each["Subject"] for each in read(house, name)]


def test_a_new_account_is_greeted_in_its_language(house) -> None:
    """Seen over IMAP, and found in the journey."""
    house.say("account", "add", f"carla@{DOMAIN}", "--language", "de-AT", "--password-file", "-", text=PASSWORD)
    (message,) = read(house, "carla")
    assert message["Subject"] == f"Willkommen bei {DOMAIN}"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"Ihr Postfach carla@{DOMAIN} ist bereit." in message.get_content()
    assert f"the server message welcome was written to <carla@{DOMAIN}>" in house.story(f"carla@{DOMAIN}")


def test_words_that_were_changed_hold_at_once(house) -> None:
    """For the domain alone whose administrator changed them."""
    house.say("wording", "set", "welcome", "--scope", f"domain:{DOMAIN}", "--text", "Nice to meet you, {{ address }}.")
    house.say("account", "add", f"dora@{DOMAIN}", "--password-file", "-", text=PASSWORD)
    (message,) = read(house, "dora")
    assert message.get_content().strip() == f"Nice to meet you, dora@{DOMAIN}."
    refused = house.run("wording", "set", "welcome", "--text", "{{ password }}")
    assert refused.returncode == os.EX_DATAERR
    assert "there is no variable 'password'" in refused.stderr


def test_the_owner_of_a_mailbox_that_fills_is_warned_once(house) -> None:
    """At 80 per cent, not with every message after; and once when mail for it is refused."""
    house.say("account", "set", f"ben@{DOMAIN}", "--quota", "100K")
    for number in range(9):
        with house.smtp() as client:
            client.sendmail("x@far.test", [f"ben@{DOMAIN}"], MESSAGE % number)
    warnings = [each for each in subjects(house, "ben") if each.startswith("Your mailbox")]
    assert warnings == ["Your mailbox is 80 % full"]
    house.say("account", "set", f"ben@{DOMAIN}", "--quota", "50K")
    with house.smtp() as client:
        client.ehlo()
        client.mail("x@far.test")
        until(lambda: client.rcpt(f"ben@{DOMAIN}")[0] == 452, "the smaller quota")
        assert client.rcpt(f"ben@{DOMAIN}")[0] == 452
    full = [each for each in subjects(house, "ben") if each == "Your mailbox is full"]
    assert full == ["Your mailbox is full"]


def test_a_confirmation_speaks_the_senders_language(house) -> None:
    """The part for people in French, the part for programs as ever."""
    house.say("account", "set", f"anna@{DOMAIN}", "--language", "fr")

    def confirmed():
        with house.submission("anna") as client:
            client.sendmail(f"anna@{DOMAIN}", [f"admin@{DOMAIN}"], MESSAGE % 1, rcpt_options=["NOTIFY=SUCCESS"])
        return [each for each in read(house, "anna") if each["Subject"] == "Votre message a été remis"]

    found = until(confirmed, "a confirmation in French")[0]
    text, status, _ = found.iter_parts()
    assert "Vous n'avez rien à faire." in text.get_content()
    assert b"Action: delivered" in status.as_bytes()


def test_the_report_of_yesterday_comes_once(house) -> None:
    """To the postmaster, made from the log by a process of its own."""
    until(lambda: house.events("report.sent"), "the report", 40)
    reports = [each for each in read(house, "admin") if each["Subject"].startswith("Report of ")]
    assert len(reports) == 1
    assert "messages received" in reports[0].get_content()


def progress_of(house, job):
    """Return how many readers have a notice."""

    async def ask(tools):
        row = await tools.store.kept_reply(f"({PURPOSE})", job)
        return orjson.loads(row.body)["done"] if row is not None else 0

    return house.tools(ask)


def test_a_notice_reaches_everybody_once_though_a_worker_is_killed(house) -> None:
    """The next worker goes on after the last reader who has it."""
    house.set(message__notice_rate="400")

    async def fill(tools):
        changes = [PutAccount(address=f"reader{number:04}@{DOMAIN}") for number in range(MANY)]
        for first in range(0, MANY, 200):
            await tools.store.commit(*changes[first : first + 200])

    house.tools(fill)
    url = f"https://localhost:{house.port(443)}"
    with Client(url, login=f"admin@{DOMAIN}", password=PASSWORD, context=house.tls()) as client:
        job = client.notice.send(subject="Maintenance", text="On Sunday.", domain=DOMAIN, id="sunday").id
    until(lambda: progress_of(house, "sunday") >= MANY // 4, "a quarter of the notice", 40)
    worker = house.tools(lambda tools: tools.store.job(job)).owner
    number = int(worker.removeprefix("worker-").partition(".")[0])
    pids = {each["worker"]: each["pid"] for each in house.rows("status")[0]["workers"]}
    os.kill(pids[number], signal.SIGKILL)
    done = progress_of(house, "sunday")
    assert done < MANY

    async def end_lease(tools):  # or it takes a minute until another worker may have the job
        await tools.store.commit(PutJob(id=job, owner="", until=0.0))

    house.tools(end_lease)
    until(lambda: house.tools(lambda tools: tools.store.job(job)).state == "done", "the rest of the notice", 60)

    async def count(tools):
        found = {}
        for each in await tools.store.accounts(domain=DOMAIN, limit=MANY * 2):
            if each.address.startswith("reader"):
                found[each.address] = (await tools.store.usage(each.id)).messages
        return found

    counts = house.tools(count)
    assert len(counts) == MANY
    assert set(counts.values()) == {1}
    assert subjects(house, "anna").count("Maintenance") == 1
