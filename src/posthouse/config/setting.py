"""One setting: its type, range, default and meaning, and the two ways between its value and its text.

A ``Setting`` is defined once, in ``config.definitions``; the commands, the validation, the store's rows and the
reference manual are all made from that definition. ``parse`` and ``format`` are inverse for every value in range
(property-tested). Sizes are octets with binary units; durations are seconds, exact to a millisecond.

Not here: who set what where (``config.settings``). Tests: ``tests/unit/config/test_setting.py``,
``tests/property/test_setting_text.py``.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar, cast

from posthouse.config.faults import SettingFault

T = TypeVar("T")


class Kind(enum.Enum):
    """The types that a setting may have; the value is the word used in the manual."""

    BOOL = "yes or no"
    INT = "number"
    SIZE = "size"
    DURATION = "duration"
    TEXT = "text"
    LIST = "list"
    CHOICE = "choice"


class Scope(enum.Enum):
    """Where a setting may be set; a narrower scope wins over a wider one."""

    SERVER = "server"
    OFFICE = "office"
    DOMAIN = "domain"
    ACCOUNT = "account"


SERVER = (Scope.SERVER,)
PER_OFFICE = (Scope.SERVER, Scope.OFFICE)
PER_DOMAIN = (*PER_OFFICE, Scope.DOMAIN)
PER_ACCOUNT = (*PER_DOMAIN, Scope.ACCOUNT)


class Authority(enum.Enum):
    """Who may set a setting for a post office, a domain or an account; for the server only its administrators may."""

    ABOVE = "above"  # who administers what the scope is in: limits, and what costs others
    OWN = "own"  # who administers the scope itself too: its own affairs
    SERVER = "server"  # the server's administrators alone: what names its files, or concerns all its customers


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """The definition of one setting. Make them with the functions below, which fix ``T`` to the kind.

    Attributes:
        name: dotted, ``topic.name``; the topic is the file it is defined in.
        unit: what a number counts, in the plural, such as ``connections``; "" for other kinds.
        default: used where no scope sets it.
        minimum, maximum: bounds of numbers, sizes and durations, both allowed; None is unbounded.
        choices: the words allowed, for a choice; for a list, the words its items may be (empty: any).
        item: for a list, raises ValueError where an item is not what it must be; ``items`` says in words what that is.
        scopes: where it may be set.
        authority: who may set it there.
        is_ceiling: whether those below the server's administrators may set no more than they were given themselves.
        unlimited: the number that stands for no ceiling; None where every number is one.
        explanation: what it does, for a reader who knows mail but not this program; whole sentences.
        since: the version that brought it.
        restart_needed: whether it is read only when a worker starts.
        rfc: the section that speaks of it, such as ``RFC 5321 §4.5.3.1``, or "".
        earlier_defaults: ``(level, value)``: what the default was up to that compatibility level.
    """

    name: str
    kind: Kind
    default: T
    explanation: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    item: Callable[[str], object] | None = None
    items: str = ""
    scopes: tuple[Scope, ...] = SERVER
    authority: Authority = Authority.ABOVE
    is_ceiling: bool = False
    unlimited: float | None = None
    since: str = "0.1"
    restart_needed: bool = False
    rfc: str = ""
    earlier_defaults: tuple[tuple[int, T], ...] = ()

    def parse(self, text: str) -> T:
        """Return the value that a person wrote. Raises SettingFault: naming the setting and what is allowed."""
        try:
            value = _PARSERS[self.kind](text.strip())
        except ValueError:
            self._refuse(text)
        if isinstance(value, int | float) and not self._in_range(value):
            self._refuse(text)
        if self.kind is Kind.CHOICE and value not in self.choices:
            self._refuse(text)
        if self.kind is Kind.LIST:
            self._check_items(value, text)
        return cast("T", value)

    def _check_items(self, value: Sequence[str], text: str) -> None:
        if self.choices and not set(value) <= set(self.choices):
            self._refuse(text)
        if self.item is not None:
            try:
                for each in value:
                    self.item(each)
            except ValueError:
                self._refuse(text)

    def format(self, value: T) -> str:
        """Return the text from which ``parse`` makes the same value."""
        return _FORMATTERS[self.kind](value)

    def default_at(self, level: int) -> T:
        """Return the default that holds at a compatibility level."""
        for up_to, value in sorted(self.earlier_defaults, key=lambda pair: pair[0]):
            if level <= up_to:
                return value
        return self.default

    @property
    def allowed(self) -> str:
        """What may be written, in words, for messages and the manual."""
        if self.kind is Kind.CHOICE:
            return "one of " + ", ".join(self.choices)
        if self.kind is Kind.LIST and self.choices:
            return "words separated by commas, each one of " + ", ".join(self.choices)
        if self.kind is Kind.LIST and self.items:
            return f"{self.items}, separated by commas"
        words = _ALLOWED[self.kind]
        if self.kind is Kind.INT and self.unit:
            words = f"a whole number of {self.unit}"
        return words + self._range_in_words()

    def _in_range(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)

    def _range_in_words(self) -> str:
        if self.kind not in {Kind.INT, Kind.SIZE, Kind.DURATION}:
            return ""
        show = _FORMATTERS[self.kind]
        parts = [f"from {show(self.minimum)}"] if self.minimum is not None else []
        if self.maximum is not None:
            parts.append(f"up to {show(self.maximum)}")
        return "".join(", " + " ".join(parts) for _ in parts[:1])

    def is_more(self, value: float, than: float) -> bool:
        """Whether one value of a ceiling allows more than another."""
        if than in {self.unlimited, value}:
            return False
        return value == self.unlimited or value > than

    def _refuse(self, text: str) -> NoReturn:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise SettingFault(
            f"{self.name}: {shown!r} cannot be used; it takes {self.allowed}",
            key=self.name,
            remedy=f"See `posthouse setting explain {self.name}`.",
        )


# ---- text <-> value -------------------------------------------------------------------------------------------

_TRUE = {"yes", "true", "on", "1"}
_FALSE = {"no", "false", "off", "0"}
_SIZE = re.compile(r"(\d{1,15})\s*(?:([kmgt])(?:i?b)?|b|octets|bytes)?", re.ASCII | re.IGNORECASE)
_SIZE_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SPAN = re.compile(r"(\d{1,12})\s*(ms|[wdhms])\s*", re.ASCII | re.IGNORECASE)
_SPAN_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_INT = re.compile(r"-?\d{1,18}", re.ASCII)


def _parse_bool(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(text)


def _parse_int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError(text)
    return int(text)


def parse_size(text: str) -> int:
    """Return octets from ``10485760``, ``10 MiB``, ``10M`` (all binary). Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _SIZE_UNITS.get((match[2] or "").lower(), 1)


