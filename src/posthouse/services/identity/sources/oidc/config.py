"""How an OIDC source is written down.

Only signatures by a private key are taken: with a shared key whoever may check a token could make one.
Tests: ``tests/unit/services/identity/sources/test_source_fields.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from posthouse.services.identity.sources.fields import one_of, option, span, text, web_address, words, yes_or_no

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)


def _algorithms(value: str) -> tuple[str, ...]:
    names = words(value)
    if not names or not set(names) <= set(ALGORITHMS):
        raise ValueError("words of " + ", ".join(ALGORITHMS))
    return names


def _address_or_none(value: str) -> str:
    return web_address(value) if value else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcConfig:
    """The fields of an OIDC source."""

    issuer: str = option(
        web_address, "The provider's issuer, exactly as in its tokens: `https://id.example.org/realm`."
    )
    discovery_url: str = option(
        _address_or_none, "Where its description is. Empty: `/.well-known/openid-configuration` below the issuer.", ""
    )
    validation: str = option(
        one_of("jwt", "introspection", "both"),
        "`jwt`: tokens are signed, and checked here. `introspection`: the provider is asked about every token "
        "(RFC 7662). `both`: signed tokens here, others there.",
        "jwt",
    )
    audience: tuple[str, ...] = option(words, "For whom tokens must be made: one of these. Empty: the `client_id`.", "")
    client_id: str = option(text, "This server's name at the provider.", "")
    client_secret: str = option(text, "This server's secret at the provider, for introspection.", "", secret=True)
    client_auth: str = option(
        one_of("basic", "post"), "How name and secret are sent: in the header, or in the form.", "basic"
    )
    algorithms: tuple[str, ...] = option(
        _algorithms, "Which signatures are taken.", "RS256, PS256, ES256, ES384, EdDSA"
    )
    address_claim: str = option(text, "The claim that holds the address.", "email")
    name_claim: str = option(text, "The claim that holds the name to show.", "name")
    groups_claim: str = option(text, "The claim that lists groups.", "groups")
    required_scope: str = option(text, "A scope that a token must have. Empty: any.", "")
    leeway: float = option(span(0, 300), "By how much clocks may differ.", "30s")
    keys_age: float = option(span(60, 86_400), "How long the provider's description and keys are kept.", "1h")
    password_grant: bool = option(
        yes_or_no,
        "Whether passwords are handed to the provider (grant type `password`), for mail programs without tokens. It "
        "goes round the provider's second factor.",
        "no",
    )
    clear: bool = option(yes_or_no, "Whether `http://` may be used to another machine, in clear.", "no")
    ca_file: str = option(text, "A PEM file of the authorities that may sign the provider's certificate.", "")
    timeout: float = option(span(0.2, 60), "How long the provider may take for one answer.", "5s")

    @property
    def audiences(self) -> tuple[str, ...]:
        """For whom tokens must be made."""
        return self.audience or ((self.client_id,) if self.client_id else ())
