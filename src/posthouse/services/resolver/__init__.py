"""Asking the DNS: a contract, and the resolver that speaks to name servers. Tests: ``tests/unit/services/resolver``."""
