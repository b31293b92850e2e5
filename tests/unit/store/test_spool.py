"""The spool file of a large message."""

import pytest

from posthouse.core.errors import Unavailable
from posthouse.store.spool import Spool
from tests.support.stores import make_store


def test_what_was_written_is_read(tmp_path):
    """Octets come back whole, by piece, in chunks and through a map; nothing is left in the directory."""
    spool = Spool(tmp_path)
    content = bytes(range(256)) * 40
    spool.write(content[:5000])
    spool.write(memoryview(content)[5000:])
    assert list(tmp_path.iterdir()) == []
    assert spool.size == len(content)
    assert spool.read(100, 20) == content[100:120]
    assert spool.read(len(content), 5) == b""
    assert [len(chunk) for chunk in spool.chunks(4096)] == [4096, 4096, 2048]
    assert b"".join(spool.chunks(999)) == content
    with spool.map() as view:
        assert view[:] == content
    spool.close()


async def test_a_spool_that_cannot_be_made(tmp_path):
    """Where the directory is gone the store says so as Unavailable."""
    async with make_store(tmp_path) as store:
        (tmp_path / "spool").rmdir()
        with pytest.raises(Unavailable):
            store.new_spool()
