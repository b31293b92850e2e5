"""Whose conversations are logged."""

from __future__ import annotations

import pytest

from posthouse.telemetry.conversation import HELD, LONGEST, ConversationLog
from posthouse.testing.telemetry import RecordingTelemetry

ALL = ("smtp", "imap", "relay")


def configured(protocols=ALL, clients=()) -> ConversationLog:
    """Return a log that is switched on."""
    log = ConversationLog()
    log.configure(protocols, clients)
    return log


def test_off_by_default() -> None:
    """Nobody is listened to unless somebody asks."""
    log = ConversationLog()
    assert not log.is_on
    assert log.open_tap(RecordingTelemetry(), "smtp", "192.0.2.1", 1) is None


@pytest.mark.parametrize(
    ("protocol", "peer", "account", "wanted"),
    [
        ("smtp", "192.0.2.1", "", True),
        ("smtp", "198.51.100.1", "", False),
        ("smtp", "2001:db8::5", "", True),
        ("smtp", "", "", False),
        ("imap", "198.51.100.1", "anna@example.test", True),
        ("imap", "198.51.100.1", "ben@example.test", False),
        ("imap", "198.51.100.1", "ben@other.test", True),
        ("pop3", "192.0.2.1", "anna@example.test", False),
    ],
)
def test_clients_are_networks_accounts_and_domains(protocol, peer, account, wanted) -> None:
    """Any of them is enough; the protocol must be asked for as well."""
    log = configured(clients=("192.0.2.0/24", "2001:db8::/32", "Anna@example.test", "@other.test"))
    assert log.wants(protocol, peer, account) is wanted


def test_everybody_where_no_client_is_named() -> None:
    """The protocol alone decides."""
    telemetry = RecordingTelemetry()
    tap = configured().open_tap(telemetry, "smtp", "192.0.2.1", 25)
    tap.report("C", "x" * (LONGEST + 1), LONGEST + 1)
    (fields,) = telemetry.named("conversation.smtp")
    assert fields["text"] == "x" * LONGEST + "..."
    assert (fields["direction"], fields["octets"], fields["peer"], fields["port"]) == (
        "C",
        LONGEST + 1,
        "192.0.2.1",
        25,
    )


def test_lines_are_held_until_the_account_is_known() -> None:
    """Then what was said before is reported too, as far as it was held."""
    telemetry = RecordingTelemetry()
    tap = configured(clients=("anna@example.test",)).open_tap(telemetry, "imap", "192.0.2.1", 1)
    for number in range(HELD + 10):
        tap.report("C", str(number), 1)
    assert telemetry.events == []
    tap.signed_in("anna@example.test")
    tap.report("S", "after", 1)
    found = telemetry.named("conversation.imap")
    assert len(found) == HELD + 1
    assert found[-1]["text"] == "after"
    assert found[0]["account"] == "anna@example.test"


def test_the_session_of_another_account_stays_silent() -> None:
    """What was held is forgotten."""
    telemetry = RecordingTelemetry()
    tap = configured(clients=("anna@example.test",)).open_tap(telemetry, "imap", "192.0.2.1", 1)
    tap.report("C", "x", 1)
    tap.signed_in("ben@example.test")
    tap.report("C", "y", 1)
    assert telemetry.events == []


def test_turning_it_off_silences_open_taps() -> None:
    """At once, without a restart; turning it on again lets them go on."""
    telemetry = RecordingTelemetry()
    log = configured()
    tap = log.open_tap(telemetry, "smtp", "192.0.2.1", 1)
    log.configure((), ())
    tap.report("C", "x", 1)
    assert telemetry.events == []
    log.configure(ALL, ())
    tap.report("C", "y", 1)
    assert telemetry.names == ["conversation.smtp"]


def test_the_relay_has_no_accounts() -> None:
    """Where only accounts are named nothing is held for the outgoing client."""
    assert configured(clients=("@x.test",)).open_tap(RecordingTelemetry(), "relay", "192.0.2.1", 25) is None


def test_the_same_again_changes_nothing() -> None:
    """Settings are loaded once a second; open taps need not look again each time."""
    log = configured()
    before = log.generation
    log.configure(ALL, ())
    assert log.generation == before
