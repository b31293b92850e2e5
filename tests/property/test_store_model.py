"""The store against a naive model of mailboxes: any sequence of changes gives the same mailboxes."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from posthouse.core.flags import Flag
from posthouse.store.contract import StoreRefusal
from posthouse.store.rows import Field
from posthouse.store.values import Copy, CreateMailbox, DeleteMailbox, Expunge, FlagChange, FlagMode, RenameMailbox
from tests.support.stores import delivery, furnish, make_store

ALL = ((1, 0xFFFFFFFF),)
NAMES = ("INBOX", "Junk", "a", "a/b", "a/b/c", "b", "INBOX/x")
names = st.sampled_from(NAMES)
flags = st.integers(0, 31).map(Flag)
words = st.sets(st.sampled_from(("$Junk", "work", "Work", "x")), max_size=2).map(lambda found: tuple(sorted(found)))
ranges = st.lists(st.tuples(st.integers(1, 14), st.integers(0, 5)), max_size=3).map(
    lambda pairs: tuple(sorted(_apart((low, low + span) for low, span in pairs)))
)


def _apart(pairs):
    """Keep ranges that do not overlap those before."""
    kept = []
    for low, high in pairs:
        if all(high < first or low > last for first, last in kept):
            kept.append((low, high))
    return kept


class Box:
    """A mailbox of the model: rows by UID, each ``[text, flags, keywords, modseq]``."""

    def __init__(self):
        self.rows, self.next, self.gone = {}, 1, {}


def _with(present, added):
    have = {word.lower() for word in present}
    for word in added:
        if word.lower() not in have:
            present = (*present, word)
            have.add(word.lower())
    return present


class StoreModel(RuleBasedStateMachine):
    """Every rule is done to the store and to the model; the invariant compares them."""

    @initialize()
    def open(self):
        self.home = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.context = make_store(self.home)
        self.store = self.run(self.context.__aenter__())
        (self.account,) = self.run(furnish(self.store, "ann@example.org"))
        self.boxes = {name: Box() for name in ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive")}
        self.count = 0
        self.marks = []

    def run(self, waiting):
        return self.loop.run_until_complete(waiting)

    def teardown(self):
        if hasattr(self, "store"):
            assert self.run(self.store.verify()) == []
            self.run(self.context.__aexit__(None, None, None))
            self.loop.close()
            shutil.rmtree(self.home)

    def id_of(self, name):
        row = self.run(self.store.mailbox_named(self.account, name))
        return row.id if row else 0

    def commit(self, *values):
        return self.run(self.store.commit(*values))

    @rule(name=names, mask=flags, keywords=words)
    def deliver(self, name, mask, keywords):
        mailbox = self.id_of(name)
        assert bool(mailbox) == (name in self.boxes)
        if not mailbox:
            return
        self.count += 1
        text = f"text {self.count}"
        done = self.commit(delivery(self.account, text, mailbox=mailbox, flags=mask, keywords=keywords))
        box = self.boxes[name]
        assert done.filed[0].uid == box.next
        box.rows[box.next] = [text, mask.value, keywords, done.filed[0].modseq]
        box.next += 1

    @rule(
        name=names, uids=ranges, mode=st.sampled_from(FlagMode), new=st.tuples(flags, words), since=st.integers(0, 60)
    )
    def flag(self, name, uids, mode, new, since):
        mask, keywords = new
        if name not in self.boxes:
            return
        limit = since if since > 20 else None
        done = self.commit(
            FlagChange(
                account=self.account, mailbox=self.id_of(name), uids=uids, mode=mode, flags=mask, keywords=keywords,
                unchanged_since=limit,
            )
        )  # fmt: skip
        box = self.boxes[name]
        shown = {uid: (value, text, modseq) for uid, value, text, modseq in done.changed}
        modified = []
        for uid in sorted(box.rows):
            if not any(low <= uid <= high for low, high in uids):
                continue
            row = box.rows[uid]
            if limit is not None and row[3] > limit:
                modified.append(uid)
                continue
            before = row[1:3]
            gone = {word.lower() for word in keywords}
            if mode is FlagMode.ADD:
                row[1], row[2] = row[1] | mask.value, _with(row[2], keywords)
            elif mode is FlagMode.REMOVE:
                row[1] &= ~mask.value
                row[2] = tuple(word for word in row[2] if word.lower() not in gone)
            else:
                row[1:3] = mask.value, keywords
            if row[1:3] == before:
                assert shown[uid][2] == row[3]
            else:
                assert shown[uid][2] > row[3]
                row[3] = shown[uid][2]
            assert shown.pop(uid)[:2] == (row[1], " ".join(row[2]))
        assert (shown, done.modified) == ({}, modified)

    @rule(name=names, uids=ranges, marked=st.booleans())
    def expunge(self, name, uids, marked):
        if name not in self.boxes:
            return
        box = self.boxes[name]
        gone = [
            uid
            for uid in sorted(box.rows)
            if any(low <= uid <= high for low, high in uids) and (not marked or box.rows[uid][1] & 8)
        ]
        done = self.commit(Expunge(account=self.account, mailbox=self.id_of(name), uids=uids, only_deleted=marked))
        assert done.uids == gone
        for uid in gone:
            del box.rows[uid]
            box.gone[uid] = done.modseq

    @rule(name=names, goal_name=names, uids=ranges, move=st.booleans())
    def copy(self, name, goal_name, uids, move):
        if name not in self.boxes or goal_name not in self.boxes:
            return
        source, goal = self.boxes[name], self.boxes[goal_name]
        found = [uid for uid in sorted(source.rows) if any(low <= uid <= high for low, high in uids)]
        done = self.commit(
            Copy(account=self.account, mailbox=self.id_of(name), uids=uids, target=self.id_of(goal_name), move=move)
        )
        assert done.source == found
        assert done.target == list(range(goal.next, goal.next + len(found)))
        row = self.run(self.store.mailbox_named(self.account, goal_name))
        for uid, new in zip(found, done.target, strict=True):
            # One modseq for all rows that came, before that of the expunges.
            modseq = done.modseq - 1 if move else row.highestmodseq
            goal.rows[new] = [*source.rows[uid][:3], modseq]
            goal.next = new + 1
        if move:
            for uid in found:
                del source.rows[uid]
                source.gone[uid] = done.modseq

    @rule(name=names)
    def create(self, name):
        try:
            self.commit(CreateMailbox(account=self.account, name=name))
        except StoreRefusal:
            assert name in self.boxes
            return
        levels = name.split("/")
        for depth in range(1, len(levels) + 1):
            self.boxes.setdefault("/".join(levels[:depth]), Box())

    @rule(name=names)
    def delete(self, name):
        try:
            self.commit(DeleteMailbox(account=self.account, name=name))
        except StoreRefusal:
            below = any(other.startswith(name + "/") for other in self.boxes)
            assert name == "INBOX" or name not in self.boxes or below
            return
        del self.boxes[name]

    @rule(old=names, new=names)
    def rename(self, old, new):
        try:
            self.commit(RenameMailbox(account=self.account, old=old, new=new))
        except StoreRefusal:
            assert old not in self.boxes or new in self.boxes or new.startswith(old + "/")
            return
        levels = new.split("/")
        for depth in range(1, len(levels)):
            self.boxes.setdefault("/".join(levels[:depth]), Box())
        if old == "INBOX":
            moved, goal = self.boxes[old], Box()
            changed = self.run(self.store.changed_since(self.account, self.id_of(new), 0))
            for uid in sorted(moved.rows):
                goal.rows[goal.next] = [*moved.rows[uid][:3], changed[0][3]]
                goal.next += 1
            highest = self.run(self.store.mailbox_named(self.account, old)).highestmodseq
            moved.gone.update(dict.fromkeys(moved.rows, highest))
            moved.rows = {}
            self.boxes[new] = goal
            return
        for name in [name for name in self.boxes if name == old or name.startswith(old + "/")]:
            self.boxes[new + name[len(old) :]] = self.boxes.pop(name)

    @rule()
    def housekeep(self):
        self.run(self.store.housekeep())

    @precondition(lambda self: hasattr(self, "store"))
    @invariant()
    def the_store_is_as_the_model(self):
        rows = self.run(self.store.mailboxes(self.account))
        assert {row.name for row in rows} == set(self.boxes)
        for row in rows:
            box = self.boxes[row.name]
            fields = (Field.UID, Field.FLAGS, Field.KEYWORDS, Field.MODSEQ, Field.CONTENT)
            found = self.run(self.store.messages(self.account, row.id, ALL, fields))
            wanted = [
                (uid, value, " ".join(words), modseq, f"Subject: A subject\r\n\r\n{text}\r\n".encode())
                for uid, (text, value, words, modseq) in sorted(box.rows.items())
            ]
            assert found == wanted
            assert list(self.run(self.store.uids(self.account, row.id))) == sorted(box.rows)
            assert (row.messages, row.uidnext) == (len(box.rows), box.next)
            assert row.unseen == sum(not value & 1 for _, value, _, _ in box.rows.values())
            assert row.deleted == sum(value & 8 != 0 for _, value, _, _ in box.rows.values())
            for mark in {0, row.highestmodseq // 2, max(0, row.highestmodseq - 1), row.highestmodseq}:
                changed = self.run(self.store.changed_since(self.account, row.id, mark))
                assert [entry[0] for entry in changed] == [uid for uid, *_, modseq, _ in wanted if modseq > mark]
                gone = self.run(self.store.expunged_since(self.account, row.id, mark))
                assert gone == sorted(uid for uid, modseq in box.gone.items() if modseq > mark)


TestStoreModel = StoreModel.TestCase
TestStoreModel.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
