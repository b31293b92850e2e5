"""LDAP version 3 (RFC 4511) as values and octets, for both sides of a connection.

    wire -> messages (ber) -> types;  filters and names are the text forms;  client is the session of one who asks

Tests: ``tests/unit/protocols/ldap/test_ldap_messages.py``, ``tests/property/test_ldap_properties.py``.
"""
