"""What a provider says of itself: its description and its keys, fetched when needed and kept for a while.

Keys that change are found in time: a token signed by a key we do not know makes us fetch the keys anew, but not more
than once in ``REFETCH_SECONDS``, so that made-up key names cannot make us ask without end. Many callers share
one fetch. While the provider is away, keys that were fetched go on being used until they are a day old.
OpenID Connect Discovery 1.0, RFC 8414 §3, RFC 7517 §5.
Tests: ``tests/interop/test_sources_oidc.py``.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from posthouse.core.clock import Clock
from posthouse.services.identity.sources.fields import SourceFault
from posthouse.services.identity.sources.oidc.config import OidcConfig
from posthouse.services.identity.sources.web_client import WebClient, WebGone, check_clear

REFETCH_SECONDS: Final = 30.0
STALE_SECONDS: Final = 86_400.0
KEYS: Final = 100
TRIED: Final = 8  # keys tried for a token that names none
_KINDS: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}

PublicKey = RSAKey | ECKey | OKPKey


class Provider:
    """One provider, as it describes itself."""

    def __init__(self, config: OidcConfig, web: WebClient, clock: Clock) -> None:
        self._config = config
        self._web = web
        self._clock = clock
        self._lock = asyncio.Lock()
        self._document: dict[str, Any] = {}
        self._document_at = 0.0
        self._keys: list[PublicKey] = []
        self._keys_at = 0.0
        self._asked_at = -REFETCH_SECONDS

    async def endpoint(self, name: str) -> str:
        """Return an endpoint of the description, such as ``introspection_endpoint``. Raises WebGone."""
        async with self._lock:
            await self._describe()
        url = self._document.get(name)
        if not isinstance(url, str) or not url:
            raise WebGone(f"the provider's description has no {name}")
        try:
            check_clear(url, name, allowed=self._config.clear)
        except SourceFault as fault:
            raise WebGone(fault.detail) from fault
        return url

    async def keys_for(self, algorithm: str, key_id: str) -> list[PublicKey]:
        """Return the keys that may have signed a token; [] where the provider has none such. Raises WebGone."""
        async with self._lock:
            now = self._clock.monotonic()
            if not self._keys or now - self._keys_at > self._config.keys_age:
                await self._fetch_or_keep(now)
            found = self._matching(algorithm, key_id)
            if not found and now - self._asked_at >= REFETCH_SECONDS:
                await self._fetch_or_keep(now)
                found = self._matching(algorithm, key_id)
            return found

    def _matching(self, algorithm: str, key_id: str) -> list[PublicKey]:
        kind = _KINDS.get(algorithm[:2], "")
        fitting = [key for key in self._keys if key.key_type == kind and key.get("alg") in {None, algorithm}]
        if key_id:
            return [key for key in fitting if key.kid == key_id][:1]
        return fitting[:TRIED]

    async def _fetch_or_keep(self, now: float) -> None:
        """Fetch the keys; where that fails, keep those we have while they are not too old."""
        if self._keys and now - self._asked_at < REFETCH_SECONDS:
            return
        self._asked_at = now
        try:
            await self._fetch()
            self._keys_at = now
        except WebGone:
            if not self._keys or now - self._keys_at > STALE_SECONDS:
                raise

    async def _fetch(self) -> None:
        await self._describe()
        url = self._document.get("jwks_uri")
        if not isinstance(url, str):
            raise WebGone("the provider's description has no jwks_uri")
        answer = await self._web.get(url)
        listed = answer.document().get("keys") if answer.status == 200 else None
        if not isinstance(listed, list):
            raise WebGone(f"{url[:200]}: {answer.status}, and no set of keys")
        self._keys = [key for item in listed[:KEYS] if (key := _public_key(item)) is not None]

    async def _describe(self) -> None:
        now = self._clock.monotonic()
        if self._document and now - self._document_at <= self._config.keys_age:
            return
        config = self._config
        url = config.discovery_url or config.issuer.rstrip("/") + "/.well-known/openid-configuration"
        answer = await self._web.get(url)
        if answer.status != 200:
            raise WebGone(f"{url[:200]}: {answer.status}")
        document = answer.document()
        if document.get("issuer") != config.issuer:
            raise WebGone(f"{url[:200]}: describes the issuer {str(document.get('issuer'))[:100]!r}")
        self._document, self._document_at = document, now


def _public_key(item: object) -> PublicKey | None:
    """Return a key that signs; None for shared keys, keys that encrypt, and what is no key."""
    if not isinstance(item, dict) or item.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(item)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None
