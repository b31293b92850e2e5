"""The messages other people collected, from ``../shared/judges/mime``: every file, mboxes split, line ends made CRLF."""

import re
from collections.abc import Iterator
from pathlib import Path

CORPORA = Path(__file__).parents[3] / "shared" / "judges" / "mime"
MISSING = None if CORPORA.is_dir() else "../shared/judges/mime is not there"
_FROM = re.compile(rb"^From [^\r\n]*\r?\n", re.MULTILINE)


def messages() -> Iterator[tuple[str, bytes]]:
    """Yield ``(name, octets)``; messages of an mbox are named ``file#number``."""
    for path in sorted(CORPORA.rglob("*")):
        if not path.is_file() or path.name == "LICENSE":
            continue
        name = str(path.relative_to(CORPORA))
        data = path.read_bytes()
        if data.startswith(b"From ") and ("mbox" in name or len(_FROM.findall(data)) > 1):
            for number, piece in enumerate(_FROM.split(data)[1:]):
                yield f"{name}#{number}", re.sub(rb"\r?\n", b"\r\n", piece)
        else:
            yield name, re.sub(rb"\r?\n", b"\r\n", data)
