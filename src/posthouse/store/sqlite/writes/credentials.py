"""Credentials, sign-ins and bans.

Sessions of the web come and go with every visit: they are read by verifier and leave the directory's version alone.
"""

from __future__ import annotations

import orjson

from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.directory_values import (
    AdvanceCredential,
    CredentialKind,
    NoteSignIns,
    PutBan,
    PutCredential,
    RemoveBan,
    RemoveCredential,
)
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.writes import entries

_WHERE = "store.credentials"
_BANS_KEPT = 7 * 86_400.0  # seconds after their end, for whoever asks what happened


def put_credential(group: Group, value: PutCredential) -> None:
    """Add a credential, or change one by its id."""
    row = group.execute("SELECT account, kind FROM credential WHERE id = ?", (value.id,)).fetchone()
    if row is not None and (value.must_be_new or row != (value.account, value.kind.value)):
        raise AlreadyExists(f"there is a credential {value.id} already", where=_WHERE)
    if value.account and entries.kind_of(group, value.account)[0] != entries.ACCOUNT:
        raise Vanished(f"the account {value.account} is not there", where=_WHERE)
    taken = group.execute(
        "SELECT 1 FROM credential WHERE kind = ? AND verifier = ? AND id != ?",
        (value.kind.value, value.verifier, value.id),
    )
    if taken.fetchone() is not None:
        raise AlreadyExists(f"the verifier of the {value.kind.value} is in use", where=_WHERE)
    group.execute(
        "INSERT INTO credential (id, account, kind, name, verifier, scopes, created, expires, details)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
        " verifier = excluded.verifier, scopes = excluded.scopes, expires = excluded.expires,"
        " details = excluded.details",
        (
            value.id, value.account, value.kind.value, value.name, value.verifier, value.scopes,
            value.created or group.now, value.expires, orjson.dumps(dict(value.details or {})).decode(),
        ),
    )  # fmt: skip
    _changed(group, value.kind)


def remove_credential(group: Group, value: RemoveCredential) -> int:
    """Remove a credential, or all of a kind; return how many."""
    statement = "DELETE FROM credential WHERE account = ? AND kind = ?"
    binds: tuple[str, ...] = (value.account, value.kind.value)
    if value.id != "*":
        statement, binds = f"{statement} AND id = ?", (*binds, value.id)
    count = group.execute(statement, binds).rowcount
    if not count and value.id != "*":
        raise Vanished(f"there is no {value.kind.value} {value.id}", where=_WHERE)
    if count:
        _changed(group, value.kind)
    return count


def advance_credential(group: Group, value: AdvanceCredential) -> None:
    """Raise a number among a credential's details; writers come one after the other, so that one of two succeeds."""
    row = group.execute(
        "SELECT details FROM credential WHERE id = ? AND account = ? AND kind = ?",
        (value.id, value.account, value.kind.value),
    ).fetchone()
    if row is None:
        raise Vanished(f"there is no {value.kind.value} {value.id}", where=_WHERE)
    details = orjson.loads(row[0])
    if details.get(value.field, 0) >= value.to:
        raise NotAllowed(f"the {value.field} of {value.kind.value} {value.id} is {value.to} or more", where=_WHERE)
    details |= dict(value.details or {})
    details[value.field] = value.to
    kept = {name: detail for name, detail in details.items() if detail is not None}
    group.execute("UPDATE credential SET details = ? WHERE id = ?", (orjson.dumps(kept).decode(), value.id))


def _changed(group: Group, kind: CredentialKind) -> None:
    if kind is not CredentialKind.SESSION:
        group.directory_changed()


def note_sign_ins(group: Group, value: NoteSignIns) -> None:
    """Note last sign-ins and last uses; of those that are gone meanwhile nothing is kept."""
    group.settle()
    many = group.connection.executemany
    many(
        "INSERT INTO sign_in (account_id, at, address, protocol) SELECT ?1, ?2, ?3, ?4"
        " WHERE EXISTS (SELECT 1 FROM account WHERE id = ?1) ON CONFLICT (account_id) DO UPDATE SET at = excluded.at,"
        " address = excluded.address, protocol = excluded.protocol WHERE excluded.at >= at",
        value.accounts,
    )
    many("UPDATE credential SET last_used = ?2, last_address = ?3 WHERE id = ?1 AND last_used <= ?2", value.credentials)


def put_ban(group: Group, value: PutBan) -> None:
    """Keep a network from signing in; bans that ended long ago go."""
    group.execute("DELETE FROM ban WHERE until < ?", (group.now - _BANS_KEPT,))
    group.execute(
        "INSERT OR REPLACE INTO ban (network, account, reason, since, until, set_by) VALUES (?, ?, ?, ?, ?, ?)",
        (value.network, value.account, value.reason, value.since, value.until, value.by),
    )
    group.directory_changed()


def remove_ban(group: Group, value: RemoveBan) -> None:
    """Lift a ban."""
    gone = group.execute("DELETE FROM ban WHERE network = ? AND account = ?", (value.network, value.account)).rowcount
    if not gone:
        raise Vanished(f"{value.network} is not banned", where=_WHERE)
    group.directory_changed()
