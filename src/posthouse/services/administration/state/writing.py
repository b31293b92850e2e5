"""From an object's fields to the values that write it, and the checks that only its kind can make.

Tests: ``tests/unit/services/administration/operations/test_snapshot_operations.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.faults import SettingFault
from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.state import secrets
from posthouse.services.administration.state.kinds import KINDS, Fields, Key, Shape
from posthouse.store import directory_values as values
from posthouse.store.values import Change

_OF_ITS_OWN: Final = {("account", "addresses"), ("group", "members")}
_TLS: Final = ("none", "may", "must")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What writing an object needs beside its fields.

    Attributes:
        known: what references to secrets stand for.
        held: the object's secret as the store holds it.
        by: who sets a setting.
        now: when.
        held_until: when accounts that are held from now on are removed for good.
        seal: seals a secret for a purpose (``identity.sealing``).
    """

    known: Mapping[str, str]
    held: str
    by: str
    now: float
    held_until: float
    seal: Callable[[str, str], str]


def domain_of(key: Key) -> str:
    """Return the domain whose administrators may read of a change; "" where it concerns more."""
    kind, name = key
    if kind == "domain":
        return name
    if kind == "setting":
        of, _, place = name.partition(" ")[0].partition(":")
        return place.rpartition("@")[2] if of in {"domain", "account"} else ""
    return name.partition(" ")[0].rpartition("@")[2] if "@" in name else ""


def check(key: Key, fields: Fields) -> None:
    """Check what no single field shows. Raises Refused: naming the object."""
    kind, name = key
    where = f'{kind}."{name}"'
    if kind == "setting":
        _check_setting(name, fields)
    elif kind == "alias" and not fields.get("targets"):
        raise Refused(f"{where} has no targets", "Give at least one address.", field="targets")
    elif kind == "route":
        if not fields.get("host"):
            raise Refused(f"{where} has no host", "Name the next hop.", field="host")
        if not 1 <= fields.get("port", 25) <= 65535:
            raise Refused(f"{where}.port is {fields['port']}", "Ports are 1 to 65535; SMTP is 25.", field="port")
        if fields.get("tls", "may") not in _TLS:
            raise Refused(f"{where}.tls is {fields['tls']!r}", f"It is one of {', '.join(_TLS)}.", field="tls")
        if name == "*" and fields.get("recipients_local"):
            raise Refused(
                f"{where} would make this an open relay", "Name the domains one by one.", field="recipients_local"
            )
    elif kind == "source" and not fields.get("kind"):
        raise Refused(f"{where} has no kind", field="kind")


def _check_setting(name: str, fields: Fields) -> None:
    scope, _, setting = name.partition(" ")
    definition = DEFINITIONS.get(setting)
    if definition is None:
        raise Refused(f"there is no setting {words.shown(setting)}", field=setting)
    kind = scope.partition(":")[0]
    if kind not in {each.value for each in definition.scopes} or (kind == "server") != (scope == "server"):
        raise Refused(f"{setting} cannot be set for {words.shown(scope)}", field=setting)
    try:
        fields["value"] = definition.format(definition.parse(fields.get("value", "")))
    except SettingFault as fault:
        raise Refused(fault.detail, fault.remedy, field=setting) from None


def changes(key: Key, before: Fields | None, after: Fields | None, orders: Orders) -> list[Change]:
    """Return the values that make an object what it shall be; None means that it goes."""
    kind, name = key
    if after is None:
        return [_REMOVALS[kind](name)]
    return _WRITERS[kind](_Job(name, before, after, orders))


