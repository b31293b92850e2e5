"""Configuration: ``posthouse.toml`` for what is needed before the store opens, settings for everything else.

Each setting has one typed definition (``definitions``); the file's values are typed in ``file``. Loading opens no
socket and looks nothing up. Tests: ``tests/unit/config``.
"""
