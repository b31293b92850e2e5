"""The file of a snapshot: TOML, one table for each object, in an order and form that a version control shows well.

    end_marked = true
    format = 1
    hostname = "mail.example.org"

    [domain."example.org"]
    catch_all = "anna@example.org"

    [setting."server"]
    "smtp.banner" = "at your service"

    [share."info@example.org"."anna@example.org"]
    right = "write"

Invariant: ``read(written(objects)) == objects`` (``tests/property/test_snapshot_document.py``). What a snapshot wrote
says at its head that it ends with a certain line, so that one that is cut off is noticed; a file written by hand need
not. A file that is cut off, of another format, too large, or holds what is no kind or field, is refused as a whole.
"""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from posthouse.services.administration import words
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.state.current import Object
from posthouse.services.administration.state.kinds import KINDS, Fields, Key, KindOf, without_defaults

FORMAT: Final = 1
LARGEST: Final = 256 * 1024 * 1024
END: Final = "# end of the snapshot\n"
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds: objects, and what references to secrets stand for."""

    objects: dict[Key, Fields]
    secrets: Mapping[str, str]


async def written(
    objects: AsyncIterable[Object], hostname: str, secrets: AsyncIterable[tuple[str, str]] | None = None
) -> AsyncIterator[bytes]:
    """Yield the file in pieces; ``secrets`` are references with what they stand for."""
    head = "# Directory and settings of a Posthouse server. `posthouse apply FILE` brings a server to this state.\n"
    yield f"{head}end_marked = true\nformat = {FORMAT}\nhostname = {_text(hostname)}\n".encode()
    scope = ""
    async for (kind, key), fields in objects:
        if kind == "setting":
            place, _, name = key.partition(" ")
            line = f"{_text(name)} = {_text(fields['value'])}\n"
            yield (line if place == scope else f"\n[setting.{_text(place)}]\n{line}").encode()
            scope = place
        else:
            yield _table(KINDS[kind], key, fields).encode()
    if secrets is not None:
        yield b"\n[secrets]\n"
        async for reference, secret in secrets:
            yield f"{_text(reference)} = {_text(secret)}\n".encode()
    yield ("\n" + END).encode()


def _table(kind: KindOf, key: str, fields: Fields) -> str:
    name = ".".join([kind.name, *map(_text, key.split(" ", len(kind.key) - 1))])
    lines = [f"{field} = {_value(fields[field])}\n" for field in kind.fields if field in fields]
    return f"\n[{name}]\n" + "".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        items = list(map(_text, value))
        line = f"[{', '.join(items)}]"
        return line if len(line) <= 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{_text(name)} = {_text(text)}" for name, text in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    return _text(value)


def _text(text: str) -> str:
    escaped = "".join(_ESCAPES.get(each) or (each if each.isprintable() else f"\\U{ord(each):08x}") for each in text)
    return f'"{escaped}"'


def read(content: bytes) -> Document:
    """Return what a file holds. Raises Refused: naming the line or the field, and what it takes."""
    if len(content) > LARGEST:
        raise Refused(
            f"the file has more than {LARGEST >> 20} MiB", "`posthouse import` takes larger ones.", kind=Kind.TOO_MUCH
        )
    document = _parsed(content)
    if document.pop("format", None) != FORMAT:
        raise Refused(
            f"the file is not a snapshot of format {FORMAT}", "Its first line must say `format = 1`.", field="format"
        )
    words.line(str(document.pop("hostname", "")))
    if document.pop("end_marked", False) and not content.rstrip().endswith(END.strip().encode()):
        raise Refused("the file is cut off: its last line is missing", "Take the snapshot again.")
    secrets = _secrets(document.pop("secrets", {}))
    objects: dict[Key, Fields] = {}
    for name, tables in document.items():
        kind = KINDS.get(name)
        if kind is None or not isinstance(tables, dict):
            raise Refused(
                f"{words.shown(name)} is nothing that a snapshot holds", f"It holds {', '.join(KINDS)}.", field=name
            )
        for key, fields in _objects(kind, tables):
            _add(objects, kind, key, fields)
    return Document(objects, secrets)


def _secrets(table: Any) -> Mapping[str, str]:
    if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
        raise Refused("secrets is not a table of texts", field="secrets")
    return table


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise Refused(f"the file is not UTF-8 (octet {error.start})", "Write it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"the file is not TOML: {error}", "See docs/configuration.md for its form.") from None
    except RecursionError:
        raise Refused("the file is not a snapshot: it is nested too deeply") from None


def _objects(kind: KindOf, tables: Mapping[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    """Return the objects of a kind; a key of several words is a table in a table."""
    if kind.name == "setting":
        return [
            (f"{scope} {name}", {"value": value})
            for scope, values in tables.items()
            for name, value in _is_table(kind, values).items()
        ]
    if len(before) == len(kind.key) - 1:
        return [(" ".join((*before, key)), fields) for key, fields in tables.items()]
    found: list[tuple[str, Any]] = []
    for key, inner in tables.items():
        found.extend(_objects(kind, _is_table(kind, inner), (*before, key)))
    return found


def _is_table(kind: KindOf, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{kind.name} takes tables, not {words.shown(str(value))}", field=kind.name)
    return value


def _add(objects: dict[Key, Fields], kind: KindOf, key: str, fields: Any) -> None:
    where = f'{kind.name}."{key}"'
    known = _is_table(kind, fields)
    read_fields: Fields = {}
    for name, value in known.items():
        of = kind.fields.get(name)
        if of is None:
            raise Refused(f"{where} has no field {words.shown(name)}", f"It has {', '.join(kind.fields)}.", field=name)
        read_fields[name] = of.read(f"{where}.{name}", value)
    folded = (kind.name, kind.fold(key))
    if folded in objects:
        raise Refused(f"{where} is in the file twice", "Names are compared without regard to case.", field=kind.name)
    objects[folded] = without_defaults(kind, read_fields)
