"""Running imports: batches, dry runs, going on where one was interrupted, clear passwords."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.core.errors import Unavailable
from posthouse.services.administration.importing.apply import Clear, Existing, Importer, ImportOptions, Source
from posthouse.services.administration.importing.checkpoints import FileCheckpoints, MemoryCheckpoints
from posthouse.services.administration.importing.pace import Pace
from posthouse.services.administration.importing.records import ImportedAccount, ImportedDomain, subject_of
from posthouse.services.administration.importing.sink import Ending, Look, RecordOutcome, Standing
from posthouse.services.administration.importing.source import Unreadable
from posthouse.testing.clock import FakeClock

TENS = Pace(batch=10, read=1_000)


class MemorySink:
    """Keeps things by name; fails at the batch ``fails_at``; refuses names in ``refused``."""

    def __init__(self):
        self.there = {}
        self.batches = []
        self.fails_at = 0
        self.refused = set()
        self.taken = set()

    async def look(self, things):
        return [self._look(thing) for thing in things]

    def _look(self, thing):
        name = subject_of(thing)
        if name in self.taken:
            return Look(Standing.TAKEN, f"{name} is there already, as an alias")
        if name not in self.there:
            return Look(Standing.NEW)
        old = self.there[name]
        same = getattr(old, "name", None) == getattr(thing, "name", None)
        return Look(Standing.SAME if same else Standing.OTHER)

    async def put(self, things):
        self.batches.append([subject_of(thing) for thing, _ in things])
        if len(self.batches) == self.fails_at:
            raise Unavailable("the disk is full")
        outcomes = []
        for thing, standing in things:
            assert getattr(thing, "password", None) is None
            if subject_of(thing) in self.refused:
                outcomes.append(RecordOutcome(Ending.REFUSED, "the limit is reached", "Raise it."))
                continue
            self.there[subject_of(thing)] = thing
            outcomes.append(RecordOutcome(Ending.MADE if standing is Standing.NEW else Ending.CHANGED))
        return outcomes


def people(count, **fields):
    yield ImportedDomain(where="f:1", name="example.org", implied=True)
    for number in range(count):
        yield ImportedAccount(where=f"f:{number + 1}", address=f"p{number}@example.org", **fields)


def source(records, fingerprint="f00dfeed"):
    return Source(name="people.csv", kind="csv", fingerprint=fingerprint, records=records)


async def hashed(password):
    return f"hash of {password.decode()}"


def importer(sink, **given):
    return Importer(sink, FakeClock(), hashed, **given)


async def test_everything_is_made_in_batches():
    """With progress, and a report that adds up."""
    sink, told = MemorySink(), []
    runner = importer(sink, progress=lambda *at: told.append(at))
    report = await runner.run(source(lambda: people(25)), ImportOptions(pace=TENS))
    assert [len(batch) for batch in sink.batches] == [10, 10, 6]
    assert report.counts == {"domains": {"made": 1}, "accounts": {"made": 25}}
    assert (report.is_complete, report.records, report.problem_count) == (True, 26, 0)
    assert told[-1] == (26, 26, "accounts")


async def test_a_dry_run_writes_nothing():
    """And says what would be."""
    sink = MemorySink()
    report = await importer(sink).run(source(lambda: people(5)), ImportOptions(is_dry_run=True))
    assert sink.batches == []
    assert report.counts["accounts"] == {"made": 5}
    assert report.is_dry_run


async def test_running_it_again_changes_nothing():
    """Whatever is there is left as it is."""
    sink = MemorySink()
    await importer(sink).run(source(lambda: people(5)), ImportOptions())
    sink.batches.clear()
    report = await importer(sink).run(source(lambda: people(5)), ImportOptions())
    assert sink.batches == []
    assert report.counts["accounts"] == {"present": 5}


@pytest.mark.parametrize(
    ("existing", "ending", "name"), [(Existing.KEEP, "present", None), (Existing.UPDATE, "changed", "New")]
)
async def test_what_differs_is_kept_or_updated(existing, ending, name):
    """As the option says."""
    sink = MemorySink()
    await importer(sink).run(source(lambda: people(2)), ImportOptions())
    report = await importer(sink).run(source(lambda: people(2, name="New")), ImportOptions(existing=existing))
    assert report.counts["accounts"] == {ending: 2}
    assert sink.there["p0@example.org"].name == name


@pytest.mark.parametrize("keep", ["memory", "file"])
async def test_an_interrupted_import_goes_on(tmp_path, keep):
    """What was done is not put again; the end result is the same."""
    sink = MemorySink()
    sink.fails_at = 3
    checkpoints = MemoryCheckpoints() if keep == "memory" else FileCheckpoints(tmp_path / "imports")
    with pytest.raises(Unavailable):
        await importer(sink, checkpoints=checkpoints).run(source(lambda: people(39)), ImportOptions(pace=TENS))
    assert len(sink.there) == 20
    sink.fails_at = 0
    sink.batches.clear()
    report = await importer(sink, checkpoints=checkpoints).run(source(lambda: people(39)), ImportOptions(pace=TENS))
    assert report.resumed_after == 20
    assert [batch[0] for batch in sink.batches] == ["p19@example.org", "p29@example.org"]
    assert len(sink.there) == 40
    again = await importer(sink, checkpoints=checkpoints).run(source(lambda: people(39)), ImportOptions())
    assert again.resumed_after == 0


async def test_it_begins_anew_on_another_store():
    """Where the last record that was done is not there, none is passed over."""
    sink, checkpoints = MemorySink(), MemoryCheckpoints()
    sink.fails_at = 3
    with pytest.raises(Unavailable):
        await importer(sink, checkpoints=checkpoints).run(source(lambda: people(39)), ImportOptions(pace=TENS))
    report = await importer(other := MemorySink(), checkpoints=checkpoints).run(
        source(lambda: people(39)), ImportOptions(pace=TENS)
    )
    assert (report.resumed_after, report.records, len(other.there)) == (0, 40, 40)


async def test_another_file_begins_anew():
    """A checkpoint is of one source and its options."""
    checkpoints = MemoryCheckpoints()
    sink = MemorySink()
    sink.fails_at = 2
    with pytest.raises(Unavailable):
        await importer(sink, checkpoints=checkpoints).run(source(lambda: people(20)), ImportOptions(pace=TENS))
    for changed in (source(lambda: people(5), "beef00"), source(lambda: people(5))):
        options = ImportOptions(existing=Existing.UPDATE if changed.fingerprint == "f00dfeed" else Existing.KEEP)
        report = await importer(MemorySink(), checkpoints=checkpoints).run(changed, options)
        assert report.resumed_after == 0


async def test_a_source_that_is_cut_off_changes_nothing():
    """It is gone through once before anything is written."""

    def cut():
        yield from people(30)
        raise Unreadable("f:31", "cut off")

    sink = MemorySink()
    with pytest.raises(Unreadable, match="f:31: cut off"):
        await importer(sink).run(source(cut), ImportOptions(pace=TENS))
    assert sink.batches == []


async def test_it_stops_where_it_is_told_to():
    """At the next batch; run again it goes on."""
    sink, checkpoints = MemorySink(), MemoryCheckpoints()
    report = await importer(sink, checkpoints=checkpoints, cancelled=lambda: len(sink.batches) >= 2).run(
        source(lambda: people(40)), ImportOptions(pace=TENS)
    )
    assert (report.is_complete, report.records) == (False, 20)
    report = await importer(sink, checkpoints=checkpoints).run(source(lambda: people(40)), ImportOptions(pace=TENS))
    assert (report.is_complete, report.resumed_after, len(sink.there)) == (True, 20, 41)


async def test_refusals_are_told_with_their_place():
    """Of the sink, of addresses that are taken, of what stands twice."""

    def records():
        yield from people(3)
        yield ImportedAccount(where="f:9", address="P1@example.org")

    sink = MemorySink()
    sink.refused = {"p0@example.org"}
    sink.taken = {"p2@example.org"}
    report = await importer(sink).run(source(records), ImportOptions())
    assert [(each.where, each.detail) for each in report.problems] == [
        ("f:3", "p2@example.org is there already, as an alias"),
        ("f:1", "the limit is reached"),
        ("f:9", "p1@example.org stands twice in the source"),
    ]
    assert report.counts["accounts"] == {"refused": 3, "made": 1}


CLEAR = [
    pytest.param(Clear.STRONG, "hash of geheim", id="strong"),
    pytest.param(Clear.LEAVE, "", id="leave"),
]


@pytest.mark.parametrize(("clear", "encoded"), CLEAR)
async def test_clear_passwords(clear, encoded):
    """The sink gets a hash, or none; a hash of the source is left as it is."""
    sink = MemorySink()
    await importer(sink).run(source(lambda: people(2, password=b"geheim")), ImportOptions(clear=clear))
    assert sink.there["p0@example.org"].password_hash == encoded


async def test_quick_hashes_are_salted():
    """Two people with one password have two hashes."""
    sink = MemorySink()
    await importer(sink).run(source(lambda: people(2, password=b"geheim")), ImportOptions(clear=Clear.QUICK))
    hashes = {sink.there[f"p{n}@example.org"].password_hash for n in range(2)}
    assert len(hashes) == 2
    assert all(each.startswith("{SSHA512}") for each in hashes)


async def test_hashing_keeps_a_pace(monkeypatch):
    """Others have the processor too."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    options = ImportOptions(hashes_a_second=4.0)
    await importer(MemorySink()).run(source(lambda: people(16, password=b"geheim")), options)
    assert slept == [pytest.approx(8 / 4), pytest.approx(8 / 4)]


async def test_nobody_who_is_there_is_hashed_for():
    """Work is done only for accounts that are made."""
    sink, count = MemorySink(), 0

    async def counting(password):
        nonlocal count
        count += 1
        return "h"

    for _ in range(2):
        runner = Importer(sink, FakeClock(), counting)
        await runner.run(source(lambda: people(5, password=b"geheim")), ImportOptions())
    assert count == 5


BROKEN = [b"", b"{", b"[]", b'{"done": "x"}', b'{"done": -5}', b'{"other": 1}', b"\xff"]


@pytest.mark.parametrize("content", BROKEN)
def test_a_checkpoint_that_makes_no_sense_counts_as_none(tmp_path, content):
    """The import begins anew."""
    (tmp_path / "f00dfeed.json").write_bytes(content)
    assert FileCheckpoints(tmp_path).done("f00dfeed") == 0


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    """The import goes on without."""
    (tmp_path / "file").write_text("")
    checkpoints = FileCheckpoints(tmp_path / "file" / "below")
    checkpoints.save("f00dfeed", 5)
    checkpoints.clear("f00dfeed")
    assert checkpoints.done("f00dfeed") == 0
    with pytest.raises(ValueError, match="hexadecimal"):
        checkpoints.save("../x", 1)
