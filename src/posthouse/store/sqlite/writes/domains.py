"""Post offices and domains."""

from __future__ import annotations

from posthouse.core.ids import DomainId
from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.directory_values import PutDomain, PutOffice, RemoveDomain, RemoveOffice, RequireReach
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.places import COUNTED, DomainPlace, check_growth
from posthouse.store.sqlite.writes import entries
from posthouse.store.sqlite.writes.revisions import check_revision

_WHERE = "store.directory"


def put_office(group: Group, value: PutOffice) -> int:
    """Add or change a post office."""
    row = group.execute("SELECT id, revision FROM post_office WHERE name = ?", (value.name,)).fetchone()
    if not value.name:
        raise NotAllowed("a post office needs a name", where=_WHERE)
    if row is not None and value.must_be_new:
        raise AlreadyExists(f"the post office {value.name} is there already", where=_WHERE)
    if row is None and value.if_revision:
        raise Vanished(f"the post office {value.name} is not there", where=_WHERE)
    if row is None:
        number = group.next_number("office")
        group.execute("INSERT INTO post_office (id, name) VALUES (?, ?)", (number, value.name))
    else:
        number = row[0]
        check_revision(row[1], value.if_revision, f"the post office {value.name}")
    disabled = None if value.disabled is None else int(value.disabled)
    group.execute(
        "UPDATE post_office SET title = coalesce(?, title), note = coalesce(?, note),"
        " disabled = coalesce(?, disabled), revision = ? WHERE id = ?",
        (value.title, value.note, disabled, group.settings_changed(), number),
    )
    return int(number)


def remove_office(group: Group, value: RemoveOffice) -> None:
    """Remove a post office that has no domains."""
    row = group.execute("SELECT id, revision FROM post_office WHERE name = ? AND id != 0", (value.name,)).fetchone()
    if row is None:
        raise Vanished(f"the post office {value.name} is not there", where=_WHERE)
    check_revision(row[1], value.if_revision, f"the post office {value.name}")
    if group.execute("SELECT 1 FROM domain WHERE office_id = ? LIMIT 1", row[:1]).fetchone() is not None:
        raise NotAllowed(f"the post office {value.name} still has domains", where=_WHERE)
    group.flush()
    group.places.forget()
    group.execute("DELETE FROM post_office WHERE id = ?", row[:1])
    forget_scope(group, f"office:{value.name}")
    group.settings_changed()


def forget_scope(group: Group, scope: str) -> None:
    """Delete the settings and server messages of a scope."""
    group.execute("DELETE FROM setting WHERE scope = ?", (scope,))
    group.execute("DELETE FROM wording WHERE scope = ?", (scope,))


def require_reach(group: Group, value: RequireReach) -> None:
    """Refuse what follows where a domain has gone elsewhere."""
    place = group.places.domain(value.domain)
    if place is None:
        return
    if value.office is None:
        is_there = value.within in {value.domain, place.alias_of}
    else:
        row = group.execute("SELECT name FROM post_office WHERE id = ?", (place.office,)).fetchone()
        is_there = row is not None and row[0] == value.office
    if not is_there:
        raise NotAllowed(f"{value.domain} is outside what you administer", where=_WHERE)


def put_domain(group: Group, value: PutDomain) -> DomainId:
    """Add or change a domain."""
    place = group.places.domain(value.name)
    if place is not None:
        group.settle()
    if place is not None and value.must_be_new:
        raise AlreadyExists(f"the domain {value.name} is there already", where=_WHERE)
    if place is None and value.if_revision:
        raise Vanished(f"the domain {value.name} is not there", where=_WHERE)
    office = _office_of(group, value, place)
    if value.alias_of:
        office = _office_of_target(group, value, place)
    if place is None:
        place = _add(group, value, office)
    else:
        check_revision(place.revision, value.if_revision, f"the domain {value.name}")
        if place.office != office:
            _move(group, value, place, office)
    _change(group, value, place)
    return DomainId(place.id)


