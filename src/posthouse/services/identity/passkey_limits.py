"""How long what a browser sends back about a passkey may be, in characters; apart, because ``passkeys`` loads slowly.

Tests: ``tests/unit/services/identity/test_passkeys.py``.
"""

from __future__ import annotations

from typing import Final

STATE_LENGTH: Final = 4_096
RESPONSE_LENGTH: Final = 32_768
