"""The one namespace of addresses, with the index that finds them by any part.

An entry is an account's first address, a further one, an alias, a group, or a domain. Its row and what the index holds
of it are written together, or the index lies: nothing else writes ``entry`` and ``find_index``.
"""

from __future__ import annotations

from posthouse.store.contract import AlreadyExists
from posthouse.store.sqlite.folding import entry_text
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.places import ENTRY_BITS, DomainPlace

ACCOUNT, ADDRESS, ALIAS, GROUP, DOMAIN = "account", "address", "alias", "group", "domain"
_TOLD = {ACCOUNT: "an account", ADDRESS: "a further address", ALIAS: "an alias", GROUP: "a group", DOMAIN: "a domain"}
_WHERE = "store.directory"
_FORGET = "INSERT INTO find_index (find_index, rowid, folded) VALUES ('delete', ?, ?)"
_LEARN = "INSERT INTO find_index (rowid, folded) VALUES (?, ?)"


def kind_of(group: Group, address: str) -> tuple[str, int]:
    """Return what an address is and whose (the account's id); ("", 0) where nothing has it."""
    if address in group.fresh_addresses:
        group.flush()
    row = group.execute("SELECT kind, owner FROM entry WHERE address = ?", (address,)).fetchone()
    return (row[0], row[1]) if row else ("", 0)


def check_free(group: Group, address: str) -> None:
    """Raise AlreadyExists, naming what has the address."""
    kind, owner = kind_of(group, address)
    if not kind:
        return
    whose = ""
    if kind == ADDRESS:
        row = group.execute("SELECT address FROM account WHERE id = ?", (owner,)).fetchone()
        is_near = row is not None and row[0].rpartition("@")[2] == address.rpartition("@")[2]
        whose = f" of {row[0]}" if is_near else ""  # whose domain is another, nobody need know
    raise AlreadyExists(f"{address} is {_TOLD[kind]}{whose} already", where=_WHERE)


def add(
    group: Group, home: DomainPlace, kind: str, address: str, *, names: tuple[str, ...] = (), owner: int = 0
) -> None:
    """Gather an entry. The first of ``names`` is the one that is shown."""
    number = group.places.next_entry(home)
    folded = entry_text(address, names, home.office)
    group.rows["entry"].append((number, kind, address, names[0] if names else "", owner, folded))
    group.rows["find_index"].append((number, folded))
    group.fresh_addresses.add(address)


def remove(group: Group, address: str) -> None:
    """Take an entry away. What was gathered must be in the database."""
    rows = group.execute("DELETE FROM entry WHERE address = ? RETURNING id, folded", (address,)).fetchall()
    group.connection.executemany(_FORGET, rows)


def rename(group: Group, address: str, names: tuple[str, ...], office: int) -> None:
    """Change the names of an entry."""
    folded = entry_text(address, names, office)
    number, before = group.execute("SELECT id, folded FROM entry WHERE address = ?", (address,)).fetchone()
    group.execute("UPDATE entry SET name = ?, folded = ? WHERE id = ?", (names[0] if names else "", folded, number))
    if folded != before:
        group.execute(_FORGET, (number, before))
        group.execute(_LEARN, (number, folded))


def change_office(group: Group, domain: int, office: int) -> None:
    """Mark everything in a domain as of another post office."""
    many = group.connection.executemany
    span = (domain << ENTRY_BITS, (domain + 1) << ENTRY_BITS)
    rows = group.execute("SELECT id, folded FROM entry WHERE id >= ? AND id < ?", span).fetchall()
    many(_FORGET, rows)
    mark = entry_text("", (), office)[-3:]
    changed = [(folded[:-3] + mark, number) for number, folded in rows]
    many("UPDATE entry SET folded = ? WHERE id = ?", changed)
    many(_LEARN, [(number, folded) for folded, number in changed])