def _office_of(group: Group, value: PutDomain, place: DomainPlace | None) -> int:
    """Return the id of the post office a domain is to be in. Raises Vanished, NotAllowed."""
    if value.office is None:
        return place.office if place is not None else 0
    row = group.execute("SELECT id FROM post_office WHERE name = ?", (value.office,)).fetchone()
    if row is None:
        raise Vanished(f"the post office {value.office} is not there", where=_WHERE)
    if place is not None and place.alias_of and value.alias_of is None and place.office != row[0]:
        raise NotAllowed(f"{value.name} is in the post office of {place.alias_of}, which it stands for", where=_WHERE)
    return int(row[0])


def _office_of_target(group: Group, value: PutDomain, place: DomainPlace | None) -> int:
    """Return the post office of the domain that an alias domain stands for. Raises Vanished, NotAllowed."""
    target = group.places.domain(value.alias_of or "")
    if target is None:
        raise Vanished(f"the domain {value.alias_of} is not there", where=_WHERE)
    if target.alias_of or value.alias_of == value.name:
        raise NotAllowed(f"{value.alias_of} is an alias domain itself or the same domain", where=_WHERE)
    if place is not None and _is_used(group, place):
        raise NotAllowed(f"{value.name} has accounts, aliases, groups or alias domains of its own", where=_WHERE)
    return int(target.office)


def _is_used(group: Group, place: DomainPlace) -> bool:
    if place.accounts or place.aliases or place.groups:
        return True
    statement = "SELECT 1 FROM domain WHERE alias_of = ? LIMIT 1"
    return group.execute(statement, (place.name,)).fetchone() is not None


def _add(group: Group, value: PutDomain, office: int) -> DomainPlace:
    check_growth("office", group.places.office(office), value.ceilings, {"domains": 1})
    number = group.next_number("domain")
    group.execute("INSERT INTO domain (id, name, office_id) VALUES (?, ?, ?)", (number, value.name, office))
    place = group.places.domain(value.name)
    assert place is not None, "it was added just now"
    held = group.places.office(office)
    held.domains += 1
    held.is_changed = True
    entries.add(group, place, entries.DOMAIN, value.name)
    return place


def _move(group: Group, value: PutDomain, place: DomainPlace, office: int) -> None:
    """Take a domain, all that is in it and the domains that stand for it to another post office."""
    followers = [
        row[0] for row in group.execute("SELECT name FROM domain WHERE alias_of = ? ORDER BY name", (place.name,))
    ]
    growth = {what: getattr(place, what) for what in COUNTED} | {"domains": 1 + len(followers)}
    check_growth("office", group.places.office(office), value.ceilings, growth)
    for name in (place.name, *followers):
        moved = group.places.domain(name)
        if moved is None or moved.office == office:
            continue
        group.places.move(moved, office)
        entries.change_office(group, moved.id, office)
        for table in ("account", "alias", "mail_group"):
            group.execute(f"UPDATE {table} SET office_id = ? WHERE domain_id = ?", (office, moved.id))
        group.execute("UPDATE domain SET office_id = ? WHERE id = ?", (office, moved.id))


def _change(group: Group, value: PutDomain, place: DomainPlace) -> None:
    place.revision = group.settings_changed()
    place.alias_of = place.alias_of if value.alias_of is None else value.alias_of
    group.execute(
        "UPDATE domain SET alias_of = ?, disabled = coalesce(?, disabled), catch_all = coalesce(?, catch_all),"
        " postmaster = coalesce(?, postmaster), abuse = coalesce(?, abuse), note = coalesce(?, note), revision = ?"
        " WHERE id = ?",
        (
            place.alias_of, None if value.disabled is None else int(value.disabled), value.catch_all, value.postmaster,
            value.abuse, value.note, place.revision, place.id,
        ),
    )  # fmt: skip


def remove_domain(group: Group, value: RemoveDomain) -> None:
    """Remove a domain that nothing uses."""
    group.settle()
    place = group.places.domain(value.name)
    if place is None:
        raise Vanished(f"the domain {value.name} is not there", where=_WHERE)
    check_revision(place.revision, value.if_revision, f"the domain {value.name}")
    if _is_used(group, place):
        raise NotAllowed(f"{value.name} still has accounts, aliases, groups or alias domains", where=_WHERE)
    held = group.places.office(place.office)
    held.domains -= 1
    held.is_changed = True
    group.flush()
    group.places.forget()
    entries.remove(group, value.name)
    group.execute("DELETE FROM domain WHERE id = ?", (place.id,))
    forget_scope(group, f"domain:{value.name}")
    group.settings_changed()