def format_size(octets: int) -> str:
    """Return the shortest exact form, such as ``50 MiB``."""
    for letter in "tgmk":
        if octets and octets % _SIZE_UNITS[letter] == 0:
            return f"{octets // _SIZE_UNITS[letter]} {letter.upper()}iB"
    return str(octets)


def parse_duration(text: str) -> float:
    """Return seconds from ``90``, ``1m30s``, ``2 d``, ``500ms``. Raises ValueError."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return float(text)
    position, total = 0, 0
    while position < len(text):
        match = _SPAN.match(text, position)
        if match is None:
            raise ValueError(text)
        total += int(match[1]) * _SPAN_UNITS[match[2].lower()]
        position = match.end()
    if not position:
        raise ValueError(text)
    return total / 1000


def format_duration(seconds: float) -> str:
    """Return the exact form with the largest units first, such as ``1h30m``; ``0s`` for nothing."""
    rest = round(seconds * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _SPAN_UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _parse_text(text: str) -> str:
    if "\n" in text or "\r" in text or "\x00" in text:
        raise ValueError(text)
    return text


def _parse_list(text: str) -> tuple[str, ...]:
    _parse_text(text)
    return tuple(item for part in text.split(",") if (item := part.strip()))


_PARSERS: dict[Kind, Callable[[str], Any]] = {
    Kind.BOOL: _parse_bool,
    Kind.INT: _parse_int,
    Kind.SIZE: parse_size,
    Kind.DURATION: parse_duration,
    Kind.TEXT: _parse_text,
    Kind.LIST: _parse_list,
    Kind.CHOICE: str.lower,
}
_FORMATTERS: dict[Kind, Callable[[Any], str]] = {
    Kind.BOOL: lambda value: "yes" if value else "no",
    Kind.INT: lambda value: str(int(value)),
    Kind.SIZE: lambda value: format_size(int(value)),
    Kind.DURATION: format_duration,
    Kind.TEXT: str,
    Kind.LIST: ", ".join,
    Kind.CHOICE: str,
}
_ALLOWED = {
    Kind.BOOL: "yes or no",
    Kind.INT: "a whole number",
    Kind.SIZE: "octets, or a number with KiB, MiB or GiB such as 50 MiB",
    Kind.DURATION: "seconds, or numbers with d, h, m, s or ms such as 1h30m",
    Kind.TEXT: "one line of text",
    Kind.LIST: "words separated by commas",
}


# ---- one constructor for each kind, so that mypy knows what ``get`` returns ------------------------------------


def bool_setting(name: str, default: bool, explanation: str, **more: Any) -> Setting[bool]:
    """Define a setting that is yes or no."""
    return Setting(name=name, kind=Kind.BOOL, default=default, explanation=explanation, **more)


def int_setting(name: str, default: int, explanation: str, **more: Any) -> Setting[int]:
    """Define a number; say ``unit``, and bounds where they make sense."""
    return Setting(name=name, kind=Kind.INT, default=default, explanation=explanation, **more)


def size_setting(name: str, default: int, explanation: str, **more: Any) -> Setting[int]:
    """Define a number of octets."""
    return Setting(name=name, kind=Kind.SIZE, default=default, explanation=explanation, **more)


def duration_setting(name: str, default: float, explanation: str, **more: Any) -> Setting[float]:
    """Define a span of time, in seconds."""
    return Setting(name=name, kind=Kind.DURATION, default=float(default), explanation=explanation, **more)


def text_setting(name: str, default: str, explanation: str, **more: Any) -> Setting[str]:
    """Define a line of text."""
    return Setting(name=name, kind=Kind.TEXT, default=default, explanation=explanation, **more)


def list_setting(name: str, default: Sequence[str], explanation: str, **more: Any) -> Setting[tuple[str, ...]]:
    """Define a list of words; items hold no commas."""
    return Setting(name=name, kind=Kind.LIST, default=tuple(default), explanation=explanation, **more)


def choice_setting(name: str, default: str, choices: Sequence[str], explanation: str, **more: Any) -> Setting[str]:
    """Define a choice of one among lower-case words."""
    return Setting(
        name=name, kind=Kind.CHOICE, default=default, choices=tuple(choices), explanation=explanation, **more
    )
