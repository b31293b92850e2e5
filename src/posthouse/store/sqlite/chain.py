"""The chain of the audit log: each entry's digest covers all its fields and the digest before it.

Whoever changes, removes or inserts an entry changes every digest after it. Removing the newest entries is seen by the
counter, which never goes back. Tests: ``tests/contract/store/test_store_records.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any

COLUMNS = "number, at, actor, door, address, operation, subject, office, domain, before, after, previous"

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical(value: Mapping[str, Any] | None) -> str | None:
    """Return a JSON value in its one form: keys in order, no spaces, ASCII."""
    if value is None:
        return None
    return _CANONICAL.encode(value)


def digest(fields: tuple[Any, ...]) -> str:
    """Return the digest of an entry from its fields in the order of ``COLUMNS``, before and after in canonical form."""
    return sha256(f"[{','.join(map(_field, fields))}]".encode()).hexdigest()


def _field(value: float | str | None) -> str:
    """Return a field as ``json.dumps`` writes it, in a fifth of its time."""
    if type(value) is str:
        return encode_basestring_ascii(value)
    return "null" if value is None else repr(value)
