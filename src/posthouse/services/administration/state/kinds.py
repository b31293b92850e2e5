"""What the state is made of: kinds of objects, their fields, and the values that write them.

An object is a kind, a key (a name, an address, or words separated by a space) and a mapping of fields, in which a
field at its default is left out. Keys come folded. Secrets are references (``secrets``), never the thing itself.

Tests: ``tests/unit/services/administration/operations/test_snapshot_operations.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from posthouse.config.setting import format_size, parse_size
from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    AliasKind,
    Level,
    SenderPolicy,
    ShareRight,
)

Fields = dict[str, Any]
Key = tuple[str, str]  # kind, key


class Shape(enum.Enum):
    """The types of fields; the value is how people are told."""

    TEXT = "a text"
    BOOL = "true or false"
    NUMBER = "a whole number"
    SIZE = 'a size such as "2 GiB"'
    LIST = "a list of texts"
    MAP = "a table of texts"
    CHOICE = "one of the words"
    SECRET = "a reference to a secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOf:
    """One field of a kind.

    Attributes:
        shape: its type.
        name: of the field in the store's rows and values; "" where it has a value of its own.
        words: the enum of a choice.
        check: returns the value in its stored form. Raises Refused.
        preset: the value where the field is left out; None for that of its type.
    """

    shape: Shape = Shape.TEXT
    name: str = ""
    words: type[enum.Enum] | None = None
    check: Callable[[str], str] | None = None
    preset: Any = None

    @property
    def default(self) -> Any:
        """The value of a field that is left out."""
        if self.preset is not None:
            return self.preset
        if self.words is not None:
            return next(iter(self.words)).value
        return _DEFAULTS[self.shape]

    def read(self, where: str, given: Any) -> Any:
        """Return a value of a file in the form of the state. Raises Refused: naming the field."""
        if not isinstance(given, _TYPES[self.shape]) or (isinstance(given, bool) and self.shape is not Shape.BOOL):
            raise Refused(f"{where} is {given!r}, but takes {self.shape.value}", field=where)
        if self.words is not None and given not in {word.value for word in self.words}:
            allowed = ", ".join(str(word.value) for word in self.words)
            raise Refused(f"{where} is {given!r}", f"It takes one of {allowed}.", field=where)
        try:
            return self._checked(given)
        except Refused as refused:
            raise Refused(f"{where}: {refused.detail}", refused.remedy, field=where) from None
        except ValueError:
            raise Refused(f"{where} is {given!r}, but takes {self.shape.value}", field=where) from None

    def _checked(self, given: Any) -> Any:
        if self.shape is Shape.SIZE:
            return format_size(given if isinstance(given, int) else parse_size(given))
        if self.shape is Shape.LIST:
            return sorted({self.check(each) if self.check else words.line(each) for each in given})
        if self.shape is Shape.MAP:
            return {str(name): words.line(value) for name, value in given.items()}
        if self.shape is Shape.NUMBER and given < 0:
            raise ValueError(given)
        if self.check is not None and given:
            return self.check(given)
        return words.line(given) if isinstance(given, str) else given

    def of_row(self, value: Any) -> Any:
        """Return a value of a row in the form of the state."""
        if isinstance(value, enum.Enum):
            return value.value
        if self.shape is Shape.SIZE:
            return format_size(value)
        if self.shape is Shape.LIST:
            return sorted(value)
        return dict(value) if self.shape is Shape.MAP else value

    def to_value(self, value: Any) -> Any:
        """Return a value of the state as the store's values take it."""
        if self.words is not None:
            return self.words(value)
        if self.shape is Shape.SIZE:
            return parse_size(value)
        return tuple(value) if self.shape is Shape.LIST else value


