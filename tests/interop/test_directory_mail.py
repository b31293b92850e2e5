"""What the directory says, as mail meets it: groups, who has moved, who is disabled or held, names at sign-in.

Swaks and sockets talk to a real server of two workers; changes are made beside it, as a command would, and hold within
a second in every worker.
"""

from __future__ import annotations

import shutil
import smtplib
import subprocess

import pytest

from posthouse.services.administration.operations import (
    account,
    account_addresses,
    account_stages,
    alias,
    domain,
    group,
    office,
    shared,
)
from posthouse.services.identity.inheritance import read_settings
from posthouse.services.identity.passwords import hash_password
from posthouse.store.directory_values import PutAccount
from tests.support.desks import do, make_desk
from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, until

MESSAGE = b"From: x@far.test\r\nTo: y@example.test\r\nSubject: %b\r\n\r\nHello.\r\n"
EFFECTIVE = 1.0  # seconds in which a change holds everywhere
SLACK = 1.0  # for the questions themselves, on a machine that is busy with other tests


pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("directory")]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server of two workers with anna, ben and carl."""
    server = PosthouseServer(tmp_path_factory.mktemp("directory") / "home", people=("anna", "ben", "carl"), workers=2)
    with server:
        yield server


def change(house, operation, **fields):
    """Perform an operation beside the server."""

    async def action(tools):
        desk = make_desk(tools.store, tools.clock, house.home)
        desk.settings = await read_settings(tools.store)
        return await do(desk, operation, **fields)

    return house.tools(action)


def rcpt(house, to: str, sender: str = "x@far.test", name: str = "") -> tuple[int, str]:
    """Return what RCPT is answered, on the mail exchange, or to ``name`` on the submission port."""
    with house.submission(name) if name else house.smtp() as client:
        client.ehlo("peer.test")
        assert client.mail(sender)[0] == 250
        code, text = client.rcpt(to)
        return code, text.decode()


def always(house, to: str, expected: str, **more) -> None:
    """Wait until every worker answers so, a second at most; which one answers is chance, so ask often."""
    until(
        lambda: all(expected in f"{rcpt(house, to, **more)}" for _ in range(8)), f"{expected} for {to}",
        EFFECTIVE + SLACK,
    )  # fmt: skip


def send(house, to: str, subject: str, sender: str = "x@far.test") -> None:
    """Send a message from outside."""
    with house.smtp() as client:
        client.sendmail(sender, [to], MESSAGE % subject.encode())


def subjects(house, name: str) -> list[str]:
    """Return the subjects in an inbox."""
    return [
        line.partition(b": ")[2].strip().decode()
        for message in house.messages(name)
        for line in message.splitlines()
        if line.startswith(b"Subject:")
    ]


def test_a_group_reaches_each_member_once(house):
    """Nested groups, aliases and members that are named twice; who may not send is told so."""
    change(house, alias.add, address=f"annas@{DOMAIN}", targets=[f"anna@{DOMAIN}"])
    change(house, group.add, address=f"inner@{DOMAIN}", members=[f"anna@{DOMAIN}", f"ben@{DOMAIN}"])
    change(
        house, group.add, address=f"all@{DOMAIN}",
        members=[f"inner@{DOMAIN}", f"annas@{DOMAIN}", f"carl@{DOMAIN}", f"ben+x@{DOMAIN}"],
    )  # fmt: skip
    always(house, f"all@{DOMAIN}", "250")
    send(house, f"all@{DOMAIN}", "to all")
    for name in ("anna", "ben", "carl"):
        until(lambda who=name: "to all" in subjects(house, who), f"the message in {name}'s inbox")
        assert subjects(house, name).count("to all") == 1
    change(house, group.set_, address=f"all@{DOMAIN}", senders="members")
    always(house, f"all@{DOMAIN}", "5.7.1")
    code, text = rcpt(house, f"all@{DOMAIN}")
    assert (code, text) == (550, "5.7.1 Not allowed to send to this group: only its members may send to it")
    assert rcpt(house, f"all@{DOMAIN}", sender=f"ben@{DOMAIN}", name="ben")[0] == 250
    assert rcpt(house, f"all@{DOMAIN}", sender=f"ben@{DOMAIN}")[0] == 550
    assert rcpt(house, f"all@{DOMAIN}", sender=f"admin@{DOMAIN}", name="admin")[0] == 550


def test_who_has_moved_is_told_with_the_new_address(house):
    """RFC 5321 §3.4: 551 with the address, in a real client's transcript."""
    change(house, alias.add, address=f"gone@{DOMAIN}", targets=["new@elsewhere.test"], kind="relocated")
    always(house, f"gone@{DOMAIN}", "User has moved to <new@elsewhere.test>")
    assert rcpt(house, f"gone@{DOMAIN}")[0] == 551
    swaks = shutil.which("swaks")
    if swaks is None:
        pytest.skip("swaks is not installed")
    done = subprocess.run(
        [swaks, "--server", "127.0.0.1", "--port", str(house.port(25)), "--from", "x@far.test", "--to", f"gone@{DOMAIN}"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert "551 5.1.6 User has moved to <new@elsewhere.test>" in done.stdout
    assert done.returncode == 24  # swaks: no recipients accepted


def test_disabled_held_and_restored(house):
    """Mail and sign-in follow the state of an account; what it kept is there again after restore."""
    house.add("dora")
    address = f"dora@{DOMAIN}"
    send(house, address, "kept")
    change(house, account_stages.disable, address=address, sign_in_only=True)
    until(lambda: not may_sign_in(house, "dora"), "dora to be shut out")
    always(house, address, "250")
    send(house, address, "while shut out")
    change(house, account_stages.disable, address=address)
    always(house, address, "5.2.1")
    change(house, account_stages.enable, address=address)
    change(house, account_stages.remove, address=address)
    always(house, address, "550, '5.2.1")
    assert not may_sign_in(house, "dora")
    change(house, account_stages.restore, address=address)
    always(house, address, "250")
    until(lambda: may_sign_in(house, "dora"), "dora to be back")
    assert sorted(subjects(house, "dora")) == ["kept", "while shut out"]
    change(house, account_stages.remove, address=address, now=True)
    always(house, address, "5.1.1")


def may_sign_in(house, name: str) -> bool:
    """Whether a worker after another lets somebody in."""
    return all(_signed_in(house, f"{name}@{DOMAIN}") for _ in range(6))


def _signed_in(house, login: str) -> bool:
    with house.smtp(587) as client:
        client.starttls(context=house.tls())
        try:
            client.login(login, PASSWORD)
        except smtplib.SMTPAuthenticationError:
            return False
        return True


def test_further_addresses_and_a_post_office(house):
    """A further address receives and sends; ``name@postoffice`` signs in."""
    change(house, office.add, name="acme")
    change(house, domain.add, name="acme.test", office="acme")
    change(house, account.add, address="zoe@acme.test", password=PASSWORD)

    async def with_password(tools):
        encoded = hash_password(PASSWORD.encode())
        await tools.store.commit(PutAccount(address="zoe@acme.test", password_hash=encoded, must_be_new=False))

    house.tools(with_password)
    change(house, account_addresses.add_address, address=f"anna@{DOMAIN}", further="a.berg@acme.test")
    always(house, "a.berg@acme.test", "250")
    send(house, "a.berg@acme.test", "further")
    until(lambda: "further" in subjects(house, "anna"), "the message in anna's inbox")
    with house.submission("anna") as client:
        assert client.mail("a.berg@acme.test")[0] == 250
    until(lambda: _signed_in(house, "zoe@acme"), "zoe to sign in at her post office", EFFECTIVE + SLACK)
    change(house, office.set_, name="acme", disabled=True)
    always(house, "zoe@acme.test", "5.2.1")
    assert not _signed_in(house, "zoe@acme")


def test_a_shared_mailbox_receives_and_its_members_send(house):
    """Who has the right sends as it, others do not."""
    change(house, shared.add, address=f"info@{DOMAIN}")
    change(house, shared.grant, address=f"info@{DOMAIN}", member=f"ben@{DOMAIN}", right="write", send_as=True)
    always(house, f"info@{DOMAIN}", "250")
    with house.submission("ben") as client:
        assert client.mail(f"info@{DOMAIN}")[0] == 250
    with house.submission("carl") as client:
        assert client.mail(f"info@{DOMAIN}")[0] == 553


def test_a_full_mailbox_in_a_group_is_told_of(house):
    """The others get the message, the sender a report, and the owner was warned on the way."""
    house.add("emil")
    change(house, account.set_, address=f"emil@{DOMAIN}", quota_messages=2)
    change(house, group.add, address=f"pair@{DOMAIN}", members=[f"emil@{DOMAIN}", f"carl@{DOMAIN}"])
    always(house, f"pair@{DOMAIN}", "250")
    for number in range(3):
        send(house, f"pair@{DOMAIN}", f"pair {number}", sender=f"anna@{DOMAIN}")
    until(lambda: "pair 2" in subjects(house, "carl"), "the last message in carl's inbox")
    found = sorted(subjects(house, "emil"))
    assert [each for each in found if each.startswith("pair")] == ["pair 0", "pair 1"]
    assert [each for each in found if not each.startswith("pair")], "the server's warnings"
    until(lambda: any(b"Mailbox full" in each for each in house.messages("anna")), "a report to the sender")
    until(lambda: house.events("account.quota_warning"), "the warning in the log")
    assert {event["account"] for event in house.events("account.quota_warning")} == {f"emil@{DOMAIN}"}
    assert rcpt(house, f"emil@{DOMAIN}") == (452, "4.2.2 Mailbox full")
