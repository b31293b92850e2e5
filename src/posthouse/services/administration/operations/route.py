"""Operations on routes: the next hop of a domain, of what is below one, or of everything (the smart host).

They decide where mail leaves and for whom strangers may send through here, so they take a server administrator. The
password for a next hop is sealed (``identity.sealing``) and never shown.
Tests: ``tests/unit/services/administration/operations/test_route_operations.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field, SecretStr

from posthouse.services.administration import words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import DomainText
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Nothing,
    Output,
    Page,
    PageInput,
    Rule,
    key_of,
    on_server,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.writing import subject_of
from posthouse.store.directory_rows import RouteRow
from posthouse.store.directory_values import PutRoute, RemoveRoute

SMART_HOST: Final = "*"
_LOGIN_LONGEST: Final = 250
_DOMAIN = "A domain, .domain for everything below it, or * for the smart host."
_TLS = "none: never; may: where it is offered; must: never without."

Tls = Literal["none", "may", "must"]


class OneRoute(Input):
    """A route."""

    domain: DomainText = Field(description=_DOMAIN)


class AddRoute(OneRoute):
    """A new route."""

    host: DomainText = Field(description="The next hop: a name or an IP address.")
    port: int = Field(25, ge=1, le=65_535, description="Its port.")
    tls: Tls = Field("may", description=_TLS)
    mx_lookup: bool = Field(False, description="Look up MX records of the host, in place of its address.")
    recipients_local: bool = Field(False, description="Strangers may send to this domain (gateway, backup MX).")
    login: str = Field("", max_length=_LOGIN_LONGEST, description="The name to sign in with at the next hop.")
    password: SecretStr | None = Field(None, description="The password to sign in with at the next hop.")


class SetRoute(OneRoute):
    """Changes of a route; what is not given stays."""

    host: DomainText | None = Field(None, description="The next hop: a name or an IP address.")
    port: int | None = Field(None, ge=1, le=65_535, description="Its port.")
    tls: Tls | None = Field(None, description=_TLS)
    mx_lookup: bool | None = Field(None, description="Look up MX records of the host, in place of its address.")
    recipients_local: bool | None = Field(None, description="Strangers may send to this domain.")
    login: str | None = Field(
        None, max_length=_LOGIN_LONGEST, description='The name to sign in with; "" takes it away with its password.'
    )
    password: SecretStr | None = Field(None, description="The password to sign in with at the next hop.")


class Route(Output):
    """A route."""

    domain: str = Field(description="Its domain, .domain or *.")
    host: str = Field(description="The next hop.")
    port: int = Field(description="Its port.")
    tls: str = Field(description=_TLS)
    mx_lookup: bool = Field(description="Whether MX records of the host are looked up.")
    recipients_local: bool = Field(description="Whether strangers may send to this domain.")
    login: str = Field(description="The name to sign in with.")
    has_password: bool = Field(description="Whether there is a password to sign in with.")
    revision: int = Field(description="Grows with every change.")


@operation(
    "route", "add", rule=Rule(Role.SERVER, on_server()), http="POST /routes", effect=Effect.CHANGE,
    arguments=("domain",),
)  # fmt: skip
async def add(call: Call, given: AddRoute) -> Route:
    """Add the next hop of a domain, of all below it, or of everything (`*`, the smart host)."""
    key = _key(given.domain)
    if await _row(call, key) is not None:
        raise Refused(
            f"there is a route for {key} already", f"Change it: posthouse route set {key}", kind=Kind.EXISTS,
            field="domain",
        )  # fmt: skip
    row = RouteRow(
        domain=key,
        host=words.host_name(given.host, "host"),
        port=given.port,
        tls=given.tls,
        recipients_local=given.recipients_local,
        mx_lookup=given.mx_lookup,
        login=words.line(given.login, _LOGIN_LONGEST, "login"),
        sealed_password=_seal(call, key, given.password),
        revision=1,
    )
    return await _put(call, None, row)


@operation(
    "route", "set", rule=Rule(Role.SERVER, on_server()), http="PATCH /routes/{domain}", effect=Effect.CHANGE,
    arguments=("domain",),
)  # fmt: skip
async def set_(call: Call, given: SetRoute) -> Route:
    """Change a route."""
    old = await _known(call, given.domain)
    changes: dict[str, Any] = {
        name: value
        for name in ("port", "tls", "mx_lookup", "recipients_local")
        if (value := getattr(given, name)) is not None
    }
    if given.host is not None:
        changes["host"] = words.host_name(given.host, "host")
    if given.login is not None:
        changes["login"] = words.line(given.login, _LOGIN_LONGEST, "login")
        if not given.login:
            changes["sealed_password"] = ""
    if given.password is not None:
        changes["sealed_password"] = _seal(call, old.domain, given.password)
    return await _put(call, old, replace(old, **changes))


@operation("route", "show", rule=Rule(Role.SERVER, on_server()), http="GET /routes/{domain}", arguments=("domain",))
async def show(call: Call, given: OneRoute) -> Route:
    """Show a route."""
    return _shown(await _known(call, given.domain))


@operation(
    "route", "list", rule=Rule(Role.SERVER, on_server()), http="GET /routes",
    columns=("domain", "host", "port", "tls", "mx_lookup", "recipients_local", "login"),
)  # fmt: skip
async def list_(call: Call, given: PageInput) -> Page[Route]:
    """List routes in order of domain."""
    after = key_of(given.cursor)
    rows = [row for row in await call.desk.store.routes() if row.domain > after]
    return reading.as_page(rows[: given.limit + 1], given.limit, lambda row: row.domain, _shown)


@operation(
    "route", "remove", rule=Rule(Role.SERVER, on_server()), http="DELETE /routes/{domain}", effect=Effect.DESTROY,
    arguments=("domain",),
)  # fmt: skip
async def remove(call: Call, given: OneRoute) -> Nothing:
    """Remove a route."""
    old = await _known(call, given.domain)
    await call.commit(
        RemoveRoute(domain=old.domain, if_revision=call.if_revision),
        subject=subject_of("route", old.domain),
        before=_told(old),
    )
    return Nothing()


async def _known(call: Call, text: str) -> RouteRow:
    key = _key(text)
    row = await _row(call, key)
    if row is None:
        raise reading.missing(f"route for {key}", "`posthouse route list` shows those there are.", "domain")
    return row


async def _row(call: Call, key: str) -> RouteRow | None:
    return next((row for row in await call.desk.store.routes() if row.domain == key), None)


async def _put(call: Call, old: RouteRow | None, new: RouteRow) -> Route:
    if new.recipients_local and new.domain == SMART_HOST:
        raise Refused(
            "--recipients-local on the smart host would make this an open relay",
            "Add a route with it for each domain that strangers may send to.",
            field="recipients_local",
        )
    if new.sealed_password and not new.login:
        raise Refused("a password without a name to sign in with", "Give a login as well.", field="login")
    if new.sealed_password and new.tls == "none":
        raise Refused("a password would be sent in the clear", "Use --tls must, or may.", field="tls")
    await call.commit(
        PutRoute(
            domain=new.domain,
            host=new.host,
            port=new.port,
            tls=new.tls,
            recipients_local=new.recipients_local,
            mx_lookup=new.mx_lookup,
            login=new.login,
            sealed_password=new.sealed_password,
            must_be_new=old is None,
            if_revision=call.if_revision,
        ),
        subject=subject_of("route", new.domain),
        before=_told(old) if old is not None else None,
        after=_told(new),
    )
    return _shown((await _row(call, new.domain) if not call.dry_run else None) or new)


def _seal(call: Call, key: str, secret: SecretStr | None) -> str:
    if secret is None:
        return ""
    bare = words.line(secret.get_secret_value().rstrip("\r\n"), 1_000, "password")
    return call.desk.sealing.seal(bare, f"route:{key}")


def _key(text: str) -> str:
    bare = text.strip()
    if bare == SMART_HOST:
        return SMART_HOST
    if bare.startswith("."):
        return "." + words.domain_name(bare[1:], "domain")
    return words.domain_name(bare, "domain")


def _shown(row: RouteRow) -> Route:
    return Route(
        domain=row.domain,
        host=row.host,
        port=row.port,
        tls=row.tls,
        mx_lookup=row.mx_lookup,
        recipients_local=row.recipients_local,
        login=row.login,
        has_password=bool(row.sealed_password),
        revision=row.revision,
    )


def _told(row: RouteRow) -> dict[str, Any]:
    return _shown(row).model_dump(mode="json", exclude={"revision"})


OPERATIONS = (add, set_, show, list_, remove)
