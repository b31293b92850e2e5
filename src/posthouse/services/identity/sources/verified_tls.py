"""TLS towards sign-in sources: always verified, against the system's authorities or those of a file.

There is no way to switch verification off: a source that anyone can play would let anyone in.
Tests: ``tests/unit/services/identity/sources/test_source_fields.py``.
"""

from __future__ import annotations

import ssl

from posthouse.services.identity.sources.fields import SourceFault


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that verifies the other side against the system's authorities, or those of a file.

    Raises SourceFault: where the file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError):
        raise SourceFault(
            f"ca_file: {ca_file[:200]!r} cannot be used", field="ca_file", remedy="Name a readable PEM file."
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
