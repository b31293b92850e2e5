"""How the configuration of a source is written: fields of text, each read by a function, faults that name the field.

A kind's configuration is a frozen dataclass whose fields are made with ``option``. ``parse_config`` reads it from the
two mappings that the store keeps for a source, plain and secret. A secret may instead stand in a file, named by the
field with ``_file`` after it. Invariant: an error never shows a secret.
Tests: ``tests/unit/services/identity/sources/test_source_fields.py``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from posthouse.config.setting import parse_duration
from posthouse.core.errors import Fault

T = TypeVar("T")

FIELD_LENGTH: Final = 10_000
_REQUIRED: Final = "required"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class SourceFault(Fault):
    """A source cannot be made as it is written.

    Args:
        field: the field at fault, "" for the source as a whole.
        detail: what is wrong, one line, without secrets.
        remedy: what to write instead.
    """

    def __init__(self, detail: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(detail, where=field)
        self.field = field
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field for people: its name, whether it must be given and is secret, its default and what it does."""

    name: str
    is_required: bool
    is_secret: bool
    default: str
    explanation: str


def option(
    parse: Callable[[str], Any],
    explanation: str,
    default: str | None = None,
    *,
    allowed: str = "",
    secret: bool = False,
) -> Any:
    """Return a dataclass field.

    Args:
        parse: makes the value from the text; raises ValueError where it cannot.
        explanation: what the field does, whole sentences, for messages and the manual.
        default: as text, in the form a person writes; None where the field must be given.
        allowed: in words what may be written.
        secret: whether it is kept apart and never shown.
    """
    metadata = {"parse": parse, "explanation": explanation, "default": default, "allowed": allowed, "secret": secret}
    if default is None:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=parse(default), metadata=metadata)


def fields_of(config: type) -> tuple[FieldInfo, ...]:
    """Return the fields of a kind's configuration, in the order they are documented."""
    found = []
    for field in dataclasses.fields(config):
        meta = field.metadata
        default = meta["default"]
        found.append(FieldInfo(field.name, default is None, meta["secret"], default or "", meta["explanation"]))
    return tuple(found)


def parse_config(config: type[T], plain: Mapping[str, str], secrets: Mapping[str, str]) -> T:
    """Return the typed configuration. Raises SourceFault: naming the first field at fault."""
    fields = {field.name: field for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    texts = {**plain, **secrets}
    for name in [name for name in plain if name not in fields]:
        base = name.removesuffix("_file")
        if base == name or base not in fields or not fields[base].metadata["secret"]:
            known = ", ".join(fields)
            raise SourceFault(f"{name}: there is no such field", field=name, remedy=f"The fields are: {known}.")
        texts[base] = _read_secret(name, texts.pop(name))
    for name in secrets:
        if name not in fields or not fields[name].metadata["secret"]:
            raise SourceFault(f"{name}: is not a secret field of this kind", field=name)
    return config(**{name: _value(field, texts[name]) for name, field in fields.items() if _is_given(field, texts)})


def _is_given(field: dataclasses.Field[Any], texts: Mapping[str, str]) -> bool:
    if texts.get(field.name, "").strip():
        return True
    if field.metadata["default"] is None:
        raise SourceFault(f"{field.name}: must be given", field=field.name, remedy=field.metadata["explanation"])
    return False


def _value(field: dataclasses.Field[Any], text: str) -> Any:
    meta = field.metadata
    if len(text) > FIELD_LENGTH or _CONTROL.search(text):
        raise SourceFault(
            f"{field.name}: is too long or holds control characters", field=field.name, remedy=meta["explanation"]
        )
    try:
        return meta["parse"](text if meta["secret"] else text.strip())
    except ValueError as error:
        shown = "what was given" if meta["secret"] else repr(text.strip()[:60])
        why = meta["allowed"] or str(error)
        raise SourceFault(
            f"{field.name}: {shown} cannot be used; it takes {why}", field=field.name, remedy=meta["explanation"]
        ) from None


def _read_secret(name: str, path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(FIELD_LENGTH + 1)
    except (OSError, UnicodeError):
        raise SourceFault(
            f"{name}: {path[:200]!r} cannot be read", field=name, remedy="Name a file this server's user may read."
        ) from None
    return text.rstrip("\r\n")


# ---- readers of fields ------------------------------------------------------------------------------------------


def text(value: str) -> str:
    """Return the text as it is."""
    return value


def yes_or_no(value: str) -> bool:
    """Return a truth. Raises ValueError."""
    word = value.lower()
    if word in {"yes", "true", "on", "1"}:
        return True
    if word in {"no", "false", "off", "0"}:
        return False
    raise ValueError("yes or no")


def one_of(*words: str) -> Callable[[str], str]:
    """Return a reader that takes some words and no others."""

    def read(value: str) -> str:
        if value.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return value.lower()

    return read


def number(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds."""

    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(value)

    return read


def span(least: float, most: float) -> Callable[[str], float]:
    """Return a reader of durations within bounds, in seconds."""

    def read(value: str) -> float:
        why = f"a duration such as 5s, from {least:g} to {most:g} seconds"
        try:
            seconds = parse_duration(value)
        except ValueError:
            raise ValueError(why) from None
        if not least <= seconds <= most:
            raise ValueError(why)
        return seconds

    return read


def words(value: str) -> tuple[str, ...]:
    """Return words that commas or spaces divide."""
    return tuple(word for word in re.split(r"[\s,]+", value) if word)


def web_address(value: str) -> str:
    """Return a URL of http or https. Raises ValueError."""
    return _url(value, ("https", "http"))


def ldap_addresses(value: str) -> tuple[str, ...]:
    """Return URLs of ldap and ldaps, in their order. Raises ValueError."""
    found = tuple(_url(word, ("ldap", "ldaps")) for word in words(value))
    if not 1 <= len(found) <= 16:
        raise ValueError("one to sixteen URLs such as ldaps://dc1.example.org")
    return found


def _url(value: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname or parts.username or not (parts.port is None or parts.port):
        raise ValueError(f"a URL of {' or '.join(schemes)} with a host and without a password")
    return value


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """Return a reader for which an empty text is None."""

    def read(value: str) -> T | None:
        return parse(value) if value else None

    return read
