"""A web service as a sign-in source: a POST with name and password, whose status is the answer.

What is sent is JSON: ``login``, ``address``, ``password``, ``protocol``, ``client``. 200 with a JSON object grants, and
may hold ``address``, ``display_name``, ``given_name``, ``family_name``, ``groups``, ``external_id``, ``quota``,
``disabled``; 401 and 403 are wrong; 404 does not know the name; anything else cannot say now. The service knows us by a
shared secret: sent as a bearer token, or, better, not sent but used to sign time and body with HMAC-SHA-256.
Tests: ``tests/interop/test_sources_web.py``.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from posthouse.core.clock import Clock
from posthouse.services.identity.sources.contract import (
    Down,
    Granted,
    Login,
    QuietSource,
    SourceAnswer,
    SourceFinding,
    SourcePerson,
    Unknown,
    Wrong,
)
from posthouse.services.identity.sources.fields import number, one_of, option, span, text, web_address, yes_or_no
from posthouse.services.identity.sources.verified_tls import tls_context
from posthouse.services.identity.sources.web_client import WebAnswer, WebClient, WebGone, check_clear

SIGNATURE: Final = "X-Posthouse-Signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """The fields of an HTTP source."""

    url: str = option(web_address, "Where name and password are posted to: `https://portal.example.org/mail-login`.")
    secret: str = option(text, "The secret that the service shares with this server.", "", secret=True)
    sign: str = option(
        one_of("hmac", "bearer", "off"),
        "`hmac`: the header `X-Posthouse-Signature: t=SECONDS,v1=HEX` signs `SECONDS.BODY` with HMAC-SHA-256; "
        "`bearer`: the secret itself is sent in `Authorization`; `off`: neither.",
        "hmac",
    )
    clear: bool = option(yes_or_no, "Whether `http://` may be used to another machine, in clear.", "no")
    ca_file: str = option(text, "A PEM file of the authorities that may sign the service's certificate.", "")
    connections: int = option(number(1, 64), "How many connections each worker has at most.", "8")
    timeout: float = option(span(0.2, 60), "How long the service may take.", "5s")


class HttpSource(QuietSource):
    """One web service. Raises SourceFault: for clear HTTP to another machine, or without a secret to sign with."""

    def __init__(self, name: str, config: HttpConfig, clock: Clock) -> None:
        super().__init__(name)
        check_clear(config.url, "url", allowed=config.clear)
        self._config = config
        self._clock = clock
        self._web = WebClient(tls_context(config.ca_file), config.timeout, config.connections)

    async def check_password(self, login: Login, password: bytes) -> SourceAnswer:
        """Post the name and the password."""
        if not password:
            return Wrong("an empty password")
        try:
            secret = password.decode()
        except UnicodeDecodeError:
            return Wrong("a password that is no UTF-8")
        asked = {
            "login": login.name,
            "address": login.address,
            "password": secret,
            "protocol": login.protocol,
            "client": login.client,
        }
        try:
            answer = await self._post(asked)
            if answer.status == 200:
                return _granted(answer.document(), login.address)
        except WebGone as gone:
            return Down(str(gone))
        return _refusal(answer.status)

    async def test(self) -> SourceFinding:
        """Post an empty name and password, which the service must refuse."""
        try:
            answer = await self._post({"login": "", "address": "", "password": "", "protocol": "test", "client": ""})
        except WebGone as gone:
            return SourceFinding(False, str(gone), "See that the service runs and its certificate is valid.")
        if answer.status == 200:
            return SourceFinding(
                False,
                "the service grants an empty name and password",
                "Make it answer 404 or 401 to what it does not know.",
            )
        if answer.status in {400, 401, 403, 404, 422}:
            return SourceFinding(True, f"the service answers, {answer.status} to an empty name")
        return SourceFinding(False, f"the service answers {answer.status}", "Look at its log.")

    async def close(self) -> None:
        """Close the connections."""
        await self._web.close()

    async def _post(self, asked: Mapping[str, str]) -> WebAnswer:
        body = json.dumps(asked).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"} | self._proof(body)
        return await self._web.post(self._config.url, body=body, headers=headers)

    def _proof(self, body: bytes) -> dict[str, str]:
        if self._config.sign == "off" or not self._config.secret:
            return {}
        if self._config.sign == "bearer":
            return {"Authorization": f"Bearer {self._config.secret}"}
        seconds = int(self._clock.now())
        signed = hmac.new(self._config.secret.encode(), b"%d.%s" % (seconds, body), "sha256").hexdigest()
        return {SIGNATURE: f"t={seconds},v1={signed}"}


def _granted(found: Mapping[str, Any], address: str) -> SourceAnswer:
    person = person_of(found, address)
    return Wrong("shut out by the service") if person.is_disabled else Granted(person)


def _refusal(status: int) -> SourceAnswer:
    if status in {401, 403}:
        return Wrong(f"the service answered {status}")
    if status == 404:
        return Unknown()
    return Down(f"the service answered {status}", is_spared=status in {429, 502, 503, 504})


def person_of(found: Mapping[str, Any], address: str) -> SourcePerson:
    """Return the person of a JSON object; what is of another type than it should be is left out."""

    def words_of(name: str) -> str:
        value = found.get(name)
        return value[:1_000] if isinstance(value, str) else ""

    groups = found.get("groups")
    quota = found.get("quota")
    return SourcePerson(
        address=(words_of("address") or address).lower(),
        display_name=words_of("display_name"),
        given_name=words_of("given_name"),
        family_name=words_of("family_name"),
        groups=tuple(group for group in groups[:1_000] if isinstance(group, str)) if isinstance(groups, list) else (),
        external_id=words_of("external_id"),
        attributes={"quota": str(quota)} if isinstance(quota, int | str) and not isinstance(quota, bool) else {},
        is_disabled=found.get("disabled") is True,
    )
