"""An OpenID provider for tests: description, keys, signed tokens, introspection, the password grant, and a mail-login.

Runs on aiohttp in the test's own loop; use as an async context. ``rotate`` changes the signing key; ``requests`` records
the path of everything that was asked; ``answers`` replaces what a path answers.
"""

from __future__ import annotations

import base64
import time
from typing import Any, Self

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT = "posthouse client"
SECRET = "s3cret:&+"
PASSWORD = "grant-password"


class OidcProvider:
    """One provider."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answers: dict[str, web.Response] = {}
        self.opaque: dict[str, dict[str, Any]] = {}
        self.keys: list[Any] = []
        self.bodies: list[tuple[dict[str, str], bytes]] = []
        self.rotate("first")
        self._runner: web.AppRunner | None = None
        self.issuer = ""

    def rotate(self, name: str, kind: str = "EC") -> None:
        """Sign with a new key from now on; the old one is no longer listed."""
        parameters = {"kid": name, "use": "sig"}
        self.key = ECKey.generate_key("P-256", parameters) if kind == "EC" else RSAKey.generate_key(2048, parameters)
        self.algorithm = "ES256" if kind == "EC" else "RS256"
        self.keys = [self.key]

    def token(self, *, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a signed token for anna; claims given as None are left out."""
        now = int(time.time())
        every = {
            "iss": self.issuer, "aud": CLIENT, "sub": "u-1", "exp": now + 300, "iat": now, "nbf": now,
            "email": "Anna@example.test", "email_verified": True, "name": "Anna Älv", "groups": ["staff"],
        } | claims  # fmt: skip
        wanted = {name: value for name, value in every.items() if value is not None}
        head = {"alg": self.algorithm, "kid": self.key.kid} | (header or {})
        return jwt.encode(head, wanted, key or self.key, algorithms=[head["alg"], "HS256"])

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.issuer = f"http://127.0.0.1:{self.port}"
        return self

    async def stop(self) -> None:
        """Hang up."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path)
        self.bodies.append((dict(request.headers), await request.read()))
        given = self.answers.get(request.path)
        if given is not None:
            return web.Response(status=given.status, body=given.body, headers=given.headers)
        handler = {
            "/.well-known/openid-configuration": self._describe,
            "/keys": self._list_keys,
            "/introspect": self._introspect,
            "/token": self._grant,
            "/mail-login": self._mail_login,
        }.get(request.path)
        return await handler(request) if handler else web.Response(status=404)

    async def _describe(self, request: web.Request) -> web.Response:
        paths = {"jwks_uri": "keys", "introspection_endpoint": "introspect", "token_endpoint": "token"}
        return web.json_response(
            {"issuer": self.issuer} | {name: f"{self.issuer}/{path}" for name, path in paths.items()}
        )

    async def _list_keys(self, request: web.Request) -> web.Response:
        shared = OctKey.import_key("a shared secret that is listed by mistake", {"kid": "shared"})
        listed = [key.as_dict(private=False) for key in self.keys]
        return web.json_response({"keys": [*listed, shared.as_dict(private=True), {"kty": "strange"}, 7]})

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        basic = base64.b64encode(b"posthouse+client:s3cret%3A%26%2B").decode()
        in_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        return request.headers.get("Authorization") == f"Basic {basic}" or in_form

    async def _introspect(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if not self._is_client(request, form):
            return web.Response(status=401)
        return web.json_response(self.opaque.get(str(form.get("token")), {"active": False}))

    async def _grant(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if form.get("password") != PASSWORD:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": self.token(), "token_type": "Bearer"})

    async def _mail_login(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["address"] != "anna@example.test":
            return web.Response(status=404)
        if asked["password"] != PASSWORD:
            return web.Response(status=401)
        return web.json_response({"display_name": "Anna", "groups": ["staff"], "quota": 1048576, "external_id": "7"})
