"""Diagnosis: what ``posthouse check`` looks at and how it judges it. Tests: ``tests/unit/services/administration``."""
