"""Aliases."""

from __future__ import annotations

import orjson

from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.directory_values import AliasKind, PutAlias, RemoveAlias
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.writes import entries
from posthouse.store.sqlite.writes.accounts import leave_groups
from posthouse.store.sqlite.writes.revisions import check_revision

_WHERE = "store.directory"


def put_alias(group: Group, value: PutAlias) -> None:
    """Add an alias or change one."""
    known = group.execute(
        "SELECT revision, kind, json_array_length(targets) FROM alias WHERE address = ?", (value.address,)
    ).fetchone()
    if known is not None and value.must_be_new:
        raise AlreadyExists(f"{value.address} is an alias already", where=_WHERE)
    if known is None and value.if_revision:
        raise Vanished(f"the alias {value.address} is not there", where=_WHERE)
    revision, kind, count = known or (0, AliasKind.FORWARD.value, 0)
    check_revision(revision, value.if_revision, f"the alias {value.address}")
    _check_targets(value, kind, count)
    home = group.places.home_of(value.address)
    if known is None:
        entries.check_free(group, value.address)
        group.places.check(home, value.ceilings, aliases=1)
        group.places.count(home, aliases=1)
        group.execute(
            "INSERT INTO alias (address, domain_id, office_id, targets) VALUES (?, ?, ?, '')",
            (value.address, home.id, home.office),
        )
        entries.add(group, home, entries.ALIAS, value.address)
    group.execute(
        "UPDATE alias SET targets = coalesce(?, targets), kind = coalesce(?, kind), disabled = coalesce(?, disabled),"
        " note = coalesce(?, note), revision = ? WHERE address = ?",
        (
            None if value.targets is None else orjson.dumps(value.targets).decode(),
            None if value.kind is None else value.kind.value,
            None if value.disabled is None else int(value.disabled),
            value.note,
            group.directory_changed(),
            value.address,
        ),
    )


def _check_targets(value: PutAlias, kind: str, count: int) -> None:
    if value.targets is not None:
        count = len(value.targets)
    if not count:
        raise NotAllowed("an alias needs a target", where=_WHERE)
    if (value.kind.value if value.kind else kind) == AliasKind.RELOCATED.value and count != 1:
        raise NotAllowed("a relocated address names one new address", where=_WHERE)


def remove_alias(group: Group, value: RemoveAlias) -> None:
    """Remove an alias."""
    row = group.execute("SELECT revision FROM alias WHERE address = ?", (value.address,)).fetchone()
    if row is None:
        raise Vanished(f"the alias {value.address} is not there", where=_WHERE)
    check_revision(row[0], value.if_revision, f"the alias {value.address}")
    group.settle()
    group.execute("DELETE FROM alias WHERE address = ?", (value.address,))
    entries.remove(group, value.address)
    leave_groups(group, value.address)
    group.places.count(group.places.home_of(value.address), aliases=-1)
    group.directory_changed()
