"""An upgrade and the way back are killed at every step: what is left is the old store or the new one, whole."""

import gzip
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from posthouse.store import upgrade as upgrades
from posthouse.store.sqlite import birth, upgrading  # noqa: F401  (imported here, not in every child)
from posthouse.store.sqlite.verify import verify

URL = "sqlite:///store.db"
OLD = Path(__file__).parents[1] / "data" / "store-0001.db.gz"
STEPS = {"open", "os.rename", "os.link", "os.remove", "os.chmod", "sqlite3.connect", "shutil.copyfile"}


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """Return a home of the old schema and one that was upgraded."""
    folder = tmp_path_factory.mktemp("homes")
    old, new = folder / "old", folder / "new"
    old.mkdir()
    (old / "store.db").write_bytes(gzip.decompress(OLD.read_bytes()))
    shutil.copytree(old, new)
    upgrades.upgrade(URL, new)
    return old, new


def killed_at(step, action):
    """Run the action in a child that kills itself at a step; return whether it was killed."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event, arguments):
            nonlocal count
            if event not in STEPS or (event == "open" and str(arguments[0]).endswith((".py", ".pyc"))):
                return
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def check(home, whole):
    """The database is of one time or the other, whole, and can be brought on."""
    revision = birth.revision_of(home / "store.db")
    assert revision in {"0001", birth.HEAD}
    connection = sqlite3.connect(home / "store.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("SELECT count(*) FROM message").fetchone() == (whole,)
    connection.close()
    if revision == "0001":
        upgrades.upgrade(URL, home)
    assert verify(home / "store.db") == []


@pytest.mark.parametrize(
    ("way", "which"), [pytest.param("upgrade", 0, id="upgrade"), pytest.param("rollback", 1, id="rollback")]
)
def test_killed_at_every_step(homes, tmp_path, way, which):
    """Kill -9 at each opening, renaming, linking and removing of a file; the run after it succeeds."""
    steps = 0
    while True:
        steps += 1
        home = tmp_path / str(steps)
        shutil.copytree(homes[which], home)
        if not killed_at(steps, lambda home=home: getattr(upgrades, way)(URL, home)):
            break
        check(home, 5)
        shutil.rmtree(home)
    assert steps > 10
