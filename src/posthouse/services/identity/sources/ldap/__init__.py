"""LDAP servers and Active Directory as a sign-in source.

    config -> source (what is asked) -> people (entries to persons) ; pool -> connection (one TCP connection)

Tests: ``tests/unit/services/identity/sources/test_ldap_source.py``, ``tests/interop/test_sources_ldap.py``.
"""
