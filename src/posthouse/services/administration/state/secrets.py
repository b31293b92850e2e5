"""Secrets by reference: what stands in a snapshot in the place of a password hash or a sealed secret.

A reference is ``secret:`` and the first half of a digest of the thing. It tells nobody the secret (what it stands for
is a hash with a salt, or sealed), and it is enough to see whether the server still holds the same. A snapshot with
secrets has a table of what references stand for: password hashes as they are, and what is sealed by the key of this
server in clear (``open:``), so that another can seal it anew. Such a file is as precious as the store.

Tests: ``tests/unit/services/administration/operations/test_snapshot_operations.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from posthouse.services.administration.faults import Refused

PREFIX = "secret:"
OPEN = "open:"


def reference(secret: str) -> str:
    """Return the reference of a secret; "" for none."""
    return PREFIX + hashlib.sha256(b"posthouse snapshot\0" + secret.encode()).hexdigest()[:32] if secret else ""


def resolve(where: str, given: str, current: str, known: Mapping[str, str]) -> str:
    """Return the secret of a reference: what the server holds now, or what ``known`` says, sealed ones after OPEN.

    Raises Refused: where neither does, naming ``where``.
    """
    if not given:
        return ""
    if current and given == reference(current):
        return current
    if not given.startswith(PREFIX):
        raise Refused(
            f"{where} is not a reference to a secret",
            "Leave it out, and set the secret by command.",
            field=where,
        )
    found = known.get(given)
    if found is None or not (found.startswith(OPEN) or reference(found) == given):
        raise Refused(
            f"{where} refers to a secret that this server does not hold",
            "Make the snapshot with its secrets, or leave the field out and set the secret by command.",
            field=where,
        )
    return found
