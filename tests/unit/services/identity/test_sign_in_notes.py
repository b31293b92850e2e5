"""Last sign-ins: written together, kept when the store is away, bounded."""

import pytest

from posthouse.core.errors import Unavailable
from posthouse.core.ids import AccountId
from posthouse.services.identity import sign_in_notes as module
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory

ANNA, BEN = AccountId(1), AccountId(2)


@pytest.fixture
def store() -> MemoryDirectory:
    """Return an empty store."""
    return MemoryDirectory()


async def test_many_sign_ins_are_one_commit(store) -> None:
    """The last of each account and credential; nothing where nothing was."""
    clock = FakeClock()
    notes = SignInNotes(store, clock)
    await notes.flush()
    assert store.commits == []
    first = clock.now()
    notes.account(ANNA, "192.0.2.1", "imap")
    notes.account(BEN, "192.0.2.2", "smtp")
    notes.credential("k1", "192.0.2.1")
    clock.advance(1)
    notes.account(ANNA, "192.0.2.3", "pop3")
    await notes.flush()
    await notes.flush()
    (((value),),) = store.commits
    assert value.accounts == ((ANNA, first + 1, "192.0.2.3", "pop3"), (BEN, first, "192.0.2.2", "smtp"))
    assert value.credentials == (("k1", first, "192.0.2.1"),)


async def test_what_cannot_be_written_is_kept_and_newer_wins(store) -> None:
    """A store that is away loses nothing."""
    clock = FakeClock()
    notes = SignInNotes(store, clock)
    notes.account(ANNA, "192.0.2.1", "imap")
    store.failure = Unavailable("down", where="test")
    await notes.flush()
    notes.account(ANNA, "192.0.2.9", "imap")
    store.failure = None
    await notes.flush()
    assert [row[2] for row in store.commits[0][0].accounts] == ["192.0.2.9"]


async def test_memory_is_bounded(monkeypatch, store) -> None:
    """More than a bound between two writings is not noted."""
    monkeypatch.setattr(module, "MOST", 10)
    notes = SignInNotes(store, FakeClock())
    for number in range(100):
        notes.account(AccountId(number), "", "")
        notes.credential(str(number), "")
    await notes.flush()
    value = store.commits[0][0]
    assert (len(value.accounts), len(value.credentials)) == (10, 10)
