"""any bytes give a mailbox name or a named fault, in linear time, never another exception.

A name that was read is written to the same octets again, INBOX aside, and is one that a mailbox may have. The first
line is a LIST pattern, the rest a name; the matcher that never backtracks agrees with the regular expression.
"""

from __future__ import annotations

import re

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.types.mailbox_name import (
    check_name,
    compile_pattern,
    decode_name,
    encode_name,
    fold_inbox,
    parse_name,
)


def target(data: bytes) -> None:
    """Read the data as pattern and name."""
    first, _, rest = data.partition(b"\n")
    _name(rest)
    pattern, name = first.decode("utf-8", "replace"), rest.decode("utf-8", "replace")
    matches = compile_pattern(pattern)(name)
    if len(pattern) < 12 and len(name) < 40:
        source = re.escape(fold_inbox(pattern)).replace(r"\*", ".*").replace("%", "[^/]*")
        assert matches == (re.fullmatch(source, name, re.DOTALL) is not None)


def _name(data: bytes) -> None:
    try:
        text = decode_name(data)
        assert encode_name(text) == data
        name = parse_name(data)
    except SyntaxFault:
        return
    check_name(name)
    assert name == fold_inbox(text)
    assert parse_name(encode_name(name)) == name
