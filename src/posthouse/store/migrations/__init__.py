"""Alembic's environment: the way from an older schema to the newest. Run by ``birth.upgrade`` under the lock."""
