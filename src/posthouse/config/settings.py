"""What every setting is worth now: the store's rows over the defaults, narrower scopes over wider ones.

One ``Settings`` lives in each worker; ``load`` swaps its contents in place, so whoever holds it sees the new values
at the next ``get``. A read is one dictionary look-up where nothing was set for a domain or an account. A row that
cannot be used (unknown name, bad value, wrong scope) is reported and skipped, never fatal: a server that does not
start because of one row would be worse. Tests: ``tests/unit/config/test_settings.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.definitions.server import COMPATIBILITY_LEVEL
from posthouse.config.faults import SettingFault
from posthouse.config.setting import Scope, Setting

T = TypeVar("T")


class StoredSetting(Protocol):
    """A setting as the store keeps it (``store.rows.SettingRow``)."""

    @property
    def name(self) -> str:
        """The setting's name."""
        ...

    @property
    def scope(self) -> str:
        """``server``, ``office:NAME``, ``domain:NAME`` or ``account:ADDRESS``."""
        ...

    @property
    def value(self) -> str:
        """The text that was set."""
        ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a setting is worth somewhere, and why: ``source`` is the scope that decided, or ``default``."""

    name: str
    value: str
    source: str
    default: str
    text: str


class Settings:
    """The settings of one worker.

    Args:
        rows: what the store holds; more may be loaded later.
        definitions: the settings that exist; tests hand in their own.
        offices: the post office of each domain that is in one.

    Attributes:
        problems: one line for each row that was skipped by the last ``load``.
    """

    def __init__(
        self,
        rows: Iterable[StoredSetting] = (),
        definitions: Mapping[str, Setting[Any]] = DEFINITIONS,
        offices: Mapping[str, str] | None = None,
    ) -> None:
        self._definitions = definitions
        self._server: dict[str, Any] = {}
        self._scoped: dict[str, dict[str, Any]] = {}
        self._offices: Mapping[str, str] = {}
        self._outdated: frozenset[str] = frozenset()
        self.problems: list[str] = []
        self.load(rows, offices)

    def load(self, rows: Iterable[StoredSetting], offices: Mapping[str, str] | None = None) -> list[str]:
        """Replace everything that was set by these rows; return the problems, one line each.

        ``offices`` names the post office of each domain that is in one.
        """
        server: dict[str, Any] = {}
        scoped: dict[str, dict[str, Any]] = {}
        problems: list[str] = []
        for row in rows:
            try:
                value = self._value(row)
            except SettingFault as fault:
                problems.append(fault.detail)
                continue
            if row.scope == Scope.SERVER.value:
                server[row.name] = value
            else:
                scoped.setdefault(row.name, {})[row.scope] = value
        outdated = self._defaults_of_level(server)
        self._outdated = frozenset(outdated)
        self._server, self._scoped, self.problems = {**outdated, **server}, scoped, problems
        self._offices = offices or {}
        return problems

    def get(self, setting: Setting[T], *, domain: str = "", account: str = "", office: str = "") -> T:
        """Return what the setting is worth for an account (folded address), a domain, a post office, or the server.

        An account inherits from its domain (taken from its address unless ``domain`` is given), a domain from its
        post office, that from the server, the server from the default.
        """
        if self._scoped and (domain or account or office):
            values = self._scoped.get(setting.name)
            if values is not None:
                for key in self._keys(domain, account, office):
                    if key in values:
                        value: T = values[key]
                        return value
        found: T = self._server.get(setting.name, setting.default)
        return found

    def set_in(self, setting: Setting[T], *, domain: str = "", account: str = "", office: str = "") -> dict[str, T]:
        """Return the value of each scope that an account, a domain or a post office is in and that sets it."""
        values: dict[str, T] = self._scoped.get(setting.name, {})
        found = {key: values[key] for key in self._keys(domain, account, office) if key in values} if values else {}
        if setting.name in self._server:
            found[Scope.SERVER.value] = self._server[setting.name]
        return found

    def values_of(self, setting: Setting[T]) -> list[T]:
        """Return the server's value and that of every narrower scope that sets it."""
        values: dict[str, T] = self._scoped.get(setting.name, {})
        return [self.get(setting), *values.values()]

    def explain(self, setting: Setting[Any], *, domain: str = "", account: str = "", office: str = "") -> Explanation:
        """Return the value with the scope that decided it."""
        values = self._scoped.get(setting.name, {})
        source = next((key for key in self._keys(domain, account, office) if key in values), "")
        if not source:
            is_set = setting.name in self._server and setting.name not in self._outdated
            source = Scope.SERVER.value if is_set else "default"
        value = self.get(setting, domain=domain, account=account, office=office)
        return Explanation(
            setting.name, setting.format(value), source, setting.format(setting.default), setting.explanation
        )

    def outdated_defaults(self) -> list[str]:
        """Return names of settings whose default has changed since the compatibility level in force, in order."""
        return sorted(self._outdated)

    def _value(self, row: StoredSetting) -> Any:
        setting = self._definitions.get(row.name)
        if setting is None:
            raise SettingFault(f"{row.name}: there is no such setting (set for {row.scope})", key=row.name)
        kind, _, place = row.scope.partition(":")
        if kind not in {scope.value for scope in setting.scopes} or bool(place) == (kind == Scope.SERVER.value):
            allowed = ", ".join(scope.value for scope in setting.scopes)
            raise SettingFault(f"{row.name}: cannot be set for {row.scope}, only for: {allowed}", key=row.name)
        return setting.parse(row.value)

    def _defaults_of_level(self, server: Mapping[str, Any]) -> dict[str, Any]:
        level: int = server.get(COMPATIBILITY_LEVEL.name, COMPATIBILITY_LEVEL.default)
        return {
            name: setting.default_at(level)
            for name, setting in self._definitions.items()
            if setting.earlier_defaults and name not in server and setting.default_at(level) != setting.default
        }

    def _keys(self, domain: str, account: str, office: str) -> list[str]:
        """Return the scopes to look into, the narrowest first."""
        keys = [f"account:{account}"] if account else []
        home = domain or account.rpartition("@")[2]
        if home:
            keys.append(f"domain:{home}")
        tenant = office or self._offices.get(home, "")
        if tenant:
            keys.append(f"office:{tenant}")
        return keys
