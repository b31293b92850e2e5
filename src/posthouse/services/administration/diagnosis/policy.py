"""The MTA-STS policy of a domain: fetching it, and reading it (RFC 8461 §3.2, §3.3).

Fetched over HTTPS with a certificate that verifies, without following anybody elsewhere, from addresses that are on the
Internet: a domain's name must not make us ask machines of the inside. Bounded in time and size.
Tests: ``tests/unit/services/administration/diagnosis/test_policy.py``.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from posthouse.services.administration.diagnosis.certificates import covers
from posthouse.services.administration.diagnosis.relay_safety import is_private_address
from posthouse.services.resolver.contract import Resolver

if TYPE_CHECKING:
    import aiohttp

PATIENCE: Final = 8.0
_LONGEST: Final = 64 * 1024  # octets (RFC 8461 §3.3 suggests a limit of that size)
_MODES: Final = {"enforce", "testing", "none"}


class PolicyFault(Exception):  # noqa: N818  (a condition of the other side)
    """The policy cannot be had, or is none; the text says why in words of ours."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy: what happens where TLS fails, for which exchangers, for how many seconds."""

    mode: str
    mx: tuple[str, ...]
    max_age: int

    def allows(self, host: str) -> bool:
        """Whether a host is one of the exchangers (RFC 8461 §4.1)."""
        return any(covers(pattern, host) for pattern in self.mx)


def parse_policy(text: str) -> Policy:
    """Read a policy. Raises PolicyFault."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip().lower(), []).append(value.strip())
        elif line.strip():
            raise PolicyFault(f"the line {line[:60]!r} has no colon")
    if fields.get("version", [""])[0] != "STSv1":
        raise PolicyFault("the policy does not say version: STSv1")
    mode, age = fields.get("mode", [""])[0], fields.get("max_age", [""])[0]
    if mode not in _MODES:
        raise PolicyFault(f"the mode {mode!r} is none of enforce, testing, none")
    if not (age.isascii() and age.isdigit() and len(age) <= 10):
        raise PolicyFault("max_age is no number of seconds")
    if mode != "none" and not fields.get("mx"):
        raise PolicyFault("the policy names no mx")
    return Policy(mode, tuple(fields.get("mx", ())), int(age))


class PolicyFetcher:
    """Fetches policies; ``fetch`` is ``DiagnosisParts.policy``."""

    def __init__(self, resolver: Resolver, *, port: int = 443) -> None:
        self._resolver = resolver
        self._port = port

    async def fetch(self, domain: str) -> str:
        """Return the text of a domain's policy. Raises PolicyFault."""
        import aiohttp

        host = f"mta-sts.{domain}"
        addresses = await self._addresses(host)
        connector = aiohttp.TCPConnector(resolver=_pinned(addresses))
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        url = f"https://{host}:{self._port}/.well-known/mta-sts.txt"
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get(url, allow_redirects=False) as answer,
            ):
                return await _text(answer, host)
        except aiohttp.ClientConnectorCertificateError:
            raise PolicyFault(f"the certificate of {host} does not verify for that name") from None
        except (aiohttp.ClientError, TimeoutError):
            raise PolicyFault(f"{host} does not answer over HTTPS") from None

    async def _addresses(self, host: str) -> tuple[str, ...]:
        answer = await self._resolver.addresses(host)
        if not answer.addresses:
            raise PolicyFault(f"{host} has no address ({answer.detail or answer.finding.value})")
        if any(is_private_address(address) for address in answer.addresses):
            raise PolicyFault(f"{host} leads to a private address, {answer.addresses[0]}")
        return answer.addresses


async def _text(answer: aiohttp.ClientResponse, host: str) -> str:
    if answer.status != 200:
        raise PolicyFault(f"{host} answers {answer.status} for /.well-known/mta-sts.txt")
    octets = await answer.content.read(_LONGEST)
    return octets.decode("utf-8", "replace")


def _pinned(addresses: tuple[str, ...]) -> Any:
    """Return a resolver for aiohttp that knows these addresses and nothing else."""
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Pinned(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            return [
                ResolveResult(
                    hostname=host,
                    host=address,
                    port=port,
                    family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                    proto=0,
                    flags=socket.AI_NUMERICHOST,
                )
                for address in addresses
            ]

        async def close(self) -> None:
            """Hold nothing."""

    return Pinned()
