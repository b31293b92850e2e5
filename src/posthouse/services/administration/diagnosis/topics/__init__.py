"""The checks, one file for each topic, each with a tuple ``CHECKS``. See ``docs/check.md``."""
