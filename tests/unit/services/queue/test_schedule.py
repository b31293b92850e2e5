"""The retry schedule."""

import pytest

from posthouse.config.definitions import queue as definitions
from posthouse.config.settings import Settings
from posthouse.services.queue.schedule import DEFAULT_SCHEDULE, Schedule, parse_schedule, queue_policy
from posthouse.store.directory_rows import SettingRow

NOW = 1_700_000_000.0
FAR = NOW + 5 * 86_400


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [(0, 300), (1, 300), (2, 600), (3, 1200), (4, 2400), (5, 3600), (6, 7200), (7, 14_400), (8, 14_400), (99, 14_400)],
)
def test_waits_grow_and_the_last_one_repeats(attempts, wait):
    """The n-th failed attempt waits the n-th delay."""
    assert DEFAULT_SCHEDULE.next_attempt(NOW, attempts, FAR) == NOW + wait


def test_the_last_attempt_is_made_when_the_lifetime_ends():
    """A wait that passes the end is cut to it, and at the end there is no next attempt."""
    assert DEFAULT_SCHEDULE.next_attempt(NOW, 7, NOW + 60) == NOW + 60
    assert DEFAULT_SCHEDULE.next_attempt(NOW + 60, 8, NOW + 60) is None
    assert DEFAULT_SCHEDULE.next_attempt(NOW + 99, 8, NOW + 60) is None


def test_no_schedule_becomes_a_busy_loop():
    """A delay of nothing still waits a second."""
    assert Schedule((0.0,)).next_attempt(NOW, 1, FAR) == NOW + 1


@pytest.mark.parametrize(
    ("words", "delays"),
    [(("1m", "2h"), (60.0, 7200.0)), (("1m", "soon"), (60.0,)), ((), DEFAULT_SCHEDULE.delays)],
)
def test_the_setting_is_read(words, delays):
    """Durations are read; what is none is left out; nothing left is the default."""
    assert parse_schedule(words).delays == delays


def test_the_policy_comes_from_the_settings():
    """Every setting of the policy is read."""
    rows = [
        SettingRow(definitions.SOFT_BOUNCE.name, "server", "yes", "", 0),
        SettingRow(definitions.RETRY_SCHEDULE.name, "server", "1m", "", 0),
        SettingRow(definitions.DELAY_NOTICE_AFTER.name, "server", "1h", "", 0),
    ]
    settings = Settings(rows)
    policy = queue_policy(settings)
    assert policy.soft_bounce
    assert policy.schedule.delays == (60.0,)
    assert policy.delay_notice_after == 3600