_DEFAULTS: Final[Mapping[Shape, Any]] = {
    Shape.TEXT: "",
    Shape.BOOL: False,
    Shape.NUMBER: 0,
    Shape.SIZE: "0",
    Shape.LIST: [],
    Shape.MAP: {},
    Shape.CHOICE: "",
    Shape.SECRET: "",
}
_TYPES: Final[Mapping[Shape, tuple[type, ...]]] = {
    Shape.TEXT: (str,),
    Shape.BOOL: (bool,),
    Shape.NUMBER: (int,),
    Shape.SIZE: (str, int),
    Shape.LIST: (list,),
    Shape.MAP: (dict,),
    Shape.CHOICE: (str,),
    Shape.SECRET: (str,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOf:
    """One kind of object: its fields, and how many words its key has, with what checks each."""

    name: str
    fields: Mapping[str, FieldOf]
    key: tuple[Callable[[str], str], ...]

    def fold(self, key: str) -> str:
        """Return a key in its folded form. Raises Refused."""
        parts = key.split(" ", len(self.key) - 1)
        if len(parts) != len(self.key):
            raise Refused(f"{self.name} {key!r} is not named as it must be", field=self.name)
        return " ".join(check(part) for check, part in zip(self.key, parts, strict=True))


def _mail_address(text: str) -> str:
    return str(words.mail_address(text))


def _any_name(text: str) -> str:
    return words.line(text)


def _domain_key(text: str) -> str:
    if text == "*":
        return text
    return "." + words.domain_name(text[1:]) if text.startswith(".") else words.domain_name(text)


OFFICE = KindOf(
    name="office",
    key=(words.short_name,),
    fields={
        "title": FieldOf(name="title"),
        "note": FieldOf(name="note"),
        "disabled": FieldOf(name="disabled", shape=Shape.BOOL),
    },
)
DOMAIN = KindOf(
    name="domain",
    key=(words.domain_name,),
    fields={
        "office": FieldOf(name="office", check=words.short_name),
        "alias_of": FieldOf(name="alias_of", check=words.domain_name),
        "disabled": FieldOf(name="disabled", shape=Shape.BOOL),
        "catch_all": FieldOf(name="catch_all", check=_mail_address),
        "postmaster": FieldOf(name="postmaster", check=_mail_address),
        "abuse": FieldOf(name="abuse", check=_mail_address),
        "note": FieldOf(name="note"),
    },
)
ACCOUNT = KindOf(
    name="account",
    key=(words.own_address,),
    fields={
        "kind": FieldOf(name="kind", shape=Shape.CHOICE, words=AccountKind),
        "name": FieldOf(name="display_name"),
        "given_name": FieldOf(name="given_name"),
        "family_name": FieldOf(name="family_name"),
        "note": FieldOf(name="note"),
        "language": FieldOf(name="language"),
        "quota": FieldOf(name="quota_bytes", shape=Shape.SIZE),
        "quota_messages": FieldOf(name="quota_messages", shape=Shape.NUMBER),
        "state": FieldOf(name="state", shape=Shape.CHOICE, words=AccountState),
        "level": FieldOf(name="level", shape=Shape.CHOICE, words=Level),
        "must_change_password": FieldOf(name="must_change_password", shape=Shape.BOOL),
        "source": FieldOf(name="source"),
        "external_id": FieldOf(name="external_id"),
        "addresses": FieldOf(shape=Shape.LIST, check=words.own_address),
        "password": FieldOf(name="password_hash", shape=Shape.SECRET),
    },
)
ALIAS = KindOf(
    name="alias",
    key=(words.own_address,),
    fields={
        "targets": FieldOf(name="targets", shape=Shape.LIST, check=_mail_address),
        "kind": FieldOf(name="kind", shape=Shape.CHOICE, words=AliasKind),
        "disabled": FieldOf(name="disabled", shape=Shape.BOOL),
        "note": FieldOf(name="note"),
    },
)
GROUP = KindOf(
    name="group",
    key=(words.own_address,),
    fields={
        "name": FieldOf(name="display_name"),
        "note": FieldOf(name="note"),
        "senders": FieldOf(name="senders", shape=Shape.CHOICE, words=SenderPolicy),
        "listed": FieldOf(name="listed", shape=Shape.LIST),
        "disabled": FieldOf(name="disabled", shape=Shape.BOOL),
        "members": FieldOf(shape=Shape.LIST, check=_mail_address),
    },
)
SHARE = KindOf(
    name="share",
    key=(words.own_address, words.own_address),
    fields={
        "right": FieldOf(name="right", shape=Shape.CHOICE, words=ShareRight),
        "send_as": FieldOf(name="send_as", shape=Shape.BOOL),
        "send_on_behalf": FieldOf(name="send_on_behalf", shape=Shape.BOOL),
    },
)
ROUTE = KindOf(
    name="route",
    key=(_domain_key,),
    fields={
        "host": FieldOf(name="host", check=words.host_name),
        "port": FieldOf(name="port", shape=Shape.NUMBER, preset=25),
        "tls": FieldOf(name="tls", preset="may"),
        "recipients_local": FieldOf(name="recipients_local", shape=Shape.BOOL),
        "mx_lookup": FieldOf(name="mx_lookup", shape=Shape.BOOL),
        "login": FieldOf(name="login"),
        "password": FieldOf(name="sealed_password", shape=Shape.SECRET),
    },
)
SOURCE = KindOf(
    name="source",
    key=(words.short_name,),
    fields={
        "kind": FieldOf(name="kind"),
        "config": FieldOf(name="config", shape=Shape.MAP),
        "disabled": FieldOf(name="disabled", shape=Shape.BOOL),
        "secrets": FieldOf(name="sealed", shape=Shape.SECRET),
    },
)
SETTING = KindOf(name="setting", key=(_any_name, _any_name), fields={"value": FieldOf(name="value")})
WORDING = KindOf(
    name="wording",
    key=(_any_name, _any_name, _any_name),
    fields={"subject": FieldOf(name="subject"), "text": FieldOf(name="text", check=words.paragraphs)},
)

# In the order in which they can be made: what others are in comes first.
KINDS: Final[Mapping[str, KindOf]] = {
    kind.name: kind for kind in (OFFICE, DOMAIN, ACCOUNT, ALIAS, GROUP, SHARE, ROUTE, SOURCE, SETTING, WORDING)
}


def without_defaults(kind: KindOf, fields: Mapping[str, Any]) -> Fields:
    """Return the fields that are not at their default, in the order of the kind."""
    return {name: fields[name] for name, of in kind.fields.items() if name in fields and fields[name] != of.default}
