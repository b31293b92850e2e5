"""Signed tokens: is the signature of one of the provider's keys, and are the claims for us and for now?

RFC 7519 §4.1 (claims), RFC 8725 §3 (what goes wrong), RFC 9068 §4 (access tokens). Only algorithms of the source's
list are looked at, never what a token asks for beyond it. Time is handed in.
Tests: ``tests/interop/test_sources_oidc.py``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from posthouse.services.identity.sources.contract import SourcePerson
from posthouse.services.identity.sources.oidc.config import OidcConfig
from posthouse.services.identity.sources.oidc.provider import PublicKey

TOKEN_LENGTH: Final = 16_384
_TYPES: Final = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})


class TokenFault(Exception):  # noqa: N818  (a finding about a token)
    """The token is not good; the text says why, for the log, without the token."""


@dataclass(frozen=True, slots=True)
class TokenHead:
    """What a token says of itself before anything is checked."""

    algorithm: str
    key_id: str
    issuer: str


def peek(token: str) -> TokenHead | None:
    """Return what a token says of itself; None where it is no signed token at all."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > TOKEN_LENGTH:
        return None
    try:
        head, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(head, dict) or not isinstance(claims, dict):
        return None
    if str(head.get("typ", "")).lower() not in _TYPES:
        return None
    return TokenHead(_word(head, "alg"), _word(head, "kid"), _word(claims, "iss"))


def check_token(token: str, keys: Sequence[PublicKey], config: OidcConfig, now: float) -> dict[str, Any]:
    """Return the claims of a token that is good now. Raises TokenFault."""
    claims: dict[str, Any] | None = None
    for key in keys:
        try:
            registry = JWSRegistry(algorithms=list(config.algorithms))
            claims = dict(jwt.decode(token, key, algorithms=list(config.algorithms), registry=registry).claims)
            break
        except (JoseError, ValueError, TypeError):
            continue
    if claims is None:
        raise TokenFault("no key of the provider made its signature")
    check_claims(claims, config, now)
    return claims


def check_claims(claims: Mapping[str, Any], config: OidcConfig, now: float) -> None:
    """Check whom the claims are from and for, and when. Raises TokenFault."""
    if claims.get("iss") != config.issuer:
        raise TokenFault("it is from another issuer")
    if not _is_for(claims.get("aud"), config.audiences):
        raise TokenFault("it is made for somebody else")
    expires = _time(claims, "exp")
    if expires is None:
        raise TokenFault("it does not say when it expires")
    if expires + config.leeway <= now:
        raise TokenFault("it has expired")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and begins - config.leeway > now:
            raise TokenFault("it is not valid yet")
    check_scope(claims, config)


def check_scope(claims: Mapping[str, Any], config: OidcConfig) -> None:
    """Check that the scope that is asked for is there. Raises TokenFault."""
    given = claims.get("scope", claims.get("scp", ""))
    scopes = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
    if config.required_scope and config.required_scope not in scopes:
        raise TokenFault(f"it has not the scope {config.required_scope}")


def person_of(claims: Mapping[str, Any], config: OidcConfig) -> SourcePerson:
    """Return the person of some claims. Raises TokenFault: they hold no address, or one that is not confirmed."""
    address = _word(claims, config.address_claim).lower()
    if "@" not in address:
        raise TokenFault(f"the claim {config.address_claim} holds no address")
    if config.address_claim == "email" and claims.get("email_verified") in {False, "false"}:
        raise TokenFault("the provider has not confirmed the address")
    groups = claims.get(config.groups_claim)
    return SourcePerson(
        address=address,
        display_name=_word(claims, config.name_claim),
        given_name=_word(claims, "given_name"),
        family_name=_word(claims, "family_name"),
        groups=tuple(group for group in groups[:1_000] if isinstance(group, str)) if isinstance(groups, list) else (),
        external_id=_word(claims, "sub"),
    )


def _is_for(audience: object, ours: Sequence[str]) -> bool:
    named = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    return any(name in ours for name in named if isinstance(name, str))


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise TokenFault(f"its {name} is no time")
    return float(value)


def _word(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value[:1_000] if isinstance(value, str) else ""
