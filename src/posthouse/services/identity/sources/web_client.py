"""A small HTTP client towards sign-in sources: verified TLS, bounded time, bounded size, no way to other hosts.

A redirection is followed three times at most, only for GET, and only to the same scheme, host and port. Clear HTTP is
spoken only to this machine unless the source says otherwise. Proxies of the environment are not used.
Tests: ``tests/interop/test_sources_web.py``.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urljoin, urlsplit

import aiohttp

from posthouse.services.identity.sources.fields import SourceFault

BODY: Final = 1024 * 1024
REDIRECTIONS: Final = 3
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class WebGone(Exception):  # noqa: N818  (a condition of the other side)
    """No usable answer came; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """An answer: its status and its body."""

    status: int
    body: bytes

    def document(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises WebGone."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise WebGone(f"the answer ({self.status}) is no JSON object")
        return found


def check_clear(url: str, field: str, *, allowed: bool) -> None:
    """Refuse clear HTTP to another machine. Raises SourceFault."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOCAL_HOSTS and not allowed:
        raise SourceFault(
            f"{field}: {url[:100]!r} would send secrets in clear to another machine", field=field, remedy="Use https."
        )


def _basic(name: str, secret: str) -> str:
    """Return the header's value; both parts are form-encoded first (RFC 6749 §2.3.1)."""
    return "Basic " + base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()


class WebClient:
    """One client, with connections that are kept."""

    def __init__(self, context: ssl.SSLContext, timeout: float, connections: int = 8) -> None:
        self._context = context
        self._timeout = timeout
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> WebAnswer:
        """Fetch a document. Raises WebGone."""
        origin = urlsplit(url)[:2]
        for _ in range(REDIRECTIONS + 1):
            answer, location = await self._request("GET", url, headers=headers)
            if not location:
                return answer
            url = urljoin(url, location)
            if urlsplit(url)[:2] != origin:
                raise WebGone(f"redirected to another place: {url[:200]}")
        raise WebGone(f"redirected more than {REDIRECTIONS} times")

    async def post(
        self,
        url: str,
        *,
        body: bytes = b"",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        login: tuple[str, str] | None = None,
    ) -> WebAnswer:
        """Send a body or a form, with HTTP basic authentication where ``login`` is given. Raises WebGone."""
        headers = dict(headers or {}) | ({"Authorization": _basic(*login)} if login else {})
        data: Any = dict(form) if form is not None else body
        answer, location = await self._request("POST", url, headers=headers, data=data)
        if location:
            raise WebGone(f"redirected to {location[:200]}; a secret is not sent on")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _request(self, method: str, url: str, **more: Any) -> tuple[WebAnswer, str]:
        session = self._opened()
        try:
            async with session.request(method, url, allow_redirects=False, **more) as response:
                body = await response.content.read(BODY + 1)
                while len(body) <= BODY and (more_of_it := await response.content.read(BODY + 1)):
                    body += more_of_it
                if len(body) > BODY:
                    raise WebGone(f"{url[:200]}: an answer of more than {BODY} octets")
                location = response.headers.get("Location", "") if 300 <= response.status < 400 else ""
                return WebAnswer(response.status, body), location
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise WebGone(f"{url[:200]}: {error or type(error).__name__}"[:500]) from error
        except TimeoutError:
            raise WebGone(f"{url[:200]}: no answer within {self._timeout:g} s") from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._context, limit=self._connections),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "Posthouse"},
            )
        return self._session
