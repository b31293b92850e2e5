"""Whose bearer token this is: checked here by its signature, or by asking the provider (RFC 7662 §2).

A signed token of another issuer is Unknown, so that several providers may stand in one order. A token of this issuer
that is not good is Wrong. Passwords are handed on only where ``password_grant`` says so (RFC 6749 §4.3).
Tests: ``tests/interop/test_sources_oidc.py``.
"""

from __future__ import annotations

from typing import Any

from posthouse.core.clock import Clock
from posthouse.services.identity.sources.contract import (
    Down,
    Granted,
    Login,
    QuietSource,
    SourceAnswer,
    SourceFinding,
    Unknown,
    Wrong,
)
from posthouse.services.identity.sources.fields import SourceFault
from posthouse.services.identity.sources.oidc.config import OidcConfig
from posthouse.services.identity.sources.oidc.provider import Provider
from posthouse.services.identity.sources.oidc.tokens import (
    TOKEN_LENGTH,
    TokenFault,
    TokenHead,
    check_claims,
    check_scope,
    check_token,
    peek,
    person_of,
)
from posthouse.services.identity.sources.verified_tls import tls_context
from posthouse.services.identity.sources.web_client import WebAnswer, WebClient, WebGone, check_clear


class OidcSource(QuietSource):
    """One provider. Raises SourceFault: for clear HTTP to another machine, or without anybody tokens are made for."""

    def __init__(self, name: str, config: OidcConfig, clock: Clock) -> None:
        super().__init__(name)
        check_clear(config.issuer, "issuer", allowed=config.clear)
        if not config.audiences:
            raise SourceFault(
                "audience: neither audience nor client_id is given",
                field="audience",
                remedy="Say for whom tokens must be made, or any token of the provider would do.",
            )
        self._config = config
        self._clock = clock
        self._web = WebClient(tls_context(config.ca_file), config.timeout)
        self._provider = Provider(config, self._web, clock)

    async def check_token(self, token: str, mechanism: str) -> SourceAnswer:
        """Check a token here or there."""
        if not token or len(token) > TOKEN_LENGTH or not token.isascii() or not token.isprintable():
            return Wrong("no token, or none of this form")
        head = peek(token)
        try:
            if head is not None and self._config.validation != "introspection":
                return await self._check_here(token, head)
            if self._config.validation == "jwt":
                return Unknown()
            if head is not None and head.issuer and head.issuer != self._config.issuer:
                return Unknown()
            return await self._check_there(token)
        except TokenFault as fault:
            return Wrong(str(fault))
        except WebGone as gone:
            return Down(str(gone))

    async def check_password(self, login: Login, password: bytes) -> SourceAnswer:
        """Hand the password to the provider where the source says so."""
        if not self._config.password_grant:
            return Unknown()
        if not password:
            return Wrong("an empty password")
        try:
            return await self._grant(login.address, password.decode())
        except UnicodeDecodeError:
            return Wrong("a password that is no UTF-8")
        except TokenFault as fault:
            return Wrong(str(fault))
        except WebGone as gone:
            return Down(str(gone))

    async def test(self) -> SourceFinding:
        """Fetch the description and the keys."""
        try:
            endpoint = "jwks_uri" if self._config.validation == "jwt" else "introspection_endpoint"
            await self._provider.endpoint(endpoint)
            counts = [len(await self._provider.keys_for(each, "")) for each in self._config.algorithms]
        except WebGone as gone:
            return SourceFinding(
                False, str(gone), "See that the provider runs, and that `issuer` is written as in its description."
            )
        if self._config.validation == "jwt" and not any(counts):
            return SourceFinding(
                False,
                "the provider has no key for any of the algorithms",
                "Look at `algorithms` and the provider's keys.",
            )
        return SourceFinding(True, f"the provider {self._config.issuer} describes itself and has keys")

    async def close(self) -> None:
        """Close the connections."""
        await self._web.close()

    # ---- the two ways ----

    async def _check_here(self, token: str, head: TokenHead) -> SourceAnswer:
        if head.issuer != self._config.issuer:
            return Unknown()
        if head.algorithm not in self._config.algorithms:
            return Wrong(f"signed by {head.algorithm[:20]!r}, which is not taken")
        keys = await self._provider.keys_for(head.algorithm, head.key_id)
        if not keys:
            return Wrong("signed by a key that the provider has not")
        return Granted(person_of(check_token(token, keys, self._config, self._clock.now()), self._config))

    async def _check_there(self, token: str) -> SourceAnswer:
        url = await self._provider.endpoint("introspection_endpoint")
        answer = await self._post(url, {"token": token, "token_type_hint": "access_token"})
        if answer.status != 200:
            return Down(f"introspection was answered {answer.status}", is_spared=answer.status >= 500)
        found = answer.document()
        if found.get("active") is not True:
            return Unknown()
        # what the provider leaves out it vouches for by saying "active" (RFC 7662 §2.2); what it says must be right
        claims: dict[str, Any] = {
            "iss": self._config.issuer, "aud": list(self._config.audiences), "exp": self._clock.now() + 60, **found
        }  # fmt: skip
        check_claims(claims, self._config, self._clock.now())
        check_scope(claims, self._config)
        return Granted(person_of(claims, self._config))

    async def _grant(self, username: str, password: str) -> SourceAnswer:
        url = await self._provider.endpoint("token_endpoint")
        form = {"grant_type": "password", "username": username, "password": password, "scope": "openid email profile"}
        answer = await self._post(url, form)
        if answer.status in {400, 401}:
            refused = answer.document().get("error")
            return (
                Wrong("invalid_grant") if refused == "invalid_grant" else Down(f"the provider says {refused!r}"[:200])
            )
        if answer.status != 200:
            return Down(f"the grant was answered {answer.status}", is_spared=answer.status >= 500)
        found = answer.document()
        token = found.get("id_token") or found.get("access_token")
        if not isinstance(token, str):
            return Down("the grant was answered without a token", is_spared=False)
        return await self.check_token(token, "password")

    async def _post(self, url: str, form: dict[str, str]) -> WebAnswer:
        config = self._config
        if config.client_auth == "post":
            form = {**form, "client_id": config.client_id, "client_secret": config.client_secret}
            return await self._web.post(url, form=form)
        return await self._web.post(url, form=form, login=(config.client_id, config.client_secret))
