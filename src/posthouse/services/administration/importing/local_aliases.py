"""aliases(5) of a system as aliases of one domain.

A value is an address, a name of the same domain, ``:include:FILE`` (read, where it is in the source), a file or a
program (told, left out). Tests: ``tests/unit/services/administration/importing/test_import_system_users.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from posthouse.services.administration.importing.records import ImportedAlias, Record, Unmapped
from posthouse.services.administration.importing.source import Lines, SourceFile, Tree, survey
from posthouse.services.administration.importing.text_maps import read_aliases

TARGETS_MAX: Final = 100_000


def read_local_aliases(file: SourceFile, tree: Tree, domain: str, users: Collection[str]) -> Iterator[Record]:
    """Yield the aliases of a file. ``users`` are names that are accounts: an alias of such a name is a forward."""
    for where, name, values in read_aliases(file):
        targets: list[str] = []
        for value in values:
            for target in _targets(value, tree):
                if isinstance(target, Unmapped):
                    why = target.why
                    yield Unmapped(what=f"{target.what} as a target of the alias {name}", where=where, why=why)
                elif len(targets) < TARGETS_MAX:
                    targets.append(target if "@" in target else f"{target}@{domain}")
        if not targets:
            continue
        own = f"{name}@{domain}" if "@" not in name else name
        if name.lower() in users:
            why = "forwards of an account come with its rules"
            yield Unmapped(what=f"{own} forwards to {', '.join(targets)[:200]}", where=where, why=why)
        else:
            yield ImportedAlias(where=where, address=own, targets=tuple(targets))


def _targets(value: str, tree: Tree) -> Iterator[str | Unmapped]:
    if value.lower().startswith(":include:"):
        name = value[9:].strip()
        file = tree.find(name)
        if file is None:
            yield Unmapped(what=value, where="", why="the file is not in the source")
            return
        yield from _included(file)
    elif value.startswith("|"):
        yield Unmapped(what=value[:100], where="", why="a program is not run for an alias")
    elif value.startswith(("/", ".")):
        yield Unmapped(what=value[:100], where="", why="mail is not written to a file")
    elif value.startswith("\\"):
        yield value[1:]
    else:
        yield value


def _included(file: SourceFile) -> Iterator[str | Unmapped]:
    """The lines of an :include: file; one that includes another, or runs something, is told."""
    for line in Lines(file, survey(file).encoding):
        for part in line.split(","):
            word = part.strip().strip('"')
            if not word or word.startswith("#"):
                continue
            if word.startswith(("|", "/", ":include:")):
                yield Unmapped(what=word[:100], where="", why="an included file names addresses only")
            else:
                yield word
