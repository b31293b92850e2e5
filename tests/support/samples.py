"""Requests for every operation of the API, made from its description: valid inputs about a target of one's choice."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

FILES = {"text/plain": b"Hello.\n"}
TARGETS = ("own", "other", "missing")
ADDRESSES = {"own": "ben@acme.test", "other": "rita@rival.test", "missing": "nobody@nothing.test"}
DOMAINS = {"own": "acme.test", "other": "rival.test", "missing": "nothing.test"}
OFFICES = {"own": "acme", "other": "rival", "missing": "nothing"}
SCOPES = {target: f"domain:{name}" for target, name in DOMAINS.items()}

# What fields of these names are about, whatever the operation.
FIELDS: dict[str, dict[str, str]] = {
    "address": ADDRESSES, "account": ADDRESSES, "domain": DOMAINS, "office": OFFICES, "scope": SCOPES,
}  # fmt: skip
# Where an operation's field is something else, or an optional field names the target.
OVERRIDES: dict[str, dict[str, Any]] = {
    "account.add": {"address": {target: f"new@{name}" for target, name in DOMAINS.items()}},
    "account.find": {"text": "anna"},
    "account.list": {"domain": DOMAINS},
    "account.rename": {"new_address": {target: f"other@{name}" for target, name in DOMAINS.items()}},
    "account.add-address": {"further": {target: f"further@{name}" for target, name in DOMAINS.items()}},
    "account.remove-address": {"further": {target: f"further@{name}" for target, name in DOMAINS.items()}},
    "account.set-password": {"password": "a long enough password"},
    **{
        name: {"account": ADDRESSES}
        for name in (
            "app-password.add",
            "app-password.list",
            "app-password.revoke",
            "second-factor.show",
            "second-factor.start",
            "second-factor.stop",
            "second-factor.confirm",
            "second-factor.recovery-codes",
            "passkey.begin",
            "passkey.finish",
            "passkey.list",
            "passkey.remove",
        )
    },
    "alias.add": {"targets": ["anna@acme.test"]},
    "alias.list": {"domain": DOMAINS},
    "audit.show": {"number": 1},
    "domain.add": {"name": {target: f"new.{name}" for target, name in DOMAINS.items()}, "office": OFFICES},
    "domain.list": {"office": OFFICES},
    "domain.purge": {"name": DOMAINS},
    "domain.remove": {"name": DOMAINS},
    "domain.set": {"name": DOMAINS},
    "domain.show": {"name": DOMAINS},
    "export.accounts": {"domain": DOMAINS},
    "export.aliases": {"domain": DOMAINS},
    "export.domains": {"office": OFFICES},
    "export.groups": {"domain": DOMAINS},
    "group.list": {"domain": DOMAINS},
    "import.csv": {"domain": DOMAINS},
    "import.system": {"domain": DOMAINS},
    "notice.send": {"domain": DOMAINS},
    "notice.send-file": {"domain": DOMAINS, "subject": "a subject"},
    "office.remove": {"name": OFFICES},
    "office.set": {"name": OFFICES},
    "office.show": {"name": OFFICES},
    "office.add": {"name": {"own": "fresh", "other": "fresh", "missing": "fresh"}},
    "route.add": {"host": "relay.acme.test"},
    "session.disconnect": {"account": ADDRESSES},
    "shared.grant": {"member": "anna@acme.test"},
    "shared.list": {"domain": DOMAINS},
    "shared.revoke": {"member": "anna@acme.test"},
    "app-password.add": {"account": ADDRESSES},
    "app-password.list": {"account": ADDRESSES},
    "app-password.revoke": {"account": ADDRESSES},
    "purge.messages": {"domain": DOMAINS, "seen": True},
    "token.add": {"name": "a name", "account": ADDRESSES},
    "token.list": {"account": ADDRESSES},
    "token.show": {"account": ADDRESSES},
    "token.revoke": {"account": ADDRESSES},
    **{f"wording.{verb}": {"name": "welcome", "scope": SCOPES} for verb in ("list", "show", "set", "unset", "preview")},
    **{f"wording.{verb}": {"name": "welcome", "scope": SCOPES} for verb in ("show", "set", "unset", "preview")},
    "wording.list": {"scope": SCOPES},
    **{
        f"setting.{verb}": {"name": "auth.password_length", "value": "9", "scope": SCOPES}
        for verb in ("get", "set", "unset", "explain", "undo", "history", "list")
    },
}


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and what is told of each operation."""
    return [
        (method.upper(), path, told)
        for path, methods in description["paths"].items()
        for method, told in methods.items()
    ]


def sample(method: str, path: str, told: dict[str, Any], target: str) -> tuple[str, dict[str, Any]]:
    """Return the path and the other arguments of ``AsgiClient.send`` for a request about a target."""
    name = told["operationId"]
    query: dict[str, Any] = {}
    for each in told.get("parameters", ()):
        if each["in"] == "header" or each["name"] == "dry_run":
            continue
        if each["in"] == "path":
            value = _value(name, each["name"], each["schema"], target)
            path = path.replace(f"{{{each['name']}}}", quote(str(value), safe="@"))
        elif each["required"] or each["name"] in OVERRIDES.get(name, {}):
            query[each["name"]] = _value(name, each["name"], each["schema"], target)
    made: dict[str, Any] = {}
    if told["x-posthouse-effect"] != "read":
        query["dry_run"] = "true"
    content = told.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        schema = content["application/json"]["schema"]
        wanted = [*schema.get("required", ()), *(set(OVERRIDES.get(name, ())) & set(schema["properties"]))]
        made["json"] = {field: _value(name, field, schema["properties"][field], target) for field in wanted}
    elif content:
        kind = next(iter(content))
        made |= {"body": FILES.get(kind, b""), "content_type": kind}
    if "text/event-stream" in told["responses"].get("200", {}).get("content", {}):
        made["accept"] = "text/event-stream"
    return path, {**made, "query": query}


def _value(operation: str, field: str, schema: dict[str, Any], target: str) -> Any:
    found = OVERRIDES.get(operation, {}).get(field, FIELDS.get(field))
    if found is not None:
        return found[target] if isinstance(found, dict) else found
    return _made(schema)


def _made(schema: dict[str, Any]) -> Any:
    """Return something that a schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _made(schema["anyOf"][0])
    if schema.get("type") == "array":
        return [_made(schema["items"])] * schema.get("minItems", 0)
    if schema.get("type") in {"integer", "number"}:
        return schema.get("minimum", 1)
    return {"boolean": False, "object": {}}.get(schema.get("type", ""), "x" * max(1, schema.get("minLength", 1)))
