"""OpenID Connect and OAuth 2.0 providers as a sign-in source, for bearer tokens.

    source -> provider (discovery, keys) ; tokens (signed tokens) ; introspection is asked by the source

Tests: ``tests/interop/test_sources_oidc.py``.
"""
