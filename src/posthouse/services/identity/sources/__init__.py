"""Sign-in sources: who else may say that a name and a password go together.

The order by domain and the circuit that spares a source that is down are in ``registry``; what each kind is made from
is in ``kinds``; each kind has its file. Tests: ``tests/unit/services/identity/sources/test_source_registry.py``.
"""
