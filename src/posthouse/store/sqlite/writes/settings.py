"""Routes, settings, sign-in sources and the words of server messages."""

from __future__ import annotations

import orjson

from posthouse.store.contract import AlreadyExists, Vanished
from posthouse.store.directory_values import (
    PutRoute,
    PutSetting,
    PutSource,
    PutWording,
    RemoveRoute,
    RemoveSource,
)
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.writes.revisions import check_revision

_WHERE = "store.directory"


def put_route(group: Group, value: PutRoute) -> None:
    """Add or replace a route."""
    row = group.execute("SELECT revision FROM route WHERE domain = ?", (value.domain,)).fetchone()
    if row is not None and value.must_be_new:
        raise AlreadyExists(f"there is a route for {value.domain} already", where=_WHERE)
    if row is None and value.if_revision:
        raise Vanished(f"there is no route for {value.domain}", where=_WHERE)
    check_revision(row[0] if row else 0, value.if_revision, f"the route for {value.domain}")
    group.execute(
        "INSERT OR REPLACE INTO route (domain, host, port, tls, recipients_local, mx_lookup, login, sealed_password,"
        " revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            value.domain, value.host, value.port, value.tls, int(value.recipients_local), int(value.mx_lookup),
            value.login, value.sealed_password, group.directory_changed(),
        ),
    )  # fmt: skip


def remove_route(group: Group, value: RemoveRoute) -> None:
    """Remove a route."""
    row = group.execute("SELECT revision FROM route WHERE domain = ?", (value.domain,)).fetchone()
    if row is None:
        raise Vanished(f"there is no route for {value.domain}", where=_WHERE)
    check_revision(row[0], value.if_revision, f"the route for {value.domain}")
    group.execute("DELETE FROM route WHERE domain = ?", (value.domain,))
    group.directory_changed()


def put_setting(group: Group, value: PutSetting) -> None:
    """Set or unset a setting."""
    if value.value is None:
        group.execute("DELETE FROM setting WHERE scope = ? AND name = ?", (value.scope, value.name))
    else:
        group.execute(
            "INSERT OR REPLACE INTO setting (scope, name, value, set_by, set_at) VALUES (?, ?, ?, ?, ?)",
            (value.scope, value.name, value.value, value.by, value.at or group.now),
        )
    group.settings_changed()


def put_source(group: Group, value: PutSource) -> None:
    """Add or change a sign-in source."""
    row = group.execute("SELECT revision FROM source WHERE name = ?", (value.name,)).fetchone()
    if row is not None and value.must_be_new:
        raise AlreadyExists(f"the source {value.name} is there already", where=_WHERE)
    if row is None and value.if_revision:
        raise Vanished(f"the source {value.name} is not there", where=_WHERE)
    check_revision(row[0] if row else 0, value.if_revision, f"the source {value.name}")
    if row is None:
        group.execute("INSERT INTO source (name) VALUES (?)", (value.name,))
    group.execute(
        "UPDATE source SET kind = coalesce(?, kind), config = coalesce(?, config), sealed = coalesce(?, sealed),"
        " disabled = coalesce(?, disabled), revision = ? WHERE name = ?",
        (
            value.kind,
            None if value.config is None else orjson.dumps(dict(value.config)).decode(),
            value.sealed,
            None if value.disabled is None else int(value.disabled),
            group.settings_changed(),
            value.name,
        ),
    )


def remove_source(group: Group, value: RemoveSource) -> None:
    """Remove a sign-in source."""
    row = group.execute("SELECT revision FROM source WHERE name = ?", (value.name,)).fetchone()
    if row is None:
        raise Vanished(f"the source {value.name} is not there", where=_WHERE)
    check_revision(row[0], value.if_revision, f"the source {value.name}")
    group.execute("DELETE FROM source WHERE name = ?", (value.name,))
    group.settings_changed()


def put_wording(group: Group, value: PutWording) -> None:
    """Set the text of a server message, or take it back."""
    key = (value.scope, value.name, value.language)
    if value.text is None:
        group.execute("DELETE FROM wording WHERE scope = ? AND name = ? AND language = ?", key)
    else:
        group.execute(
            "INSERT OR REPLACE INTO wording (scope, name, language, subject, text) VALUES (?, ?, ?, ?, ?)",
            (*key, value.subject, value.text),
        )
    group.settings_changed()
