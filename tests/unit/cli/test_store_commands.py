"""``posthouse store``: info, upgrade and the way back, and what ``serve`` does with an older store."""

import gzip
import os
from pathlib import Path

import pytest

from posthouse.config.file import load_configuration
from posthouse.config.home import Home
from posthouse.serving import _upgrade_store
from posthouse.store.upgrade import OlderSchema, standing
from posthouse.supervisor import lock_home

OLD = Path(__file__).parents[2] / "data" / "store-0001.db.gz"


@pytest.fixture
def old_home(home):
    """Return a home whose store an older version wrote."""
    for file in home.glob("store.db*"):
        file.unlink()
    (home / "store.db").write_bytes(gzip.decompress(OLD.read_bytes()))
    return Home(home)


def schema(home: Home) -> str:
    return standing(load_configuration(home.file).store_url, home.path).revision


def test_an_upgrade_and_back(old_home, run):
    """Info says that an upgrade is due; a dry run changes nothing; upgrade and rollback each say what they did."""
    assert run("store", "info", "--json").rows[0]["upgrade_due"] is True
    refused = run("account", "list")
    assert refused.code == os.EX_TEMPFAIL
    assert "posthouse store upgrade" in refused.err
    assert "nothing was changed" in run("store", "upgrade", "--dry-run").out
    assert schema(old_home) == "0001"
    done = run("store", "upgrade")
    assert (done.code, "store rollback" in done.out) == (0, True)
    assert "ann@example.org" in run("account", "list", "--json").out
    assert "0001" in run("store", "info").out
    assert run("store", "rollback").code == 0
    assert schema(old_home) == "0001"
    assert run("store", "rollback").code != 0


def test_losses_are_asked_for(old_home, run):
    """Without a terminal going back over changes needs --yes."""
    run("store", "upgrade")
    run("domain", "add", "new.example")
    refused = run("store", "rollback")
    assert refused.code == os.EX_USAGE
    assert "changes of directory" in refused.err
    assert run("store", "rollback", "--yes").code == 0


def test_a_running_server_is_in_the_way(old_home, run):
    """While a server holds the home nothing is upgraded or put back."""
    lock = lock_home(old_home.run)
    try:
        for verb in ("upgrade", "rollback"):
            assert "serves this home" in run("store", verb).err
    finally:
        os.close(lock)


def test_serve_upgrades_or_asks(old_home):
    """``store.upgrade`` says whether the server upgrades by itself or names the command."""
    text = old_home.file.read_text()
    assert 'upgrade = "auto"' in text
    old_home.file.write_text(text.replace('upgrade = "auto"', 'upgrade = "ask"'))
    with pytest.raises(OlderSchema, match="posthouse store upgrade"):
        _upgrade_store(old_home, load_configuration(old_home.file), is_alone=True)
    old_home.file.write_text(text)
    _upgrade_store(old_home, load_configuration(old_home.file), is_alone=True)
    assert schema(old_home) == "0002"
    _upgrade_store(old_home, load_configuration(old_home.file), is_alone=True)