def members(key: Key, before: Fields | None, after: Fields | None) -> list[Change]:
    """Return what gives a group its members."""
    if key[0] != "group" or after is None:
        return []
    wanted, had = after.get("members", []), (before or {}).get("members", [])
    return [values.ChangeMembers(group=key[1], add=tuple(wanted), replace=True)] if wanted != had else []


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    before: Fields | None
    after: Fields
    orders: Orders

    def arguments(self, kind: str, *, whole: bool = False) -> dict[str, Any]:
        """Return the arguments of a Put value: the fields that differ; all where the object is new or ``whole``."""
        given: dict[str, Any] = {"must_be_new": self.before is None}
        for name, of in KINDS[kind].fields.items():
            if (kind, name) in _OF_ITS_OWN:
                continue
            value = self.after.get(name, of.default)
            if not whole and self.before is not None and value == self.before.get(name, of.default):
                continue
            if of.shape is Shape.SECRET:
                given[of.name] = self._secret(kind, name, value)
            else:
                given[of.name] = of.to_value(value)
        return given

    def _secret(self, kind: str, name: str, value: str) -> str:
        secret = secrets.resolve(f"{kind}.{name}", value, self.orders.held, self.orders.known)
        if secret.startswith(secrets.OPEN):
            return self.orders.seal(secret.removeprefix(secrets.OPEN), f"{kind}:{self.name}")
        return secret


def _office(job: _Job) -> list[Change]:
    return [values.PutOffice(name=job.name, **job.arguments("office"))]


def _domain(job: _Job) -> list[Change]:
    return [values.PutDomain(name=job.name, **job.arguments("domain"))]


def _account(job: _Job) -> list[Change]:
    before, after = job.before or {}, job.after
    arguments = job.arguments("account")
    if after.get("state") == values.AccountState.HELD.value and before.get("state") != after["state"]:
        arguments["held_until"] = job.orders.held_until
    if job.before is None:
        arguments["created"] = job.orders.now
    had, wanted = set(before.get("addresses", [])), set(after.get("addresses", []))
    gone = [values.RemoveAddress(address=each, account=job.name) for each in sorted(had - wanted)]
    come = [values.PutAddress(address=each, account=job.name) for each in sorted(wanted - had)]
    return [values.PutAccount(address=job.name, **arguments), *gone, *come]


def _alias(job: _Job) -> list[Change]:
    return [values.PutAlias(address=job.name, **job.arguments("alias"))]


def _group(job: _Job) -> list[Change]:
    return [values.PutGroup(address=job.name, **job.arguments("group"))]


def _share(job: _Job) -> list[Change]:
    account, _, member = job.name.partition(" ")
    arguments = job.arguments("share", whole=True)
    del arguments["must_be_new"]
    return [values.PutShare(account=account, member=member, **arguments)]


def _route(job: _Job) -> list[Change]:
    return [values.PutRoute(domain=job.name, **job.arguments("route", whole=True))]


def _source(job: _Job) -> list[Change]:
    return [values.PutSource(name=job.name, **job.arguments("source"))]


def _setting(job: _Job) -> list[Change]:
    scope, _, setting = job.name.partition(" ")
    return [values.PutSetting(name=setting, scope=scope, value=job.after["value"], by=job.orders.by, at=job.orders.now)]


def _wording(job: _Job) -> list[Change]:
    scope, message, language = job.name.split(" ")
    subject, text = job.after.get("subject", ""), job.after.get("text", "")
    return [values.PutWording(scope=scope, name=message, language=language, subject=subject, text=text)]


def _no_share(name: str) -> Change:
    account, _, member = name.partition(" ")
    return values.RemoveShare(account=account, member=member)


def _no_setting(name: str) -> Change:
    scope, _, setting = name.partition(" ")
    return values.PutSetting(name=setting, scope=scope, value=None)


def _no_wording(name: str) -> Change:
    scope, message, language = name.split(" ")
    return values.PutWording(scope=scope, name=message, language=language, text=None)


_WRITERS: Final[Mapping[str, Callable[[_Job], list[Change]]]] = {
    "office": _office,
    "domain": _domain,
    "account": _account,
    "alias": _alias,
    "group": _group,
    "share": _share,
    "route": _route,
    "source": _source,
    "setting": _setting,
    "wording": _wording,
}
_REMOVALS: Final[Mapping[str, Callable[[str], Change]]] = {
    "office": lambda name: values.RemoveOffice(name=name),
    "domain": lambda name: values.RemoveDomain(name=name),
    "account": lambda address: values.RemoveAccount(address=address),
    "alias": lambda address: values.RemoveAlias(address=address),
    "group": lambda address: values.RemoveGroup(address=address),
    "share": _no_share,
    "route": lambda domain: values.RemoveRoute(domain=domain),
    "source": lambda name: values.RemoveSource(name=name),
    "setting": _no_setting,
    "wording": _no_wording,
}
